DROP TABLE cost_run_differences;
DROP TABLE cost_run_spans;
ALTER TABLE llm_traces DROP COLUMN service_tier;
