DELETE FROM retention_horizons WHERE kind IN ('usage_hour', 'usage_day');
DELETE FROM retention_rules WHERE kind IN ('usage_hour', 'usage_day');
DROP TABLE llm_distinct_1day;
DROP TABLE llm_usage_1day;
DROP TABLE llm_usage_1hour;
DROP FUNCTION observatory_register(text);

-- Rows that differ in nothing but their status cannot stay beside each other: those whose spans are still there are
-- made anew, of the others only one of each remains.
DELETE FROM llm_metrics_1day AS extra USING llm_metrics_1day AS kept
WHERE (extra.organisation_id, extra.project_id, extra.bucket, extra.provider, extra.model, extra.environment, extra.service_name, extra.operation_name, extra.error_type)
    = (kept.organisation_id, kept.project_id, kept.bucket, kept.provider, kept.model, kept.environment, kept.service_name, kept.operation_name, kept.error_type)
    AND extra.status_code > kept.status_code;
ALTER TABLE llm_metrics_1day DROP COLUMN status_code;
ALTER TABLE llm_metrics_1day ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, error_type);
DELETE FROM llm_metrics_1hour AS extra USING llm_metrics_1hour AS kept
WHERE (extra.organisation_id, extra.project_id, extra.bucket, extra.provider, extra.model, extra.environment, extra.service_name, extra.operation_name, extra.error_type)
    = (kept.organisation_id, kept.project_id, kept.bucket, kept.provider, kept.model, kept.environment, kept.service_name, kept.operation_name, kept.error_type)
    AND extra.status_code > kept.status_code;
ALTER TABLE llm_metrics_1hour DROP COLUMN status_code;
ALTER TABLE llm_metrics_1hour ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, error_type);
INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
SELECT DISTINCT organisation_id, project_id, '1hour', date_bin(interval '1 hour', ts, TIMESTAMPTZ '1970-01-01 00:00Z')
FROM llm_traces;
