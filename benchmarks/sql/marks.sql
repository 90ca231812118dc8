-- Every bucket of a range has changed.
INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
SELECT DISTINCT organisation_id, project_id, grain, date_bin(width, ts, TIMESTAMPTZ '1970-01-01 00:00Z')
FROM llm_traces, (VALUES
    ('1min', interval '1 minute'), ('5min', interval '5 minutes'), ('1hour', interval '1 hour')) AS grains (grain, width)
WHERE organisation_id = %(organisation)s AND ts >= %(start)s AND ts < %(end)s
