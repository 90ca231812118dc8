-- The tier that a span was billed in, which its price depends on.
ALTER TABLE llm_traces ADD COLUMN service_tier text;

-- What a re-pricing found: the cost of each span that it changed, as it was before. Undoing the run writes it back.
CREATE TABLE cost_run_spans (
    run_id integer NOT NULL,
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    ts timestamptz NOT NULL,
    trace_id bytea NOT NULL,
    span_id bytea NOT NULL,
    price_id integer,
    prompt_cost_nanousd bigint,
    completion_cost_nanousd bigint,
    total_cost_nanousd bigint,
    unpriced_reason text,
    cost_breakdown jsonb,
    PRIMARY KEY (run_id, organisation_id, project_id, ts, trace_id, span_id)
);
-- A later run that changed the same span, and the spans of a project that are gone.
CREATE INDEX cost_run_spans_of_span ON cost_run_spans (organisation_id, project_id, ts, trace_id, span_id);

-- The difference that a re-pricing makes, added up by project, day and model; sums are over counted usage.
CREATE TABLE cost_run_differences (
    run_id integer NOT NULL,
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    day date NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    spans bigint NOT NULL,
    cost_before_nanousd bigint NOT NULL,
    cost_after_nanousd bigint NOT NULL,
    unpriced_before bigint NOT NULL,
    unpriced_after bigint NOT NULL,
    PRIMARY KEY (run_id, organisation_id, project_id, day, provider, model)
);
