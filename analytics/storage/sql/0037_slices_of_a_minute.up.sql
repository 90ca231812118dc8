-- Minutes of busy projects by label and by user, made with the minute itself: of them questions about the hour that is
-- still open are answered, and hours are made. They can be made anew of spans, so no log is written for them.
CREATE UNLOGGED TABLE llm_metrics_slice (LIKE llm_metrics_1hour);
CREATE INDEX llm_metrics_slice_by_bucket ON llm_metrics_slice (organisation_id, project_id, bucket);
CREATE UNLOGGED TABLE llm_usage_slice (LIKE llm_usage_1hour);
CREATE INDEX llm_usage_slice_by_bucket ON llm_usage_slice (organisation_id, project_id, bucket);
CREATE UNLOGGED TABLE llm_distinct_slice (LIKE llm_distinct_1hour);
CREATE INDEX llm_distinct_slice_by_bucket ON llm_distinct_slice (organisation_id, project_id, bucket);
CREATE UNLOGGED TABLE llm_unpriced_slice (LIKE llm_unpriced_1hour);
CREATE INDEX llm_unpriced_slice_by_bucket ON llm_unpriced_slice (organisation_id, project_id, bucket);

-- Slices were of five minutes. Their tables stay for a release, as workers of the version before write to them, and
-- keep nothing: nobody marks those slices when a minute is made anew, and such a worker would make hours of what is old.
TRUNCATE llm_metrics_5min, llm_usage_5min, llm_distinct_5min, llm_unpriced_5min;
DROP INDEX llm_metrics_5min_by_bucket, llm_usage_5min_by_bucket, llm_distinct_5min_by_bucket, llm_unpriced_5min_by_bucket;
DELETE FROM bucket_change WHERE grain = 'slice';
CREATE RULE nothing AS ON INSERT TO llm_metrics_5min DO INSTEAD NOTHING;
CREATE RULE nothing AS ON INSERT TO llm_usage_5min DO INSTEAD NOTHING;
CREATE RULE nothing AS ON INSERT TO llm_distinct_5min DO INSTEAD NOTHING;
CREATE RULE nothing AS ON INSERT TO llm_unpriced_5min DO INSTEAD NOTHING;
