"""Prometheus series of ingest. No label holds a user, key, project or model."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("ingest_requests_total", "OTLP requests answered.", ["encoding", "status"])
SPANS = Counter("ingest_spans_total", "Spans received, by what became of them.", ["outcome"])
REJECTED = Counter("ingest_rejected_spans_total", "Spans set aside.", ["reason"])
UNPRICED = Counter("unpriced_spans_total", "Stored spans that should have a cost and have none.", ["reason"])
BYTES = Counter("ingest_bytes_total", "Bytes of OTLP bodies after unpacking.", ["encoding"])
DURATION = Histogram("ingest_duration_seconds", "Time from a read body to the commit.", ["encoding"])
BATCH = Histogram(
    "ingest_batch_spans",
    "Spans of a request.",
    ["encoding"],
    buckets=(1, 5, 10, 50, 100, 200, 500, 1000, 5000, 10_000, 50_000),
)
