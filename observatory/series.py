"""The Prometheus series of the service as data: dashboards, the reference page and the alert rules' tests read it.

A series is recorded where the thing happens; a test joins this table with what is recorded.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series: its labels without those that Prometheus adds, its unit as Grafana names it, how gauges add up."""

    name: str
    kind: Kind
    group: str
    labels: tuple[str, ...] = ()
    unit: str = "short"
    fold: Literal["max", "min", "sum"] = "max"


def _counter(group: str, name: str, *labels: str, unit: str = "ops") -> Series:
    return Series(name=name, kind="counter", group=group, labels=labels, unit=unit)


def _histogram(group: str, name: str, *labels: str, unit: str = "s") -> Series:
    return Series(name=name, kind="histogram", group=group, labels=labels, unit=unit)


def _gauge(
    group: str, name: str, *labels: str, unit: str = "short", fold: Literal["max", "min", "sum"] = "max"
) -> Series:
    return Series(name=name, kind="gauge", group=group, labels=labels, unit=unit, fold=fold)


SERIES: tuple[Series, ...] = (
    _counter("Requests", "http_requests_total", "method", "endpoint", "status"),
    _histogram("Requests", "http_request_duration_seconds", "method", "endpoint"),
    _histogram("Requests", "http_request_size_bytes", "endpoint", unit="bytes"),
    _histogram("Requests", "http_response_size_bytes", "endpoint", unit="bytes"),
    _counter("Requests", "http_not_modified_total", "endpoint"),
    _counter("Requests", "api_errors_total", "code"),
    _counter("Requests", "auth_failures_total", "code"),
    _counter("Cache", "cache_hits_total", "endpoint"),
    _counter("Cache", "cache_misses_total", "endpoint"),
    _counter("Cache", "cache_bypass_total", "reason"),
    _histogram("Cache", "read_after_wait_seconds"),
    _counter("Cache", "read_after_timeouts_total"),
    _counter("Limits", "rate_limit_exceeded_total", "tier", "class"),
    _gauge("Limits", "rate_limit_remaining", "tier", fold="min"),
    _counter("Limits", "rate_limit_backend_errors_total"),
    _counter("Limits", "rate_limit_degraded_decisions_total", "tier"),
    _gauge("Limits", "rate_limit_degraded"),
    _counter("Ingest", "ingest_requests_total", "encoding", "status"),
    _counter("Ingest", "ingest_spans_total", "outcome"),
    _counter("Ingest", "ingest_rejected_spans_total", "reason"),
    _counter("Ingest", "ingest_bytes_total", "encoding", unit="Bps"),
    _histogram("Ingest", "ingest_duration_seconds", "encoding"),
    _histogram("Ingest", "ingest_batch_spans", "encoding", unit="short"),
    _counter("Ingest", "unpriced_spans_total", "reason"),
    _gauge("Ingest", "unpriced_models"),
    _histogram("Database", "db_query_duration_seconds", "operation"),
    _counter("Database", "db_queries_total", "operation"),
    _counter("Database", "db_errors_total", "class"),
    _gauge("Database", "db_pool_connections", "state"),
    _gauge("Storage", "rollup_lag_seconds", "granularity", unit="s"),
    _gauge("Storage", "rollup_dirty_buckets", "granularity"),
    _histogram("Storage", "rollup_refresh_duration_seconds", "granularity"),
    _gauge("Storage", "retention_backlog_rows", "table"),
    _counter("Storage", "retention_dropped_total", "table"),
    _counter("Storage", "search_vectors_total"),
    _gauge("Storage", "search_lag_seconds", unit="s"),
    _gauge("Exports", "export_jobs", "status"),
    _counter("Exports", "export_jobs_total", "status"),
    _counter("Exports", "export_rows_total", "format"),
    _counter("Exports", "export_bytes_total", "format", unit="Bps"),
    _histogram("Exports", "export_duration_seconds", "format"),
    _counter("Budgets", "budget_alerts_total", "severity"),
    _gauge("Streams", "stream_connections", "transport", fold="sum"),
    _counter("Streams", "stream_events_total", "event_type"),
    _counter("Streams", "stream_dropped_total", "event_type"),
)
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(one.group for one in SERIES))
