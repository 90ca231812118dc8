"""Creating, cancelling, expiring and forgetting exports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q

from analytics.exports import metrics
from analytics.exports.files import Store, StoreError, forget_work, store, work_ids
from analytics.exports.selecting import filter_of
from analytics.exports.selectors import OPEN, status_of
from analytics.exports.stored import clear_left, is_overtaken
from analytics.exports.telling import tell
from analytics.models import ExportJob, ExportStatus
from analytics.queries.filters.searches import searches_of
from analytics.queries.snapshots import snapshot
from analytics.queries.spans import Arrived, Spans, Within, all_of
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope
from analytics.storage import queue
from analytics.storage.exclusive import BusyError, exclusively, held_of
from analytics.storage.transactions import sqlstate
from errors.catalog import JOB_NOT_CANCELLABLE, QUOTA_EXCEEDED, TOO_MANY_ROWS
from errors.exceptions import ApiError

log = structlog.get_logger("analytics.exports")
TASK, QUEUE = "export", "exports"
_CANCELED = "57014"
_COUNTING_MS = 3000  # what counting with a filter may take where nothing depends on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An export as it is asked for. `filter` means all of `told`, which is how people said it.

    One of a schedule has a `target`, the name of its file, and is kept for `keep_days`, or for ever.
    """

    scope: Scope
    organisation_id: int
    organisation_uuid: UUID
    range: TimeRange
    format: str
    compression: str
    within: Within = Within.ALL
    filter: Mapping[str, Any] | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    fields: Sequence[str] = ()
    limit: int | None = None
    schedule_id: UUID | None = None
    target: str = ""
    keep_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Census:
    """What is there to export: how many spans (all of the range when not `exactly`), from when to when, when they came.

    `arrived` are the times from `settled` on at which any of them came.
    """

    rows: int
    exactly: bool
    first: datetime | None
    last: datetime | None
    settled: datetime
    arrived: Sequence[datetime]


def export_create(asked: Asked, *, now: datetime, note: Callable[[ExportJob], None] | None = None) -> ExportJob:
    """Create a job and put it into the queue; its spans are those that are stored now.

    `note` is called with it in the transaction that creates it: what it raises leaves no job behind.
    Raises 429/1501 beyond the organisation's quota, 400/1205 for more spans than an export may have, 400/1213 for a
    filter that the server cannot read, 504/1801 when that cannot be told in time.
    """
    _check_quota(asked)
    census = _count(asked, now=now)
    with transaction.atomic():
        _one_at_a_time(asked.organisation_id)
        _check_quota(asked)
        job = _add(asked, census, now=now)
        if note is not None:
            note(job)
        return job


def _add(asked: Asked, census: _Census, *, now: datetime) -> ExportJob:
    """Write the row of a job, tell of it, and put it into the queue; part of the caller's transaction."""
    job = ExportJob.objects.create(
        organisation_id=asked.organisation_id,
        organisation_uuid=asked.organisation_uuid,
        project_ids=sorted(asked.scope.projects),
        project_uuids=[asked.scope.projects[number].public_id for number in sorted(asked.scope.projects)],
        format=asked.format,
        compression=asked.compression,
        within=asked.within,
        filter=asked.filter,
        asked=dict(asked.told),
        fields=list(asked.fields),
        start_time=asked.range.start,
        end_time=asked.range.end,
        row_limit=asked.limit,
        step_rows=settings.EXPORT_STEP_ROWS,
        created_at=now,
        settled=census.settled,
        arrived=list(census.arrived),
        expected_rows=census.rows,
        expected_exactly=census.exactly,
        expected_first=census.first,
        expected_last=census.last,
        schedule_id=asked.schedule_id,
        target=asked.target,
        keep_days=asked.keep_days,
    )
    metrics.JOBS.labels(job.status).inc()
    tell(job)
    enqueue(job.id)
    return job


def enqueue(job_id: UUID) -> None:
    """Let a worker run an export; one that waits already waits on."""
    queue.enqueue(TASK, queue=QUEUE, lock=f"export {job_id}", job_id=str(job_id))


def _one_at_a_time(organisation_id: int) -> None:
    """Keep others of the organisation from creating one until the transaction ends, so that the quota holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('llm-observatory exports'), %s)", [organisation_id])


def _check_quota(asked: Asked) -> None:
    """Let people have so many unfinished exports; schedules, which have one each, count apart."""
    most = settings.EXPORT_MAX_OPEN_JOBS
    unfinished = ExportJob.objects.filter(organisation_id=asked.organisation_id, status__in=OPEN, schedule_id=None)
    if asked.schedule_id is None and unfinished.count() >= most:
        raise ApiError(QUOTA_EXCEEDED, most=most, what="unfinished exports")


def _count(asked: Asked, *, now: datetime) -> _Census:
    """Look at what is there, all in one state of the database."""
    # A span that came before this was stored by now, or never will be: no request lasts so long.
    settled = now - timedelta(seconds=2 * settings.REQUEST_TIMEOUT_SECONDS)
    every = Spans(scope=asked.scope, range=asked.range)
    with snapshot(), connection.cursor() as cursor:
        sql, given = all_of(
            every,
            "count(*), min(s.ts), max(s.ts),"
            " coalesce(array_agg(DISTINCT s.ingested_at) FILTER (WHERE s.ingested_at >= %(settled)s), '{}')",
        )
        cursor.execute(sql, given | {"settled": settled})
        rows, first, last, arrived = cursor.fetchone()
        census = _Census(rows=rows, exactly=True, first=first, last=last, settled=settled, arrived=arrived)
        most = settings.EXPORT_MAX_ROWS
        needed = asked.limit is None and rows > most
        if asked.filter is not None or asked.within is not Within.ALL:
            census = _narrowed(asked, census, needed=needed, now=now)
    if asked.limit is None and census.rows > most:
        raise ApiError(TOO_MANY_ROWS, most=most)
    return census


def _narrowed(asked: Asked, census: _Census, *, needed: bool, now: datetime) -> _Census:
    """Return the census with the spans that are really asked for, if they are counted in time or have to be."""
    node = filter_of(asked.filter, now=now)
    searches = searches_of(node, scope=asked.scope, where=asked.range)
    spans = Spans(
        scope=asked.scope,
        range=asked.range,
        within=asked.within,
        filter=node,
        searches=searches,
        arrived=Arrived(settled=census.settled, times=tuple(census.arrived)),
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if not needed:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_COUNTING_MS)])
            cursor.execute(*all_of(spans, "count(*)"))
            return replace(census, rows=cursor.fetchone()[0])
    except OperationalError as problem:
        if needed or sqlstate(problem) != _CANCELED:
            raise
        return replace(census, exactly=False)


def export_cancel(job: ExportJob, *, now: datetime) -> None:
    """Cancel a job that has not ended; raise 409/1406 for one that has. A worker that writes it stops at its step."""
    cancelled = ExportJob.objects.filter(id=job.id, status__in=OPEN).update(
        status=ExportStatus.CANCELLED, completed_at=now
    )
    job.refresh_from_db()
    if not cancelled:
        raise ApiError(JOB_NOT_CANCELLABLE, job_id=str(job.id), status=status_of(job, now=now))
    metrics.JOBS.labels(job.status).inc()
    tell(job)


def exports_revive() -> int:
    """Put the unfinished exports that no worker holds into the queue again; return how many there are."""
    left = _unheld(ExportJob.objects.filter(status__in=OPEN).order_by("created_at").values_list("id", flat=True))
    for job_id in left:
        enqueue(job_id)
    return len(left)


def _unheld(jobs: Iterable[UUID]) -> list[UUID]:
    """Return those of `jobs` that no worker holds."""
    names = {job_id: f"export {job_id}" for job_id in jobs}
    busy = held_of(names.values())
    return [job_id for job_id, name in names.items() if name not in busy]


def exports_expire(*, now: datetime) -> int:
    """Delete the files of exports whose time is over or that were not completed, forget exports that are long over.

    Return how many are over now, and how many are forgotten.
    """
    done = 0
    place = store()
    over = ExportJob.objects.filter(status=ExportStatus.COMPLETED, expires_at__lte=now)
    for job in over.order_by("expires_at"):
        try:
            with exclusively(f"export file {job.file_name}"):
                done += _expire(job, place)
        except BusyError:  # a later export puts its file there, and this one's is gone then
            continue
        except StoreError as problem:  # the next run tries again
            log.warning("exported file not deleted", job_id=str(job.id), problem=str(problem))
    clear_left()
    listed = timedelta(days=settings.EXPORT_PURGE_DAYS)
    ended = ExportJob.objects.filter(
        Q(status=ExportStatus.EXPIRED, expires_at__lte=now - listed)
        | Q(status__in=[ExportStatus.FAILED, ExportStatus.CANCELLED], file_name="",
            completed_at__lte=now - listed - timedelta(days=settings.EXPORT_TTL_DAYS))
    )  # fmt: skip
    done += ended.delete()[0]
    open_ids = set(ExportJob.objects.filter(status__in=OPEN).values_list("id", flat=True))
    for job_id in _unheld(one for one in work_ids() if one not in open_ids):
        forget_work(job_id)
    return done


def _expire(job: ExportJob, place: Store) -> bool:
    """Delete the file of an export whose time is over, unless it is a later one's by now; return whether it was."""
    if not ExportJob.objects.filter(id=job.id, status=ExportStatus.COMPLETED).exists():
        return False
    if not is_overtaken(job):
        place.delete(job.file_name)
    with transaction.atomic():
        job.status = ExportStatus.EXPIRED
        job.save(update_fields=["status"])
        tell(job)
    metrics.JOBS.labels(job.status).inc()
    return True
