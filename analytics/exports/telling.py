"""How far an export is, and the event that tells of it."""

from django.utils import timezone

from analytics.events import publish
from analytics.models import ExportJob, ExportStatus

_WHOLE, _MOST_UNFINISHED = 100, 99


def progress_percent(job: ExportJob) -> int:
    """Return how far a job is, 0-100; 100 is told of completed ones alone.

    Counted in spans where their number is known, else in the time that was gone through.
    """
    if job.status in (ExportStatus.COMPLETED, ExportStatus.EXPIRED):
        return _WHOLE
    if job.rows == 0 or job.after_ts is None or job.expected_first is None or job.expected_last is None:
        return 0
    most = job.expected_rows if job.row_limit is None else min(job.expected_rows, job.row_limit)
    done = job.rows / max(most, 1)
    if not job.expected_exactly:
        span = (job.expected_last - job.expected_first).total_seconds()
        done = max(done, (job.after_ts - job.expected_first).total_seconds() / span if span else 1)
    return min(int(done * _WHOLE), _MOST_UNFINISHED)


def tell(job: ExportJob) -> None:
    """Publish where a job is; of one with several projects to whoever reaches all of them."""
    publish(
        event_type="export_job_status",
        organisation_id=job.organisation_id,
        project_ids=job.project_ids,
        data={
            "job_id": str(job.id),
            "status": job.status,
            "progress_percent": progress_percent(job),
            "trace_count": job.rows,
            "timestamp": timezone.now(),
        },
    )
