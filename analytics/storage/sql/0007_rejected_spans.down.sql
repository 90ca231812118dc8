DROP TABLE rejected_spans;
