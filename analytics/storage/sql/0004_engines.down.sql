DROP TABLE compression_policy;
