DROP FUNCTION observatory_compress_day(text, date);
DROP FUNCTION observatory_drop_partition(text, date);
DROP FUNCTION observatory_ensure_partitions(date, date);
DROP FUNCTION observatory_chunk(text, date);
ALTER FUNCTION observatory_drop_partition_plain(text, date) RENAME TO observatory_drop_partition;
ALTER FUNCTION observatory_ensure_partitions_plain(date, date) RENAME TO observatory_ensure_partitions;

-- Back to partitions: the rows are copied, everything in one transaction.
DO $$
DECLARE
    relation text;
    hypertable text;
    index record;
BEGIN
    FOREACH relation IN ARRAY ARRAY['llm_traces', 'llm_contents'] LOOP
        hypertable := relation || '_moving';
        EXECUTE format('ALTER TABLE %I RENAME TO %I', relation, hypertable);
        FOR index IN SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = hypertable::regclass LOOP
            EXECUTE format('ALTER INDEX %s RENAME TO %I', index.name, 'moving_' || index.name);
        END LOOP;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING GENERATED) PARTITION BY RANGE (ts)',
            relation, hypertable);
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (organisation_id, project_id, ts, trace_id, span_id)', relation);
    END LOOP;
    CREATE INDEX llm_traces_by_trace ON llm_traces (organisation_id, project_id, trace_id);
    FOREACH relation IN ARRAY ARRAY['llm_traces', 'llm_contents'] LOOP
        hypertable := relation || '_moving';
        PERFORM observatory_ensure_partitions((range_start AT TIME ZONE 'UTC')::date, (range_start AT TIME ZONE 'UTC')::date)
        FROM timescaledb_information.chunks WHERE hypertable_schema = 'public' AND hypertable_name = hypertable;
        EXECUTE format('INSERT INTO %I SELECT * FROM %I', relation, hypertable);
        EXECUTE format('DROP TABLE %I', hypertable);
    END LOOP;
END $$;
