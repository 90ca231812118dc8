DROP RULE nothing ON llm_metrics_5min;
DROP RULE nothing ON llm_usage_5min;
DROP RULE nothing ON llm_distinct_5min;
DROP RULE nothing ON llm_unpriced_5min;
CREATE INDEX llm_metrics_5min_by_bucket ON llm_metrics_5min (organisation_id, project_id, bucket);
CREATE INDEX llm_usage_5min_by_bucket ON llm_usage_5min (organisation_id, project_id, bucket);
CREATE INDEX llm_distinct_5min_by_bucket ON llm_distinct_5min (organisation_id, project_id, bucket);
CREATE INDEX llm_unpriced_5min_by_bucket ON llm_unpriced_5min (organisation_id, project_id, bucket);
-- Slices that were made before may be behind by now.
TRUNCATE llm_metrics_5min, llm_usage_5min, llm_distinct_5min, llm_unpriced_5min;
DROP TABLE llm_metrics_slice, llm_usage_slice, llm_distinct_slice, llm_unpriced_slice;
