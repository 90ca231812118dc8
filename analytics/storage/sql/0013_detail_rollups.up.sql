-- One row a project, bucket of an hour: registers that count different users and sessions, as by day: of the last week,
-- for the ends of a range.
CREATE TABLE llm_distinct_1hour (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    span_count bigint NOT NULL,
    users_registers integer[],
    sessions_registers integer[],
    PRIMARY KEY (organisation_id, project_id, bucket)
);

-- One row a project, bucket of an hour, model and reason why it has no price, the empty text where it has one: how often,
-- and when first and last.
CREATE TABLE llm_unpriced_1hour (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    unpriced_reason text NOT NULL,
    span_count bigint NOT NULL,
    unpriced_count bigint,
    uncached_input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    audio_input_tokens bigint,
    visible_output_tokens bigint,
    reasoning_tokens bigint,
    audio_output_tokens bigint,
    unpriced_min timestamptz,
    unpriced_max timestamptz,
    PRIMARY KEY (organisation_id, project_id, bucket, provider, model, unpriced_reason)
);

-- One row a project, bucket of a day, model and reason, as by hour.
CREATE TABLE llm_unpriced_1day (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    unpriced_reason text NOT NULL,
    span_count bigint NOT NULL,
    unpriced_count bigint,
    uncached_input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_5m_tokens bigint,
    cache_write_1h_tokens bigint,
    audio_input_tokens bigint,
    visible_output_tokens bigint,
    reasoning_tokens bigint,
    audio_output_tokens bigint,
    unpriced_min timestamptz,
    unpriced_max timestamptz,
    PRIMARY KEY (organisation_id, project_id, bucket, provider, model, unpriced_reason)
);

-- They are complete from tomorrow on; what was before, spans tell.
INSERT INTO retention_horizons (kind, organisation_id, project_id, kept_since)
SELECT kind, 0, 0, (date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
FROM (VALUES ('detail_hour'), ('detail_day')) AS known (kind) WHERE EXISTS (SELECT FROM llm_traces);
