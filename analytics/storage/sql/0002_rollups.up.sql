-- The append-only log of changes: one row for each bucket that a transaction touched. It is both the list of what to
-- refresh and, folded into data_version, the version of a range. Writers only ever insert, so none waits for another.
CREATE TABLE bucket_change (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    grain text NOT NULL,
    bucket timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- The changes of a tenant's range (every query), and of one grain in time order (the refresh).
CREATE INDEX bucket_change_of_tenant ON bucket_change (organisation_id, project_id, grain, bucket);
CREATE INDEX bucket_change_due ON bucket_change (grain, bucket);

-- Changes of past hours, folded: how many there were and when the newest was.
CREATE TABLE data_version (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    hour timestamptz NOT NULL,
    changes bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, project_id, hour)
);

-- The bin of a latency: 0 up to 1 ms, i for (gamma^(i-1), gamma^i] with gamma = 1.025 / 0.975, 303 above gamma^302.
CREATE FUNCTION observatory_bin(milliseconds bigint) RETURNS smallint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN milliseconds <= 1 THEN 0
        ELSE least(303, ceil(ln(milliseconds::float8) / ln(1.025::float8 / 0.975::float8) - 1e-12))
    END::smallint
$$;

-- One row a project, bucket of a minute.
CREATE TABLE llm_metrics_1min (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    span_count bigint NOT NULL,
    request_count bigint NOT NULL,
    error_count bigint NOT NULL,
    usage_count bigint NOT NULL,
    priced_count bigint NOT NULL,
    unpriced_count bigint NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_5m_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL,
    audio_input_tokens bigint NOT NULL,
    visible_output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    audio_output_tokens bigint NOT NULL,
    prompt_cost_nanousd bigint NOT NULL,
    completion_cost_nanousd bigint NOT NULL,
    total_cost_nanousd bigint NOT NULL,
    reported_cost_nanousd bigint NOT NULL,
    duration_sum bigint NOT NULL,
    duration_min bigint,
    duration_max bigint,
    ttft_count bigint NOT NULL,
    ttft_sum bigint NOT NULL,
    ttft_min bigint,
    ttft_max bigint,
    duration_bins smallint[],
    duration_counts bigint[],
    ttft_bins smallint[],
    ttft_counts bigint[],
    PRIMARY KEY (organisation_id, project_id, bucket)
);

-- One row a project, bucket of an hour and labels; a missing label is the empty text.
CREATE TABLE llm_metrics_1hour (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    environment text NOT NULL,
    service_name text NOT NULL,
    operation_name text NOT NULL,
    error_type text NOT NULL,
    span_count bigint NOT NULL,
    request_count bigint NOT NULL,
    error_count bigint NOT NULL,
    usage_count bigint NOT NULL,
    priced_count bigint NOT NULL,
    unpriced_count bigint NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_5m_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL,
    audio_input_tokens bigint NOT NULL,
    visible_output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    audio_output_tokens bigint NOT NULL,
    prompt_cost_nanousd bigint NOT NULL,
    completion_cost_nanousd bigint NOT NULL,
    total_cost_nanousd bigint NOT NULL,
    reported_cost_nanousd bigint NOT NULL,
    duration_sum bigint NOT NULL,
    duration_min bigint,
    duration_max bigint,
    ttft_count bigint NOT NULL,
    ttft_sum bigint NOT NULL,
    ttft_min bigint,
    ttft_max bigint,
    duration_bins smallint[],
    duration_counts bigint[],
    ttft_bins smallint[],
    ttft_counts bigint[],
    PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, error_type)
);

-- One row a project, bucket of an hour.
CREATE TABLE llm_totals_1hour (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    span_count bigint NOT NULL,
    request_count bigint NOT NULL,
    error_count bigint NOT NULL,
    usage_count bigint NOT NULL,
    priced_count bigint NOT NULL,
    unpriced_count bigint NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_5m_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL,
    audio_input_tokens bigint NOT NULL,
    visible_output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    audio_output_tokens bigint NOT NULL,
    prompt_cost_nanousd bigint NOT NULL,
    completion_cost_nanousd bigint NOT NULL,
    total_cost_nanousd bigint NOT NULL,
    reported_cost_nanousd bigint NOT NULL,
    duration_sum bigint NOT NULL,
    duration_min bigint,
    duration_max bigint,
    ttft_count bigint NOT NULL,
    ttft_sum bigint NOT NULL,
    ttft_min bigint,
    ttft_max bigint,
    duration_bins smallint[],
    duration_counts bigint[],
    ttft_bins smallint[],
    ttft_counts bigint[],
    PRIMARY KEY (organisation_id, project_id, bucket)
);

-- One row a project, bucket of a day and labels; a missing label is the empty text.
CREATE TABLE llm_metrics_1day (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    environment text NOT NULL,
    service_name text NOT NULL,
    operation_name text NOT NULL,
    error_type text NOT NULL,
    span_count bigint NOT NULL,
    request_count bigint NOT NULL,
    error_count bigint NOT NULL,
    usage_count bigint NOT NULL,
    priced_count bigint NOT NULL,
    unpriced_count bigint NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_5m_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL,
    audio_input_tokens bigint NOT NULL,
    visible_output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    audio_output_tokens bigint NOT NULL,
    prompt_cost_nanousd bigint NOT NULL,
    completion_cost_nanousd bigint NOT NULL,
    total_cost_nanousd bigint NOT NULL,
    reported_cost_nanousd bigint NOT NULL,
    duration_sum bigint NOT NULL,
    duration_min bigint,
    duration_max bigint,
    ttft_count bigint NOT NULL,
    ttft_sum bigint NOT NULL,
    ttft_min bigint,
    ttft_max bigint,
    duration_bins smallint[],
    duration_counts bigint[],
    ttft_bins smallint[],
    ttft_counts bigint[],
    PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, error_type)
);

-- One row a project, bucket of a day.
CREATE TABLE llm_totals_1day (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    span_count bigint NOT NULL,
    request_count bigint NOT NULL,
    error_count bigint NOT NULL,
    usage_count bigint NOT NULL,
    priced_count bigint NOT NULL,
    unpriced_count bigint NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_5m_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL,
    audio_input_tokens bigint NOT NULL,
    visible_output_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    audio_output_tokens bigint NOT NULL,
    prompt_cost_nanousd bigint NOT NULL,
    completion_cost_nanousd bigint NOT NULL,
    total_cost_nanousd bigint NOT NULL,
    reported_cost_nanousd bigint NOT NULL,
    duration_sum bigint NOT NULL,
    duration_min bigint,
    duration_max bigint,
    ttft_count bigint NOT NULL,
    ttft_sum bigint NOT NULL,
    ttft_min bigint,
    ttft_max bigint,
    duration_bins smallint[],
    duration_counts bigint[],
    ttft_bins smallint[],
    ttft_counts bigint[],
    PRIMARY KEY (organisation_id, project_id, bucket)
);

-- Spans that are here already have changed every bucket they are in.
INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
SELECT DISTINCT organisation_id, project_id, grain, date_bin(width, ts, TIMESTAMPTZ '1970-01-01 00:00Z')
FROM llm_traces, (VALUES ('1min', interval '1 minute'), ('1hour', interval '1 hour')) AS grains (grain, width);
