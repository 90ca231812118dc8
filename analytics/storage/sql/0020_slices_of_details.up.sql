-- Five minutes of busy projects, of which their hours of different users and of what has no price are made. Those of the
-- other rollups that were made before have none of these, and count as not made.
CREATE UNLOGGED TABLE llm_distinct_5min (LIKE llm_distinct_1hour);
CREATE INDEX llm_distinct_5min_by_bucket ON llm_distinct_5min (organisation_id, project_id, bucket);
CREATE UNLOGGED TABLE llm_unpriced_5min (LIKE llm_unpriced_1hour);
CREATE INDEX llm_unpriced_5min_by_bucket ON llm_unpriced_5min (organisation_id, project_id, bucket);
