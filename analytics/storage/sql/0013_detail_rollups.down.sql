DELETE FROM retention_horizons WHERE kind IN ('detail_hour', 'detail_day');
DELETE FROM retention_rules WHERE kind IN ('detail_hour', 'detail_day');
DROP TABLE llm_unpriced_1day;
DROP TABLE llm_unpriced_1hour;
DROP TABLE llm_distinct_1hour;
