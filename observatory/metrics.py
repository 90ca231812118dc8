"""Prometheus series of requests and statements. `endpoint` is the route's template; no label tells of a tenant."""

from prometheus_client import Counter, Histogram

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "endpoint", "status"])
DURATION = Histogram("http_request_duration_seconds", "Time to answer.", ["method", "endpoint"], buckets=SECONDS)
REQUEST_SIZE = Histogram("http_request_size_bytes", "Bytes of request bodies.", ["endpoint"], buckets=SIZES)
RESPONSE_SIZE = Histogram("http_response_size_bytes", "Bytes of replies.", ["endpoint"], buckets=SIZES)
NOT_MODIFIED = Counter("http_not_modified_total", "Replies of 304.", ["endpoint"])
DB_QUERIES = Counter("db_queries_total", "Statements run.", ["operation"])
DB_DURATION = Histogram("db_query_duration_seconds", "Time of statements.", ["operation"], buckets=SECONDS)
DB_ERRORS = Counter("db_errors_total", "Statements that failed, by the first two characters of SQLSTATE.", ["class"])
