DELETE FROM retention_horizons WHERE kind IN ('model_day', 'recent');
DELETE FROM retention_rules WHERE kind IN ('model_day', 'recent');
DELETE FROM bucket_change WHERE grain = '5min';
UPDATE bucket_change SET grain = '5min' WHERE grain = 'slice';
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT pg_get_functiondef(oid) AS said FROM pg_proc
        WHERE proname IN ('observatory_drop_partition', 'observatory_drop_partition_plain')
    LOOP
        EXECUTE replace(one.said, '''1min'', ''5min'', ''1hour''', '''1min'', ''1hour''');
    END LOOP;
END $$;
DROP TABLE llm_models_1day;
DROP TABLE llm_models_5min;
DROP AGGREGATE observatory_sum(bigint);
