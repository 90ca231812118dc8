DROP INDEX llm_metrics_1hour_by_bucket;
ALTER TABLE llm_metrics_1hour ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, status_code, error_type);

DROP INDEX llm_metrics_1day_by_bucket;
ALTER TABLE llm_metrics_1day ADD PRIMARY KEY (organisation_id, project_id, bucket, provider, model, environment, service_name, operation_name, status_code, error_type);

DROP INDEX llm_usage_1hour_by_bucket;
ALTER TABLE llm_usage_1hour ADD PRIMARY KEY (organisation_id, project_id, bucket, user_id, team_id, provider, model, environment);

DROP INDEX llm_usage_1day_by_bucket;
ALTER TABLE llm_usage_1day ADD PRIMARY KEY (organisation_id, project_id, bucket, user_id, team_id, provider, model, environment);

UPDATE llm_metrics_1min SET
    request_count = coalesce(request_count, 0),
    error_count = coalesce(error_count, 0),
    usage_count = coalesce(usage_count, 0),
    priced_count = coalesce(priced_count, 0),
    unpriced_count = coalesce(unpriced_count, 0),
    uncached_input_tokens = coalesce(uncached_input_tokens, 0),
    cache_read_tokens = coalesce(cache_read_tokens, 0),
    cache_write_5m_tokens = coalesce(cache_write_5m_tokens, 0),
    cache_write_1h_tokens = coalesce(cache_write_1h_tokens, 0),
    audio_input_tokens = coalesce(audio_input_tokens, 0),
    visible_output_tokens = coalesce(visible_output_tokens, 0),
    reasoning_tokens = coalesce(reasoning_tokens, 0),
    audio_output_tokens = coalesce(audio_output_tokens, 0),
    prompt_cost_nanousd = coalesce(prompt_cost_nanousd, 0),
    completion_cost_nanousd = coalesce(completion_cost_nanousd, 0),
    total_cost_nanousd = coalesce(total_cost_nanousd, 0),
    reported_cost_nanousd = coalesce(reported_cost_nanousd, 0),
    duration_sum = coalesce(duration_sum, 0),
    ttft_count = coalesce(ttft_count, 0),
    ttft_sum = coalesce(ttft_sum, 0),
    duration_counts = CASE WHEN duration_bins IS NOT NULL
        THEN coalesce(duration_counts, array_fill(1::bigint, ARRAY[cardinality(duration_bins)])) END,
    ttft_counts = CASE WHEN ttft_bins IS NOT NULL
        THEN coalesce(ttft_counts, array_fill(1::bigint, ARRAY[cardinality(ttft_bins)])) END;
ALTER TABLE llm_metrics_1min
    ALTER COLUMN request_count SET NOT NULL,
    ALTER COLUMN error_count SET NOT NULL,
    ALTER COLUMN usage_count SET NOT NULL,
    ALTER COLUMN priced_count SET NOT NULL,
    ALTER COLUMN unpriced_count SET NOT NULL,
    ALTER COLUMN uncached_input_tokens SET NOT NULL,
    ALTER COLUMN cache_read_tokens SET NOT NULL,
    ALTER COLUMN cache_write_5m_tokens SET NOT NULL,
    ALTER COLUMN cache_write_1h_tokens SET NOT NULL,
    ALTER COLUMN audio_input_tokens SET NOT NULL,
    ALTER COLUMN visible_output_tokens SET NOT NULL,
    ALTER COLUMN reasoning_tokens SET NOT NULL,
    ALTER COLUMN audio_output_tokens SET NOT NULL,
    ALTER COLUMN prompt_cost_nanousd SET NOT NULL,
    ALTER COLUMN completion_cost_nanousd SET NOT NULL,
    ALTER COLUMN total_cost_nanousd SET NOT NULL,
    ALTER COLUMN reported_cost_nanousd SET NOT NULL,
    ALTER COLUMN duration_sum SET NOT NULL,
    ALTER COLUMN ttft_count SET NOT NULL,
    ALTER COLUMN ttft_sum SET NOT NULL;

UPDATE llm_metrics_1hour SET
    request_count = coalesce(request_count, 0),
    error_count = coalesce(error_count, 0),
    usage_count = coalesce(usage_count, 0),
    priced_count = coalesce(priced_count, 0),
    unpriced_count = coalesce(unpriced_count, 0),
    uncached_input_tokens = coalesce(uncached_input_tokens, 0),
    cache_read_tokens = coalesce(cache_read_tokens, 0),
    cache_write_5m_tokens = coalesce(cache_write_5m_tokens, 0),
    cache_write_1h_tokens = coalesce(cache_write_1h_tokens, 0),
    audio_input_tokens = coalesce(audio_input_tokens, 0),
    visible_output_tokens = coalesce(visible_output_tokens, 0),
    reasoning_tokens = coalesce(reasoning_tokens, 0),
    audio_output_tokens = coalesce(audio_output_tokens, 0),
    prompt_cost_nanousd = coalesce(prompt_cost_nanousd, 0),
    completion_cost_nanousd = coalesce(completion_cost_nanousd, 0),
    total_cost_nanousd = coalesce(total_cost_nanousd, 0),
    reported_cost_nanousd = coalesce(reported_cost_nanousd, 0),
    duration_sum = coalesce(duration_sum, 0),
    ttft_count = coalesce(ttft_count, 0),
    ttft_sum = coalesce(ttft_sum, 0),
    duration_counts = CASE WHEN duration_bins IS NOT NULL
        THEN coalesce(duration_counts, array_fill(1::bigint, ARRAY[cardinality(duration_bins)])) END,
    ttft_counts = CASE WHEN ttft_bins IS NOT NULL
        THEN coalesce(ttft_counts, array_fill(1::bigint, ARRAY[cardinality(ttft_bins)])) END;
ALTER TABLE llm_metrics_1hour
    ALTER COLUMN request_count SET NOT NULL,
    ALTER COLUMN error_count SET NOT NULL,
    ALTER COLUMN usage_count SET NOT NULL,
    ALTER COLUMN priced_count SET NOT NULL,
    ALTER COLUMN unpriced_count SET NOT NULL,
    ALTER COLUMN uncached_input_tokens SET NOT NULL,
    ALTER COLUMN cache_read_tokens SET NOT NULL,
    ALTER COLUMN cache_write_5m_tokens SET NOT NULL,
    ALTER COLUMN cache_write_1h_tokens SET NOT NULL,
    ALTER COLUMN audio_input_tokens SET NOT NULL,
    ALTER COLUMN visible_output_tokens SET NOT NULL,
    ALTER COLUMN reasoning_tokens SET NOT NULL,
    ALTER COLUMN audio_output_tokens SET NOT NULL,
    ALTER COLUMN prompt_cost_nanousd SET NOT NULL,
    ALTER COLUMN completion_cost_nanousd SET NOT NULL,
    ALTER COLUMN total_cost_nanousd SET NOT NULL,
    ALTER COLUMN reported_cost_nanousd SET NOT NULL,
    ALTER COLUMN duration_sum SET NOT NULL,
    ALTER COLUMN ttft_count SET NOT NULL,
    ALTER COLUMN ttft_sum SET NOT NULL;

UPDATE llm_metrics_1day SET
    request_count = coalesce(request_count, 0),
    error_count = coalesce(error_count, 0),
    usage_count = coalesce(usage_count, 0),
    priced_count = coalesce(priced_count, 0),
    unpriced_count = coalesce(unpriced_count, 0),
    uncached_input_tokens = coalesce(uncached_input_tokens, 0),
    cache_read_tokens = coalesce(cache_read_tokens, 0),
    cache_write_5m_tokens = coalesce(cache_write_5m_tokens, 0),
    cache_write_1h_tokens = coalesce(cache_write_1h_tokens, 0),
    audio_input_tokens = coalesce(audio_input_tokens, 0),
    visible_output_tokens = coalesce(visible_output_tokens, 0),
    reasoning_tokens = coalesce(reasoning_tokens, 0),
    audio_output_tokens = coalesce(audio_output_tokens, 0),
    prompt_cost_nanousd = coalesce(prompt_cost_nanousd, 0),
    completion_cost_nanousd = coalesce(completion_cost_nanousd, 0),
    total_cost_nanousd = coalesce(total_cost_nanousd, 0),
    reported_cost_nanousd = coalesce(reported_cost_nanousd, 0),
    duration_sum = coalesce(duration_sum, 0),
    ttft_count = coalesce(ttft_count, 0),
    ttft_sum = coalesce(ttft_sum, 0),
    duration_counts = CASE WHEN duration_bins IS NOT NULL
        THEN coalesce(duration_counts, array_fill(1::bigint, ARRAY[cardinality(duration_bins)])) END,
    ttft_counts = CASE WHEN ttft_bins IS NOT NULL
        THEN coalesce(ttft_counts, array_fill(1::bigint, ARRAY[cardinality(ttft_bins)])) END;
ALTER TABLE llm_metrics_1day
    ALTER COLUMN request_count SET NOT NULL,
    ALTER COLUMN error_count SET NOT NULL,
    ALTER COLUMN usage_count SET NOT NULL,
    ALTER COLUMN priced_count SET NOT NULL,
    ALTER COLUMN unpriced_count SET NOT NULL,
    ALTER COLUMN uncached_input_tokens SET NOT NULL,
    ALTER COLUMN cache_read_tokens SET NOT NULL,
    ALTER COLUMN cache_write_5m_tokens SET NOT NULL,
    ALTER COLUMN cache_write_1h_tokens SET NOT NULL,
    ALTER COLUMN audio_input_tokens SET NOT NULL,
    ALTER COLUMN visible_output_tokens SET NOT NULL,
    ALTER COLUMN reasoning_tokens SET NOT NULL,
    ALTER COLUMN audio_output_tokens SET NOT NULL,
    ALTER COLUMN prompt_cost_nanousd SET NOT NULL,
    ALTER COLUMN completion_cost_nanousd SET NOT NULL,
    ALTER COLUMN total_cost_nanousd SET NOT NULL,
    ALTER COLUMN reported_cost_nanousd SET NOT NULL,
    ALTER COLUMN duration_sum SET NOT NULL,
    ALTER COLUMN ttft_count SET NOT NULL,
    ALTER COLUMN ttft_sum SET NOT NULL;

UPDATE llm_usage_1day SET
    duration_counts = CASE WHEN duration_bins IS NOT NULL
        THEN coalesce(duration_counts, array_fill(1::bigint, ARRAY[cardinality(duration_bins)])) END,
    ttft_counts = CASE WHEN ttft_bins IS NOT NULL
        THEN coalesce(ttft_counts, array_fill(1::bigint, ARRAY[cardinality(ttft_bins)])) END;

UPDATE llm_totals_1hour SET
    duration_counts = CASE WHEN duration_bins IS NOT NULL
        THEN coalesce(duration_counts, array_fill(1::bigint, ARRAY[cardinality(duration_bins)])) END,
    ttft_counts = CASE WHEN ttft_bins IS NOT NULL
        THEN coalesce(ttft_counts, array_fill(1::bigint, ARRAY[cardinality(ttft_bins)])) END;

UPDATE llm_totals_1day SET
    duration_counts = CASE WHEN duration_bins IS NOT NULL
        THEN coalesce(duration_counts, array_fill(1::bigint, ARRAY[cardinality(duration_bins)])) END,
    ttft_counts = CASE WHEN ttft_bins IS NOT NULL
        THEN coalesce(ttft_counts, array_fill(1::bigint, ARRAY[cardinality(ttft_bins)])) END;

CREATE OR REPLACE FUNCTION observatory_bin(milliseconds bigint) RETURNS smallint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN milliseconds <= 1 THEN 0
        ELSE least(303, ceil(ln(milliseconds::float8) / ln(1.025::float8 / 0.975::float8) - 1e-12))
    END::smallint
$$;

CREATE OR REPLACE FUNCTION observatory_register(value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ((hash >> 49) & 32767)::integer * 64
        + coalesce(nullif(position(B'1' IN substring(hash::bit(64) FROM 16)), 0), 50)
    FROM hashtextextended(value, 0) AS hash
$$;
