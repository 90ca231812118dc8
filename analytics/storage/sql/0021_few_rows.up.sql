-- Few rows for what is asked most, so that an answer takes as long over many spans as over few.

-- The sum of whole numbers as a whole number: PostgreSQL's own is an arbitrary one, which takes five times the memory and
-- the time. What does not fit in eight bytes ends with an error, as its cast did.
CREATE AGGREGATE observatory_sum(bigint) (
    SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE
);

-- One row a project, five minutes and what models did: for the ends of a range by labels and the open hour.
CREATE TABLE llm_models_5min (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    environment text NOT NULL,
    operation_name text NOT NULL,
    status_code text NOT NULL,
    error_type text NOT NULL,
    span_count integer,
    request_count integer,
    error_count integer,
    usage_count integer,
    priced_count integer,
    unpriced_count integer,
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
    ttft_count integer,
    ttft_sum bigint,
    ttft_min integer,
    ttft_max integer
);
CREATE INDEX llm_models_5min_by_bucket ON llm_models_5min (organisation_id, project_id, bucket);

-- The same by day: made of rows that also tell services apart, of which there are many more.
CREATE TABLE llm_models_1day (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    bucket timestamptz NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    environment text NOT NULL,
    operation_name text NOT NULL,
    status_code text NOT NULL,
    error_type text NOT NULL,
    span_count integer,
    request_count integer,
    error_count integer,
    usage_count integer,
    priced_count integer,
    unpriced_count integer,
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
    ttft_count integer,
    ttft_sum bigint,
    ttft_min integer,
    ttft_max integer,
    duration_bins smallint[],
    duration_counts integer[],
    ttft_bins smallint[],
    ttft_counts integer[]
);
CREATE INDEX llm_models_1day_by_bucket ON llm_models_1day (organisation_id, project_id, bucket);

-- Marks of slices have a name of their own now.
UPDATE bucket_change SET grain = 'slice' WHERE grain = '5min';

-- A day of spans does not go while five minutes of it wait to be made anew.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT pg_get_functiondef(oid) AS said FROM pg_proc
        WHERE proname IN ('observatory_drop_partition', 'observatory_drop_partition_plain')
    LOOP
        EXECUTE replace(one.said, '''1min'', ''1hour''', '''1min'', ''5min'', ''1hour''');
    END LOOP;
END $$;

-- They are complete from tomorrow on; what was before, rollups with more rows tell, and spans.
INSERT INTO retention_horizons (kind, organisation_id, project_id, kept_since)
SELECT kind, 0, 0, (date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
FROM (VALUES ('model_day'), ('recent')) AS known (kind)
WHERE EXISTS (SELECT FROM llm_traces);
