-- Statuses in the rollups by labels. They follow from the type of the error only where there is one, so rows whose
-- spans are gone keep what can be told of them; all others are made anew.
ALTER TABLE llm_metrics_1hour ADD COLUMN status_code text;
UPDATE llm_metrics_1hour SET status_code =
    CASE WHEN error_type <> '' OR error_count = span_count THEN 'ERROR' ELSE 'UNSET' END;
ALTER TABLE llm_metrics_1hour ALTER COLUMN status_code SET NOT NULL;
ALTER TABLE llm_metrics_1hour DROP CONSTRAINT llm_metrics_1hour_pkey;
ALTER TABLE llm_metrics_1hour ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, status_code, error_type);
ALTER TABLE llm_metrics_1day ADD COLUMN status_code text;
UPDATE llm_metrics_1day SET status_code =
    CASE WHEN error_type <> '' OR error_count = span_count THEN 'ERROR' ELSE 'UNSET' END;
ALTER TABLE llm_metrics_1day ALTER COLUMN status_code SET NOT NULL;
ALTER TABLE llm_metrics_1day DROP CONSTRAINT llm_metrics_1day_pkey;
ALTER TABLE llm_metrics_1day ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, status_code, error_type);

-- The register of a value in a HyperLogLog of 2^15 registers, as 64 times its number plus its rank: the number is the
-- first 15 bits of the hash, the rank the place of the first 1 in the other 49 (50 without one).
CREATE FUNCTION observatory_register(value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ((hash >> 49) & 32767)::integer * 64
        + coalesce(nullif(position(B'1' IN substring(hash::bit(64) FROM 16)), 0), 50)
    FROM hashtextextended(value, 0) AS hash
$$;

-- One row a project, bucket of an hour and what was used by whom; a missing label is the empty text. A sum of 0 is
-- NULL: most rows stand for few spans, and most of their sums are 0.
CREATE TABLE llm_usage_1hour (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    user_id text NOT NULL,
    team_id text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    environment text NOT NULL,
    span_count bigint NOT NULL,
    request_count bigint,
    error_count bigint,
    usage_count bigint,
    priced_count bigint,
    unpriced_count bigint,
    uncached_input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    audio_input_tokens bigint,
    visible_output_tokens bigint,
    reasoning_tokens bigint,
    audio_output_tokens bigint,
    prompt_cost_nanousd bigint,
    completion_cost_nanousd bigint,
    total_cost_nanousd bigint,
    reported_cost_nanousd bigint,
    duration_sum bigint,
    duration_min bigint,
    duration_max bigint,
    ttft_count bigint,
    ttft_sum bigint,
    ttft_min bigint,
    ttft_max bigint,
    PRIMARY KEY (organisation_id, project_id, bucket, user_id, team_id, provider, model, environment)
);

-- One row a project, bucket of a day and what was used by whom, as by hour.
CREATE TABLE llm_usage_1day (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    user_id text NOT NULL,
    team_id text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    environment text NOT NULL,
    span_count bigint NOT NULL,
    request_count bigint,
    error_count bigint,
    usage_count bigint,
    priced_count bigint,
    unpriced_count bigint,
    uncached_input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    audio_input_tokens bigint,
    visible_output_tokens bigint,
    reasoning_tokens bigint,
    audio_output_tokens bigint,
    prompt_cost_nanousd bigint,
    completion_cost_nanousd bigint,
    total_cost_nanousd bigint,
    reported_cost_nanousd bigint,
    duration_sum bigint,
    duration_min bigint,
    duration_max bigint,
    ttft_count bigint,
    ttft_sum bigint,
    ttft_min bigint,
    ttft_max bigint,
    duration_bins smallint[],
    duration_counts bigint[],
    ttft_bins smallint[],
    ttft_counts bigint[],
    PRIMARY KEY (organisation_id, project_id, bucket, user_id, team_id, provider, model, environment)
);

-- One row a project, bucket of a day: registers that count different users and sessions, and merge.
CREATE TABLE llm_distinct_1day (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    span_count bigint NOT NULL,
    users_registers integer[],
    sessions_registers integer[],
    PRIMARY KEY (organisation_id, project_id, bucket)
);

-- Buckets whose spans are still there have changed, for the new tables.
INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
SELECT DISTINCT organisation_id, project_id, '1hour', date_bin(interval '1 hour', ts, TIMESTAMPTZ '1970-01-01 00:00Z')
FROM llm_traces;

-- Of days whose spans are gone there will be no usage: it is complete from there on.
INSERT INTO retention_horizons (kind, organisation_id, project_id, kept_since)
SELECT known.kind, organisation_id, project_id, kept_since
FROM retention_horizons AS spans, (VALUES ('usage_hour'), ('usage_day')) AS known (kind) WHERE spans.kind = 'spans';
