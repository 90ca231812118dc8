"""Prometheus series of the storage's own work. No label tells of a tenant."""

from prometheus_client import Counter, Gauge, Histogram

REFRESH = Histogram(
    "rollup_refresh_duration_seconds",
    "Time to make one portion of marked buckets anew.",
    ["granularity"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
DROPPED = Counter("retention_dropped_total", "Rows that were freed past their limit.", ["table"])
# Any process may run retention next: what the last one left is what there is.
BACKLOG = Gauge(
    "retention_backlog_rows",
    "Rows past their limit that the last run has not freed yet.",
    ["table"],
    multiprocess_mode="mostrecent",
)
SEARCH_VECTORS = Counter("search_vectors_total", "Search vectors made.")
SEARCH_LAG = Gauge(
    "search_lag_seconds",
    "Age of the oldest span that is searched without a vector, 0 when there is none.",
    multiprocess_mode="mostrecent",
)
