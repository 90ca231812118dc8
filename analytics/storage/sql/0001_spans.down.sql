DROP FUNCTION observatory_ensure_partitions(date, date);
DROP TABLE trace_index;
DROP TABLE llm_contents;
DROP TABLE llm_traces;
