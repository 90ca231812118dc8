DROP INDEX llm_unpriced_1hour_by_bucket;
ALTER TABLE llm_unpriced_1hour ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, unpriced_reason);

DROP INDEX llm_unpriced_1day_by_bucket;
ALTER TABLE llm_unpriced_1day ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, unpriced_reason);
