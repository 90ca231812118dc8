-- The functions of partitions give their names to those of chunks, and keep themselves for the way back.
ALTER FUNCTION observatory_ensure_partitions(date, date) RENAME TO observatory_ensure_partitions_plain;
ALTER FUNCTION observatory_drop_partition(text, date) RENAME TO observatory_drop_partition_plain;

-- Chunks are made as rows arrive. The function is there for processes that started before the move.
CREATE FUNCTION observatory_ensure_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS 'SELECT 0';
REVOKE ALL ON FUNCTION observatory_ensure_partitions(date, date) FROM PUBLIC;

-- The chunk of one UTC day, null where there is none.
CREATE FUNCTION observatory_chunk(relation text, day date) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    IF relation NOT IN ('llm_traces', 'llm_contents') THEN
        RAISE EXCEPTION 'no relation of daily chunks: %', relation;
    END IF;
    RETURN (
        SELECT format('%I.%I', chunk_schema, chunk_name)::regclass FROM timescaledb_information.chunks
        WHERE hypertable_schema = 'public' AND hypertable_name = relation
            AND range_start = day::timestamp AT TIME ZONE 'UTC'
    );
END $$;
REVOKE ALL ON FUNCTION observatory_chunk(text, date) FROM PUBLIC;

-- Drops one day of a relation and moves its horizon: 'dropped', or why not: 'missing', 'held', 'marked' (a bucket of
-- the day still waits for its refresh). The service's role owns no table, so this runs with the owner's rights and does
-- nothing but this. The lock keeps writers out between the look at the marks and the drop; it is not waited for long,
-- because all other statements queue behind it.
CREATE FUNCTION observatory_drop_partition(relation text, day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    chunk regclass := observatory_chunk(relation, day);
    starts timestamptz := day::timestamp AT TIME ZONE 'UTC';
    ends timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
    what text := CASE relation WHEN 'llm_traces' THEN 'spans' ELSE 'content' END;
    held boolean;
BEGIN
    IF ends > now() - interval '1 day' THEN
        RAISE EXCEPTION 'the day % is too young to be dropped', day;
    END IF;
    IF chunk IS NULL THEN
        RETURN 'missing';
    END IF;
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', relation);
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM legal_holds AS h JOIN %I AS s ON s.organisation_id = h.organisation_id
            WHERE h.project_id IN (0, s.project_id) AND s.ts >= $1 AND s.ts < $2)', relation
    ) INTO held USING starts, ends;
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
    PERFORM drop_chunks(relation::regclass, older_than => ends, newer_than => starts);
    INSERT INTO retention_horizons AS known (kind, kept_since) VALUES (what, ends)
    ON CONFLICT (kind, organisation_id, project_id) DO UPDATE
    SET kept_since = greatest(known.kept_since, excluded.kept_since);
    RETURN 'dropped';
END $$;
REVOKE ALL ON FUNCTION observatory_drop_partition(text, date) FROM PUBLIC;

-- Moves one UTC day of a relation into the columnstore, or what came late to it; returns whether there is such a day.
CREATE FUNCTION observatory_compress_day(relation text, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    chunk regclass := observatory_chunk(relation, day);
BEGIN
    IF chunk IS NULL THEN
        RETURN false;
    END IF;
    PERFORM compress_chunk(chunk, if_not_compressed => true);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION observatory_compress_day(text, date) FROM PUBLIC;
