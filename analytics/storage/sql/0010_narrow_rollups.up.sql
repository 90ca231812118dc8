-- Narrow rows: a sum of 0 is NULL, and counts of a sketch are NULL where each is 1, as most rows stand for few spans.
ALTER TABLE llm_metrics_1min
    ALTER COLUMN request_count DROP NOT NULL,
    ALTER COLUMN error_count DROP NOT NULL,
    ALTER COLUMN usage_count DROP NOT NULL,
    ALTER COLUMN priced_count DROP NOT NULL,
    ALTER COLUMN unpriced_count DROP NOT NULL,
    ALTER COLUMN uncached_input_tokens DROP NOT NULL,
    ALTER COLUMN cache_read_tokens DROP NOT NULL,
    ALTER COLUMN cache_write_5m_tokens DROP NOT NULL,
    ALTER COLUMN cache_write_1h_tokens DROP NOT NULL,
    ALTER COLUMN audio_input_tokens DROP NOT NULL,
    ALTER COLUMN visible_output_tokens DROP NOT NULL,
    ALTER COLUMN reasoning_tokens DROP NOT NULL,
    ALTER COLUMN audio_output_tokens DROP NOT NULL,
    ALTER COLUMN prompt_cost_nanousd DROP NOT NULL,
    ALTER COLUMN completion_cost_nanousd DROP NOT NULL,
    ALTER COLUMN total_cost_nanousd DROP NOT NULL,
    ALTER COLUMN reported_cost_nanousd DROP NOT NULL,
    ALTER COLUMN duration_sum DROP NOT NULL,
    ALTER COLUMN ttft_count DROP NOT NULL,
    ALTER COLUMN ttft_sum DROP NOT NULL;

UPDATE llm_metrics_1min SET
    request_count = nullif(request_count, 0),
    error_count = nullif(error_count, 0),
    usage_count = nullif(usage_count, 0),
    priced_count = nullif(priced_count, 0),
    unpriced_count = nullif(unpriced_count, 0),
    uncached_input_tokens = nullif(uncached_input_tokens, 0),
    cache_read_tokens = nullif(cache_read_tokens, 0),
    cache_write_5m_tokens = nullif(cache_write_5m_tokens, 0),
    cache_write_1h_tokens = nullif(cache_write_1h_tokens, 0),
    audio_input_tokens = nullif(audio_input_tokens, 0),
    visible_output_tokens = nullif(visible_output_tokens, 0),
    reasoning_tokens = nullif(reasoning_tokens, 0),
    audio_output_tokens = nullif(audio_output_tokens, 0),
    prompt_cost_nanousd = nullif(prompt_cost_nanousd, 0),
    completion_cost_nanousd = nullif(completion_cost_nanousd, 0),
    total_cost_nanousd = nullif(total_cost_nanousd, 0),
    reported_cost_nanousd = nullif(reported_cost_nanousd, 0),
    duration_sum = nullif(duration_sum, 0),
    ttft_count = nullif(ttft_count, 0),
    ttft_sum = nullif(ttft_sum, 0),
    duration_counts = CASE WHEN 1 <> ANY (duration_counts) THEN duration_counts END,
    ttft_counts = CASE WHEN 1 <> ANY (ttft_counts) THEN ttft_counts END;

ALTER TABLE llm_metrics_1hour
    ALTER COLUMN request_count DROP NOT NULL,
    ALTER COLUMN error_count DROP NOT NULL,
    ALTER COLUMN usage_count DROP NOT NULL,
    ALTER COLUMN priced_count DROP NOT NULL,
    ALTER COLUMN unpriced_count DROP NOT NULL,
    ALTER COLUMN uncached_input_tokens DROP NOT NULL,
    ALTER COLUMN cache_read_tokens DROP NOT NULL,
    ALTER COLUMN cache_write_5m_tokens DROP NOT NULL,
    ALTER COLUMN cache_write_1h_tokens DROP NOT NULL,
    ALTER COLUMN audio_input_tokens DROP NOT NULL,
    ALTER COLUMN visible_output_tokens DROP NOT NULL,
    ALTER COLUMN reasoning_tokens DROP NOT NULL,
    ALTER COLUMN audio_output_tokens DROP NOT NULL,
    ALTER COLUMN prompt_cost_nanousd DROP NOT NULL,
    ALTER COLUMN completion_cost_nanousd DROP NOT NULL,
    ALTER COLUMN total_cost_nanousd DROP NOT NULL,
    ALTER COLUMN reported_cost_nanousd DROP NOT NULL,
    ALTER COLUMN duration_sum DROP NOT NULL,
    ALTER COLUMN ttft_count DROP NOT NULL,
    ALTER COLUMN ttft_sum DROP NOT NULL;

UPDATE llm_metrics_1hour SET
    request_count = nullif(request_count, 0),
    error_count = nullif(error_count, 0),
    usage_count = nullif(usage_count, 0),
    priced_count = nullif(priced_count, 0),
    unpriced_count = nullif(unpriced_count, 0),
    uncached_input_tokens = nullif(uncached_input_tokens, 0),
    cache_read_tokens = nullif(cache_read_tokens, 0),
    cache_write_5m_tokens = nullif(cache_write_5m_tokens, 0),
    cache_write_1h_tokens = nullif(cache_write_1h_tokens, 0),
    audio_input_tokens = nullif(audio_input_tokens, 0),
    visible_output_tokens = nullif(visible_output_tokens, 0),
    reasoning_tokens = nullif(reasoning_tokens, 0),
    audio_output_tokens = nullif(audio_output_tokens, 0),
    prompt_cost_nanousd = nullif(prompt_cost_nanousd, 0),
    completion_cost_nanousd = nullif(completion_cost_nanousd, 0),
    total_cost_nanousd = nullif(total_cost_nanousd, 0),
    reported_cost_nanousd = nullif(reported_cost_nanousd, 0),
    duration_sum = nullif(duration_sum, 0),
    ttft_count = nullif(ttft_count, 0),
    ttft_sum = nullif(ttft_sum, 0),
    duration_counts = CASE WHEN 1 <> ANY (duration_counts) THEN duration_counts END,
    ttft_counts = CASE WHEN 1 <> ANY (ttft_counts) THEN ttft_counts END;

ALTER TABLE llm_metrics_1day
    ALTER COLUMN request_count DROP NOT NULL,
    ALTER COLUMN error_count DROP NOT NULL,
    ALTER COLUMN usage_count DROP NOT NULL,
    ALTER COLUMN priced_count DROP NOT NULL,
    ALTER COLUMN unpriced_count DROP NOT NULL,
    ALTER COLUMN uncached_input_tokens DROP NOT NULL,
    ALTER COLUMN cache_read_tokens DROP NOT NULL,
    ALTER COLUMN cache_write_5m_tokens DROP NOT NULL,
    ALTER COLUMN cache_write_1h_tokens DROP NOT NULL,
    ALTER COLUMN audio_input_tokens DROP NOT NULL,
    ALTER COLUMN visible_output_tokens DROP NOT NULL,
    ALTER COLUMN reasoning_tokens DROP NOT NULL,
    ALTER COLUMN audio_output_tokens DROP NOT NULL,
    ALTER COLUMN prompt_cost_nanousd DROP NOT NULL,
    ALTER COLUMN completion_cost_nanousd DROP NOT NULL,
    ALTER COLUMN total_cost_nanousd DROP NOT NULL,
    ALTER COLUMN reported_cost_nanousd DROP NOT NULL,
    ALTER COLUMN duration_sum DROP NOT NULL,
    ALTER COLUMN ttft_count DROP NOT NULL,
    ALTER COLUMN ttft_sum DROP NOT NULL;

UPDATE llm_metrics_1day SET
    request_count = nullif(request_count, 0),
    error_count = nullif(error_count, 0),
    usage_count = nullif(usage_count, 0),
    priced_count = nullif(priced_count, 0),
    unpriced_count = nullif(unpriced_count, 0),
    uncached_input_tokens = nullif(uncached_input_tokens, 0),
    cache_read_tokens = nullif(cache_read_tokens, 0),
    cache_write_5m_tokens = nullif(cache_write_5m_tokens, 0),
    cache_write_1h_tokens = nullif(cache_write_1h_tokens, 0),
    audio_input_tokens = nullif(audio_input_tokens, 0),
    visible_output_tokens = nullif(visible_output_tokens, 0),
    reasoning_tokens = nullif(reasoning_tokens, 0),
    audio_output_tokens = nullif(audio_output_tokens, 0),
    prompt_cost_nanousd = nullif(prompt_cost_nanousd, 0),
    completion_cost_nanousd = nullif(completion_cost_nanousd, 0),
    total_cost_nanousd = nullif(total_cost_nanousd, 0),
    reported_cost_nanousd = nullif(reported_cost_nanousd, 0),
    duration_sum = nullif(duration_sum, 0),
    ttft_count = nullif(ttft_count, 0),
    ttft_sum = nullif(ttft_sum, 0),
    duration_counts = CASE WHEN 1 <> ANY (duration_counts) THEN duration_counts END,
    ttft_counts = CASE WHEN 1 <> ANY (ttft_counts) THEN ttft_counts END;

UPDATE llm_usage_1day SET
    duration_counts = CASE WHEN 1 <> ANY (duration_counts) THEN duration_counts END,
    ttft_counts = CASE WHEN 1 <> ANY (ttft_counts) THEN ttft_counts END;

UPDATE llm_totals_1hour SET
    duration_counts = CASE WHEN 1 <> ANY (duration_counts) THEN duration_counts END,
    ttft_counts = CASE WHEN 1 <> ANY (ttft_counts) THEN ttft_counts END;

UPDATE llm_totals_1day SET
    duration_counts = CASE WHEN 1 <> ANY (duration_counts) THEN duration_counts END,
    ttft_counts = CASE WHEN 1 <> ANY (ttft_counts) THEN ttft_counts END;

-- Every question is about buckets of a project, and rows are made and deleted a bucket at a time under the lock of
-- their grain: the labels in the key were a third of all bytes, and never looked for.

ALTER TABLE llm_metrics_1hour DROP CONSTRAINT llm_metrics_1hour_pkey;
CREATE INDEX llm_metrics_1hour_by_bucket ON llm_metrics_1hour (organisation_id, project_id, bucket);

ALTER TABLE llm_metrics_1day DROP CONSTRAINT llm_metrics_1day_pkey;
CREATE INDEX llm_metrics_1day_by_bucket ON llm_metrics_1day (organisation_id, project_id, bucket);

ALTER TABLE llm_usage_1hour DROP CONSTRAINT llm_usage_1hour_pkey;
CREATE INDEX llm_usage_1hour_by_bucket ON llm_usage_1hour (organisation_id, project_id, bucket);

ALTER TABLE llm_usage_1day DROP CONSTRAINT llm_usage_1day_pkey;
CREATE INDEX llm_usage_1day_by_bucket ON llm_usage_1day (organisation_id, project_id, bucket);

-- The same bins, in words that the planner can put in place of the call: a strict function whose body is not is called
-- row by row, which was half the cost of a refresh.
CREATE OR REPLACE FUNCTION observatory_bin(milliseconds bigint) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN milliseconds <= 1 THEN 0
        WHEN milliseconds > 1
            THEN least(303, ceil(ln(milliseconds::float8) / ln(1.025::float8 / 0.975::float8) - 1e-12))
    END::smallint
$$;

CREATE OR REPLACE FUNCTION observatory_register(value text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((hashtextextended(value, 0) >> 49) & 32767)::integer * 64
        + coalesce(nullif(position(B'1' IN substring(hashtextextended(value, 0)::bit(64) FROM 16)), 0), 50)
$$;
