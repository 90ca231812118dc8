"""What there is of exports: the jobs that a caller sees, how fast exports are, figures over a while."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Avg, Count, F, Q, QuerySet, Sum

from analytics.exports.files import store
from analytics.exports.stored import is_overtaken
from analytics.models import ExportJob, ExportStatus
from analytics.scope import Scope
from errors.catalog import EXPORT_EXPIRED, EXPORT_NOT_FOUND, EXPORT_NOT_READY, JOB_NOT_FOUND
from errors.exceptions import ApiError

OPEN = (ExportStatus.PENDING, ExportStatus.PROCESSING)
_ROWS_PER_SECOND = 20_000.0  # until an export was completed
_RECENT = 20


def jobs_of(organisation_id: int, projects: Collection[int]) -> QuerySet[ExportJob]:
    """Return the jobs all of whose projects are among `projects`, the newest first."""
    mine = ExportJob.objects.filter(organisation_id=organisation_id, project_ids__contained_by=list(projects))
    return mine.order_by("-created_at", "id")


def jobs_with_status(jobs: QuerySet[ExportJob], status: str, *, now: datetime) -> QuerySet[ExportJob]:
    """Return the jobs of `jobs` that have a status at `now`."""
    over = Q(status=ExportStatus.COMPLETED, expires_at__lte=now)
    if status == ExportStatus.EXPIRED:
        return jobs.filter(Q(status=status) | over)
    return jobs.filter(~over, status=status)


def status_of(job: ExportJob, *, now: datetime) -> str:
    """Return the status at `now`: the file of a completed job may have expired since."""
    over = job.status == ExportStatus.COMPLETED and job.expires_at is not None and job.expires_at <= now
    return ExportStatus.EXPIRED if over else job.status


def job_get(organisation_id: int, projects: Collection[int], job_id: str) -> ExportJob:
    """Return a job in reach; raise 404/1302."""
    try:
        found = jobs_of(organisation_id, projects).filter(id=UUID(job_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise ApiError(JOB_NOT_FOUND, job_id=job_id[:64])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A finished file in its store."""

    job: ExportJob
    size: int


def file_get(organisation_id: int, projects: Collection[int], job_id: str, *, now: datetime) -> ExportedFile:
    """Return the file of a job in reach; raise 404/1302-1303, 409/1403, 410/1304, `StoreError`."""
    job = job_get(organisation_id, projects, job_id)
    status = status_of(job, now=now)
    if status == ExportStatus.EXPIRED:
        raise ApiError(EXPORT_EXPIRED, job_id=job_id)
    if status != ExportStatus.COMPLETED:
        raise ApiError(EXPORT_NOT_READY, job_id=job_id, status=status)
    if is_overtaken(job) or store().size(job.file_name) != job.bytes:
        raise ApiError(EXPORT_NOT_FOUND, job_id=job_id)
    return ExportedFile(job=job, size=job.bytes)


def estimated_completion(job: ExportJob, *, now: datetime) -> datetime:
    """Return when a job will be completed, if exports go on as the last ones of its format did."""
    recent = ExportJob.objects.filter(
        format=job.format, status__in=[ExportStatus.COMPLETED, ExportStatus.EXPIRED], rows__gt=0
    ).order_by("-created_at")[:_RECENT]
    times = [(one.rows, (one.completed_at - one.started_at).total_seconds())
             for one in recent if one.completed_at and one.started_at]  # fmt: skip
    seconds = sum(took for _, took in times)
    speed = sum(rows for rows, _ in times) / seconds if seconds else _ROWS_PER_SECOND
    ahead = ExportJob.objects.filter(status__in=OPEN, created_at__lt=job.created_at).aggregate(
        left=Sum(F("expected_rows") - F("rows"))
    )["left"]
    rows = max(job.expected_rows - job.rows, 0) + max(ahead or 0, 0)
    return now + timedelta(seconds=1 + round(rows / max(speed, 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStatistics:
    """Figures over the jobs that were created in a while; `None` seconds when none of them is completed."""

    total_jobs: int
    by_status: dict[str, int]
    total_traces_exported: int
    total_bytes_exported: int
    avg_export_time_seconds: float | None


def export_statistics(scope: Scope, organisation_id: int, *, days: int, now: datetime) -> ExportStatistics:
    """Return the figures of the last `days`."""
    jobs = jobs_of(organisation_id, scope.projects).filter(created_at__gte=now - timedelta(days=days)).order_by()
    done = jobs.filter(status__in=[ExportStatus.COMPLETED, ExportStatus.EXPIRED])
    sums = done.aggregate(rows=Sum("rows"), octets=Sum("bytes"), took=Avg(F("completed_at") - F("created_at")))
    by_status = {
        status: jobs_with_status(jobs, status, now=now).aggregate(found=Count("id"))["found"]
        for status in ExportStatus.values
    }
    return ExportStatistics(
        total_jobs=sum(by_status.values()),
        by_status=by_status,
        total_traces_exported=sums["rows"] or 0,
        total_bytes_exported=sums["octets"] or 0,
        avg_export_time_seconds=None if sums["took"] is None else round(sums["took"].total_seconds(), 3),
    )


def jobs_by_status() -> dict[str, int]:
    """Return how many jobs there are of each status, of all organisations."""
    found = dict(ExportJob.objects.order_by().values_list("status").annotate(Count("id")))
    return {status: found.get(status, 0) for status in ExportStatus.values}
