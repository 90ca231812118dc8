-- How long data are kept where it differs from the settings. Organisation and project 0: all of them.
CREATE TABLE retention_rules (
    kind text NOT NULL,
    organisation_id integer NOT NULL DEFAULT 0,
    project_id integer NOT NULL DEFAULT 0,
    days integer NOT NULL CHECK (days >= 2),
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, organisation_id, project_id)
);

-- Nothing under a hold is dropped. Project 0: all projects of the organisation.
CREATE TABLE legal_holds (
    organisation_id integer NOT NULL,
    project_id integer NOT NULL DEFAULT 0,
    reason text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organisation_id, project_id)
);

-- From when on a kind of data is complete: what is older was dropped, wholly or in part. It only moves forward, at
-- UTC midnights. Organisation and project 0: for all of them.
CREATE TABLE retention_horizons (
    kind text NOT NULL,
    organisation_id integer NOT NULL DEFAULT 0,
    project_id integer NOT NULL DEFAULT 0,
    kept_since timestamptz NOT NULL,
    PRIMARY KEY (kind, organisation_id, project_id)
);

-- Drops one day of a relation and moves its horizon: 'dropped', or why not: 'missing', 'held', 'marked' (a bucket of
-- the day still waits for its refresh). The service's role owns no table, so this runs with the owner's rights and does
-- nothing but this. The lock keeps writers out between the look at the marks and the drop; it is not waited for long,
-- because all other statements queue behind it.
CREATE FUNCTION observatory_drop_partition(relation text, day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    child text := relation || to_char(day, '_YYYYMMDD');
    starts timestamptz := day::timestamp AT TIME ZONE 'UTC';
    ends timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
    what text := CASE relation WHEN 'llm_traces' THEN 'spans' ELSE 'content' END;
    held boolean;
BEGIN
    IF relation NOT IN ('llm_traces', 'llm_contents') THEN
        RAISE EXCEPTION 'no relation of daily partitions: %', relation;
    END IF;
    IF ends > now() - interval '1 day' THEN
        RAISE EXCEPTION 'the day % is too young to be dropped', day;
    END IF;
    IF to_regclass(child) IS NULL THEN
        RETURN 'missing';
    END IF;
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', relation);
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM legal_holds AS h JOIN %I AS s ON s.organisation_id = h.organisation_id
            WHERE h.project_id IN (0, s.project_id))', child
    ) INTO held;
    IF held THEN
        RETURN 'held';
    END IF;
    IF what = 'spans' AND EXISTS (
        SELECT FROM bucket_change AS marks
        WHERE grain IN ('1min', '1hour', '1day') AND bucket >= starts AND bucket < ends AND NOT EXISTS (
            SELECT FROM retention_horizons AS h
            WHERE h.kind = 'spans' AND h.organisation_id IN (0, marks.organisation_id)
                AND h.project_id IN (0, marks.project_id) AND h.kept_since > marks.bucket
        )
    ) THEN
        RETURN 'marked';
    END IF;
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', relation, child);
    EXECUTE format('DROP TABLE %I', child);
    INSERT INTO retention_horizons AS known (kind, kept_since) VALUES (what, ends)
    ON CONFLICT (kind, organisation_id, project_id) DO UPDATE
    SET kept_since = greatest(known.kept_since, excluded.kept_since);
    RETURN 'dropped';
END $$;
REVOKE ALL ON FUNCTION observatory_drop_partition(text, date) FROM PUBLIC;
