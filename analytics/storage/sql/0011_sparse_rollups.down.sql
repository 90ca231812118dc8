DROP TABLE llm_usage_5min;
DROP TABLE llm_metrics_5min;

ALTER TABLE llm_metrics_1min
    ALTER COLUMN span_count TYPE bigint USING coalesce(span_count, coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE bigint,
    ALTER COLUMN error_count TYPE bigint,
    ALTER COLUMN usage_count TYPE bigint USING nullif(coalesce(usage_count, coalesce(request_count, 0)), 0),
    ALTER COLUMN priced_count TYPE bigint USING nullif(coalesce(priced_count, coalesce(usage_count, coalesce(request_count, 0))), 0),
    ALTER COLUMN unpriced_count TYPE bigint,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)), 0),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, coalesce(duration_max, 0)), 0),
    ALTER COLUMN duration_min TYPE bigint USING coalesce(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE bigint,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, coalesce(ttft_max, 0)), 0),
    ALTER COLUMN ttft_min TYPE bigint USING coalesce(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE bigint,
    ALTER COLUMN duration_bins TYPE smallint[]
        USING coalesce(duration_bins, CASE WHEN duration_max IS NOT NULL THEN ARRAY[observatory_bin(duration_max)] END),
    ALTER COLUMN duration_counts TYPE bigint[]
        USING CASE WHEN duration_bins IS NULL AND request_count > 1 THEN ARRAY[request_count] ELSE duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[]
        USING coalesce(ttft_bins, CASE WHEN ttft_max IS NOT NULL THEN ARRAY[observatory_bin(ttft_max)] END),
    ALTER COLUMN ttft_counts TYPE bigint[]
        USING CASE WHEN ttft_bins IS NULL AND ttft_count > 1 THEN ARRAY[ttft_count] ELSE ttft_counts END;
ALTER TABLE llm_metrics_1min ALTER COLUMN span_count SET NOT NULL;

ALTER TABLE llm_metrics_1hour
    ALTER COLUMN span_count TYPE bigint USING coalesce(span_count, coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE bigint,
    ALTER COLUMN error_count TYPE bigint,
    ALTER COLUMN usage_count TYPE bigint USING nullif(coalesce(usage_count, coalesce(request_count, 0)), 0),
    ALTER COLUMN priced_count TYPE bigint USING nullif(coalesce(priced_count, coalesce(usage_count, coalesce(request_count, 0))), 0),
    ALTER COLUMN unpriced_count TYPE bigint,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)), 0),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, coalesce(duration_max, 0)), 0),
    ALTER COLUMN duration_min TYPE bigint USING coalesce(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE bigint,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, coalesce(ttft_max, 0)), 0),
    ALTER COLUMN ttft_min TYPE bigint USING coalesce(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE bigint,
    ALTER COLUMN duration_bins TYPE smallint[]
        USING coalesce(duration_bins, CASE WHEN duration_max IS NOT NULL THEN ARRAY[observatory_bin(duration_max)] END),
    ALTER COLUMN duration_counts TYPE bigint[]
        USING CASE WHEN duration_bins IS NULL AND request_count > 1 THEN ARRAY[request_count] ELSE duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[]
        USING coalesce(ttft_bins, CASE WHEN ttft_max IS NOT NULL THEN ARRAY[observatory_bin(ttft_max)] END),
    ALTER COLUMN ttft_counts TYPE bigint[]
        USING CASE WHEN ttft_bins IS NULL AND ttft_count > 1 THEN ARRAY[ttft_count] ELSE ttft_counts END;
ALTER TABLE llm_metrics_1hour ALTER COLUMN span_count SET NOT NULL;

ALTER TABLE llm_usage_1hour
    ALTER COLUMN span_count TYPE bigint USING coalesce(span_count, coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE bigint,
    ALTER COLUMN error_count TYPE bigint,
    ALTER COLUMN usage_count TYPE bigint USING nullif(coalesce(usage_count, coalesce(request_count, 0)), 0),
    ALTER COLUMN priced_count TYPE bigint USING nullif(coalesce(priced_count, coalesce(usage_count, coalesce(request_count, 0))), 0),
    ALTER COLUMN unpriced_count TYPE bigint,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)), 0),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, coalesce(duration_max, 0)), 0),
    ALTER COLUMN duration_min TYPE bigint USING coalesce(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE bigint,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, coalesce(ttft_max, 0)), 0),
    ALTER COLUMN ttft_min TYPE bigint USING coalesce(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE bigint;
ALTER TABLE llm_usage_1hour ALTER COLUMN span_count SET NOT NULL;

ALTER TABLE llm_metrics_1day
    ALTER COLUMN span_count TYPE bigint USING coalesce(span_count, coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE bigint,
    ALTER COLUMN error_count TYPE bigint,
    ALTER COLUMN usage_count TYPE bigint USING nullif(coalesce(usage_count, coalesce(request_count, 0)), 0),
    ALTER COLUMN priced_count TYPE bigint USING nullif(coalesce(priced_count, coalesce(usage_count, coalesce(request_count, 0))), 0),
    ALTER COLUMN unpriced_count TYPE bigint,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)), 0),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, coalesce(duration_max, 0)), 0),
    ALTER COLUMN duration_min TYPE bigint USING coalesce(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE bigint,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, coalesce(ttft_max, 0)), 0),
    ALTER COLUMN ttft_min TYPE bigint USING coalesce(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE bigint,
    ALTER COLUMN duration_bins TYPE smallint[]
        USING coalesce(duration_bins, CASE WHEN duration_max IS NOT NULL THEN ARRAY[observatory_bin(duration_max)] END),
    ALTER COLUMN duration_counts TYPE bigint[]
        USING CASE WHEN duration_bins IS NULL AND request_count > 1 THEN ARRAY[request_count] ELSE duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[]
        USING coalesce(ttft_bins, CASE WHEN ttft_max IS NOT NULL THEN ARRAY[observatory_bin(ttft_max)] END),
    ALTER COLUMN ttft_counts TYPE bigint[]
        USING CASE WHEN ttft_bins IS NULL AND ttft_count > 1 THEN ARRAY[ttft_count] ELSE ttft_counts END;
ALTER TABLE llm_metrics_1day ALTER COLUMN span_count SET NOT NULL;

ALTER TABLE llm_usage_1day
    ALTER COLUMN span_count TYPE bigint USING coalesce(span_count, coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE bigint,
    ALTER COLUMN error_count TYPE bigint,
    ALTER COLUMN usage_count TYPE bigint USING nullif(coalesce(usage_count, coalesce(request_count, 0)), 0),
    ALTER COLUMN priced_count TYPE bigint USING nullif(coalesce(priced_count, coalesce(usage_count, coalesce(request_count, 0))), 0),
    ALTER COLUMN unpriced_count TYPE bigint,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)), 0),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, coalesce(duration_max, 0)), 0),
    ALTER COLUMN duration_min TYPE bigint USING coalesce(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE bigint,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, coalesce(ttft_max, 0)), 0),
    ALTER COLUMN ttft_min TYPE bigint USING coalesce(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE bigint,
    ALTER COLUMN duration_bins TYPE smallint[]
        USING coalesce(duration_bins, CASE WHEN duration_max IS NOT NULL THEN ARRAY[observatory_bin(duration_max)] END),
    ALTER COLUMN duration_counts TYPE bigint[]
        USING CASE WHEN duration_bins IS NULL AND request_count > 1 THEN ARRAY[request_count] ELSE duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[]
        USING coalesce(ttft_bins, CASE WHEN ttft_max IS NOT NULL THEN ARRAY[observatory_bin(ttft_max)] END),
    ALTER COLUMN ttft_counts TYPE bigint[]
        USING CASE WHEN ttft_bins IS NULL AND ttft_count > 1 THEN ARRAY[ttft_count] ELSE ttft_counts END;
ALTER TABLE llm_usage_1day ALTER COLUMN span_count SET NOT NULL;

DELETE FROM bucket_change WHERE grain = '5min';
