-- Spans that were set aside, and requests that were refused whole, with the reason; kept for days and up to a number.
CREATE TABLE rejected_spans (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL,
    received_at timestamptz NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    trace_id bytea,
    span_id bytea,
    span_name text,
    service_name text,
    scope_name text,
    reason text NOT NULL,
    message text NOT NULL,
    key_prefix text,
    request_id text NOT NULL,
    -- Lists newest first by keyset, and the oldest beyond the number that is kept.
    PRIMARY KEY (organisation_id, project_id, received_at, id)
);
