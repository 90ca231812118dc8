-- Narrow span rows: ids, times, labels, disjoint token parts, costs in nano-dollars. One partition a UTC day.
CREATE TABLE llm_traces (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    ts timestamptz NOT NULL,
    ingested_at timestamptz NOT NULL,
    duration_ms bigint NOT NULL,
    prompt_cost_nanousd bigint,
    completion_cost_nanousd bigint,
    total_cost_nanousd bigint,
    reported_cost_nanousd bigint,
    price_id integer,
    ttft_ms integer,
    uncached_input_tokens integer,
    cache_read_tokens integer,
    cache_write_5m_tokens integer,
    cache_write_1h_tokens integer,
    audio_input_tokens integer,
    visible_output_tokens integer,
    reasoning_tokens integer,
    audio_output_tokens integer,
    usage_counted boolean NOT NULL,
    call_counted boolean NOT NULL,
    streamed boolean,
    trace_id bytea NOT NULL,
    span_id bytea NOT NULL,
    parent_span_id bytea,
    span_name text NOT NULL,
    span_kind text NOT NULL,
    status_code text NOT NULL,
    service_name text,
    operation_name text,
    provider text,
    model text,
    response_model text,
    environment text,
    user_id text,
    session_id text,
    team_id text,
    error_type text,
    finish_reason text,
    unpriced_reason text,
    prompt_name text,
    tool_name text,
    agent_name text,
    workflow_name text,
    -- Lists newest first by keyset, and every time range of one project.
    PRIMARY KEY (organisation_id, project_id, ts, trace_id, span_id)
) PARTITION BY RANGE (ts);

-- The spans of one trace, after trace_index told its time range.
CREATE INDEX llm_traces_by_trace ON llm_traces (organisation_id, project_id, trace_id);

-- Wide content of a span, partitioned alike; it may age before the numbers.
CREATE TABLE llm_contents (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    ts timestamptz NOT NULL,
    trace_id bytea NOT NULL,
    span_id bytea NOT NULL,
    response_id text,
    input_type text,
    usage_rule text,
    error_message text,
    input_text text,
    output_text text,
    tags text[],
    notes text[],
    input_messages jsonb,
    output_messages jsonb,
    request_parameters jsonb,
    tools jsonb,
    retrieval jsonb,
    cost_breakdown jsonb,
    attributes jsonb,
    resource_attributes jsonb,
    instrumentation_scope jsonb,
    events jsonb,
    links jsonb,
    mapping_sources jsonb,
    PRIMARY KEY (organisation_id, project_id, ts, trace_id, span_id)
) PARTITION BY RANGE (ts);

-- Time range of every trace, so that a trace is found without touching every partition. Its rows are also the
-- mutex of their traces: a writer takes them, in key order, before it looks at a trace's spans.
CREATE TABLE trace_index (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    trace_id bytea NOT NULL,
    first_ts timestamptz NOT NULL,
    last_ts timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, project_id, trace_id)
);

-- Makes the partitions of the days from first_day to last_day that are missing; returns how many it made. The
-- service's role owns no table, so this runs with the owner's rights and does nothing but this.
CREATE FUNCTION observatory_ensure_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    day date;
    parent text;
    child text;
    made integer := 0;
BEGIN
    IF last_day - first_day > 4000 THEN
        RAISE EXCEPTION 'at most 4000 days of partitions at once';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('observatory_ensure_partitions'));
    FOR day IN SELECT generate_series(first_day, last_day, interval '1 day')::date LOOP
        FOREACH parent IN ARRAY ARRAY['llm_traces', 'llm_contents'] LOOP
            child := parent || to_char(day, '_YYYYMMDD');
            CONTINUE WHEN to_regclass(child) IS NOT NULL;
            -- Attaching takes a lock that lets writers go on; CREATE TABLE ... PARTITION OF would stop them.
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, child, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC'
            );
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION observatory_ensure_partitions(date, date) FROM PUBLIC;
