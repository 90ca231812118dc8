-- As of the other rollups by labels: every question is about buckets of a project, and labels in an index were a third
-- of the bytes of these.
ALTER TABLE llm_unpriced_1hour DROP CONSTRAINT llm_unpriced_1hour_pkey;
CREATE INDEX llm_unpriced_1hour_by_bucket ON llm_unpriced_1hour (organisation_id, project_id, bucket);

ALTER TABLE llm_unpriced_1day DROP CONSTRAINT llm_unpriced_1day_pkey;
CREATE INDEX llm_unpriced_1day_by_bucket ON llm_unpriced_1day (organisation_id, project_id, bucket);
