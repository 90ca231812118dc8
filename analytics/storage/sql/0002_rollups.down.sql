DROP TABLE llm_totals_1day;
DROP TABLE llm_metrics_1day;
DROP TABLE llm_totals_1hour;
DROP TABLE llm_metrics_1hour;
DROP TABLE llm_metrics_1min;
DROP FUNCTION observatory_bin(bigint);
DROP TABLE data_version;
DROP TABLE bucket_change;
