DELETE FROM retention_horizons WHERE kind IN ('model_part', 'model_hour', 'model_day', 'recent', 'people_hour', 'people_day');
DELETE FROM retention_rules WHERE kind IN ('model_part', 'model_hour', 'model_day', 'recent', 'people_hour', 'people_day');
DELETE FROM bucket_change WHERE grain IN ('5min', 'slice');
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
DROP INDEX llm_usage_1day_by_user;
DROP TABLE llm_different_5min;
DROP TABLE llm_people_1day;
DROP TABLE llm_people_1hour;
DROP TABLE llm_people_5min;
DROP TABLE llm_models_1day;
DROP TABLE llm_models_1hour;
DROP TABLE llm_models_5min;
DROP AGGREGATE observatory_sum(bigint);
