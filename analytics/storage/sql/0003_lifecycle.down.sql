DROP FUNCTION observatory_drop_partition(text, date);
DROP TABLE retention_horizons;
DROP TABLE legal_holds;
DROP TABLE retention_rules;
