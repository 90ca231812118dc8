"""Prometheus series of exports. No label tells of a tenant."""

from prometheus_client import Counter, Histogram

from analytics.models import ExportStatus

JOBS = Counter("export_jobs_total", "Exports that ended, and those that were created (pending).", ["status"])
for _status in ExportStatus.values:
    JOBS.labels(_status)  # from zero on: to Prometheus the first sample of a series is no rise
ROWS = Counter("export_rows_total", "Spans written to exported files.", ["format"])
BYTES = Counter("export_bytes_total", "Octets of completed exports.", ["format"])
DURATION = Histogram(
    "export_duration_seconds",
    "From the creation of an export to its completion.",
    ["format"],
    buckets=(1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200),
)
