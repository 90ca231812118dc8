-- The time ranges of all traces.
INSERT INTO trace_index (organisation_id, project_id, trace_id, first_ts, last_ts)
SELECT organisation_id, project_id, trace_id, min(ts), max(ts) FROM llm_traces
WHERE organisation_id = %(organisation)s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
