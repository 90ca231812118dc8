-- Rows as narrow as they can be. What follows from the rest of a row is NULL in rollups of many small rows: a fact that is
-- what it is in most rows (as many usages as requests, a total that is prompt and completion, the sum of one duration),
-- and a sketch of one bin. Counts take four bytes.

ALTER TABLE llm_metrics_1min
    ALTER COLUMN span_count DROP NOT NULL,
    ALTER COLUMN span_count TYPE integer USING nullif(coalesce(span_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE integer,
    ALTER COLUMN error_count TYPE integer,
    ALTER COLUMN usage_count TYPE integer USING nullif(coalesce(usage_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN priced_count TYPE integer USING nullif(coalesce(priced_count, 0), coalesce(usage_count, 0)),
    ALTER COLUMN unpriced_count TYPE integer,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, 0), coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, 0), coalesce(duration_max, 0)),
    ALTER COLUMN duration_min TYPE bigint USING nullif(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE integer,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, 0), coalesce(ttft_max, 0)),
    ALTER COLUMN ttft_min TYPE integer USING nullif(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE integer,
    ALTER COLUMN duration_bins TYPE smallint[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_bins END,
    ALTER COLUMN duration_counts TYPE integer[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_bins END,
    ALTER COLUMN ttft_counts TYPE integer[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_counts END;

ALTER TABLE llm_metrics_1hour
    ALTER COLUMN span_count DROP NOT NULL,
    ALTER COLUMN span_count TYPE integer USING nullif(coalesce(span_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE integer,
    ALTER COLUMN error_count TYPE integer,
    ALTER COLUMN usage_count TYPE integer USING nullif(coalesce(usage_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN priced_count TYPE integer USING nullif(coalesce(priced_count, 0), coalesce(usage_count, 0)),
    ALTER COLUMN unpriced_count TYPE integer,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, 0), coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, 0), coalesce(duration_max, 0)),
    ALTER COLUMN duration_min TYPE bigint USING nullif(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE integer,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, 0), coalesce(ttft_max, 0)),
    ALTER COLUMN ttft_min TYPE integer USING nullif(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE integer,
    ALTER COLUMN duration_bins TYPE smallint[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_bins END,
    ALTER COLUMN duration_counts TYPE integer[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_bins END,
    ALTER COLUMN ttft_counts TYPE integer[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_counts END;

ALTER TABLE llm_usage_1hour
    ALTER COLUMN span_count DROP NOT NULL,
    ALTER COLUMN span_count TYPE integer USING nullif(coalesce(span_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE integer,
    ALTER COLUMN error_count TYPE integer,
    ALTER COLUMN usage_count TYPE integer USING nullif(coalesce(usage_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN priced_count TYPE integer USING nullif(coalesce(priced_count, 0), coalesce(usage_count, 0)),
    ALTER COLUMN unpriced_count TYPE integer,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, 0), coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, 0), coalesce(duration_max, 0)),
    ALTER COLUMN duration_min TYPE bigint USING nullif(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE integer,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, 0), coalesce(ttft_max, 0)),
    ALTER COLUMN ttft_min TYPE integer USING nullif(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE integer;

ALTER TABLE llm_metrics_1day
    ALTER COLUMN span_count DROP NOT NULL,
    ALTER COLUMN span_count TYPE integer USING nullif(coalesce(span_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE integer,
    ALTER COLUMN error_count TYPE integer,
    ALTER COLUMN usage_count TYPE integer USING nullif(coalesce(usage_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN priced_count TYPE integer USING nullif(coalesce(priced_count, 0), coalesce(usage_count, 0)),
    ALTER COLUMN unpriced_count TYPE integer,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, 0), coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, 0), coalesce(duration_max, 0)),
    ALTER COLUMN duration_min TYPE bigint USING nullif(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE integer,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, 0), coalesce(ttft_max, 0)),
    ALTER COLUMN ttft_min TYPE integer USING nullif(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE integer,
    ALTER COLUMN duration_bins TYPE smallint[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_bins END,
    ALTER COLUMN duration_counts TYPE integer[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_bins END,
    ALTER COLUMN ttft_counts TYPE integer[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_counts END;

ALTER TABLE llm_usage_1day
    ALTER COLUMN span_count DROP NOT NULL,
    ALTER COLUMN span_count TYPE integer USING nullif(coalesce(span_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN request_count TYPE integer,
    ALTER COLUMN error_count TYPE integer,
    ALTER COLUMN usage_count TYPE integer USING nullif(coalesce(usage_count, 0), coalesce(request_count, 0)),
    ALTER COLUMN priced_count TYPE integer USING nullif(coalesce(priced_count, 0), coalesce(usage_count, 0)),
    ALTER COLUMN unpriced_count TYPE integer,
    ALTER COLUMN total_cost_nanousd TYPE bigint USING nullif(coalesce(total_cost_nanousd, 0), coalesce(prompt_cost_nanousd, 0) + coalesce(completion_cost_nanousd, 0)),
    ALTER COLUMN duration_sum TYPE bigint USING nullif(coalesce(duration_sum, 0), coalesce(duration_max, 0)),
    ALTER COLUMN duration_min TYPE bigint USING nullif(duration_min, duration_max),
    ALTER COLUMN ttft_count TYPE integer,
    ALTER COLUMN ttft_sum TYPE bigint USING nullif(coalesce(ttft_sum, 0), coalesce(ttft_max, 0)),
    ALTER COLUMN ttft_min TYPE integer USING nullif(ttft_min, ttft_max),
    ALTER COLUMN ttft_max TYPE integer,
    ALTER COLUMN duration_bins TYPE smallint[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_bins END,
    ALTER COLUMN duration_counts TYPE integer[] USING CASE WHEN cardinality(duration_bins) > 1 THEN duration_counts END,
    ALTER COLUMN ttft_bins TYPE smallint[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_bins END,
    ALTER COLUMN ttft_counts TYPE integer[] USING CASE WHEN cardinality(ttft_bins) > 1 THEN ttft_counts END;

-- Five minutes of busy projects, of which their hours are made. They can be made anew of spans, so no log is written for
-- them; after a crash they are empty.
CREATE UNLOGGED TABLE llm_metrics_5min (LIKE llm_metrics_1hour);
CREATE INDEX llm_metrics_5min_by_bucket ON llm_metrics_5min (organisation_id, project_id, bucket);
CREATE UNLOGGED TABLE llm_usage_5min (LIKE llm_usage_1hour);
CREATE INDEX llm_usage_5min_by_bucket ON llm_usage_5min (organisation_id, project_id, bucket);
