DROP TABLE llm_unpriced_5min;
DROP TABLE llm_distinct_5min;
