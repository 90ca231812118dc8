"""The run of an export: claimed, written step by step, put away.

A step is on disk before the row of the job says so. A run that ends anywhere leaves the job at its last step, and the
next one goes on from there, be it from what is in the store already; a job that does not get on in several runs has
failed.
"""

import errno
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from analytics.exports import metrics
from analytics.exports.files import StoreError, forget_work, notes_path, store, work_path
from analytics.exports.formats import Format, Opening
from analytics.exports.reading import Pace, Step, Walk
from analytics.exports.repriced import repriced_in
from analytics.exports.selecting import format_of, selection_of, spans_of
from analytics.exports.selectors import OPEN
from analytics.exports.stored import clear, take_back
from analytics.exports.telling import tell
from analytics.exports.writing import LostError, WorkFile, Writer
from analytics.models import ExportJob, ExportStatus
from analytics.queries.contents import Key
from analytics.queries.selection import Selection
from analytics.queries.timerange import TimeRange
from analytics.storage.exclusive import BusyError, exclusively

log = structlog.get_logger("analytics.exports")
MOST_ATTEMPTS = 5
PATIENCE = timedelta(days=1)  # with a store that is away
_MICROSECOND = timedelta(microseconds=1)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OPEN = (ExportStatus.PENDING, ExportStatus.PROCESSING)
Stop = Callable[[], bool]


class _EndedError(Exception):
    """The job is no longer one to work on: it was cancelled, or deleted."""


class _FailedError(Exception):
    """The job cannot be completed; the text is for whoever created it."""


def export_run(job_id: UUID, *, stop: Stop = lambda: False) -> int:
    """Work on an export until it has ended or `stop` says so; return how many spans were written.

    An export that another worker holds is left to it.
    """
    try:
        with exclusively(f"export {job_id}"):
            job = _claimed(job_id)
            return 0 if job is None else _work_on(job, stop)
    except BusyError:
        return 0


def _claimed(job_id: UUID) -> ExportJob | None:
    mine = ExportJob.objects.filter(id=job_id, status__in=_OPEN)
    begun = mine.filter(started_at=None).update(started_at=timezone.now())
    if not mine.update(status=ExportStatus.PROCESSING, attempts=F("attempts") + 1):
        forget_work(job_id)
        if (ended := ExportJob.objects.filter(id=job_id).first()) is not None:
            clear(ended)
        return None
    job = ExportJob.objects.get(id=job_id)
    if begun:
        tell(job)
    return job


def _work_on(job: ExportJob, stop: Stop) -> int:
    before = job.rows
    try:
        _check_attempts(job)
        _write(job, stop)
    except _EndedError:
        forget_work(job.id)
        clear(job)
    except (OperationalError, InterfaceError, StoreError) as problem:
        # The job is taken up again a little later, from its last step.
        log.warning("export interrupted", job_id=str(job.id), attempt=job.attempts, problem=str(problem))
        if isinstance(problem, StoreError) and timezone.now() - job.created_at < PATIENCE:
            # The store's fault, not the export's. A run that wrote a step has begun to count anew.
            ExportJob.objects.filter(id=job.id).update(attempts=max(job.attempts - 1, 0))
    except OSError as problem:
        _fail(job, _said_of(problem))
    except _FailedError as problem:
        _fail(job, str(problem))
    except Exception:
        _fail(job, "Something went wrong on our side: tell the operator, whose log has the cause.")
        log.exception("export failed", job_id=str(job.id))
    return job.rows - before


def _check_attempts(job: ExportJob) -> None:
    if job.attempts > MOST_ATTEMPTS:
        raise _FailedError(f"It was given up after {MOST_ATTEMPTS} runs that did not get on: tell the operator.")


def _said_of(problem: OSError) -> str:
    if problem.errno in _FULL:
        return "The disk of exported files is full: ask the operator for room, then create the export again."
    return "The folder of exported files cannot be written: tell the operator, then create the export again."


def _write(job: ExportJob, stop: Stop) -> None:
    form, selection, spans = format_of(job), selection_of(job), spans_of(job)
    file = WorkFile(work_path(job.id))
    try:
        writer = _taken_up(job, file, form, selection)
        if job.expected_first is not None and job.expected_last is not None:
            walk = Walk(
                spans=spans,
                columns=form.columns(selection),
                content=selection.needs_content,
                wire=form.wire,
                span_of_starts=TimeRange(start=job.expected_first, end=job.expected_last + _MICROSECOND),
            )
            if not _walk(job, walk, file, writer, stop):
                return
            job.more = job.rows == job.row_limit and _goes_on(job, walk)
        job.repriced = repriced_in(spans, last=_position(job), since=job.created_at)
        writer.finish()
        file.sync()
        _complete(job, file)
    finally:
        file.close()


def _taken_up(job: ExportJob, file: WorkFile, form: Format, selection: Selection) -> Writer:
    """Return the writer that goes on behind the last step; or, where that is lost, one that begins anew."""

    def opened() -> Writer:
        return form.writer(
            Opening(
                write=file.write,
                selection=selection,
                gzip=job.compression == "gzip",
                before=job.rows,
                size=file.size,
                notes=notes_path(job.id),
            )
        )

    try:
        _resume(job, file)
        return opened()
    except LostError:
        job.rows, job.bytes, job.sha256, job.first_ts = 0, 0, "", None
        job.after_ts = job.after_trace_id = job.after_span_id = job.after_project_id = None
        file.resume(size=0, sha256="")
        return opened()


def _resume(job: ExportJob, file: WorkFile) -> None:
    try:
        file.resume(size=job.bytes, sha256=job.sha256)
    except LostError:
        if not job.file_name:
            raise
        take_back(job, file)  # an earlier run put it away, and did not get to say so


def _walk(job: ExportJob, walk: Walk, file: WorkFile, writer: Writer, stop: Stop) -> bool:
    """Write the steps that are left; return whether there are none more, not that the run was stopped."""
    where = walk.span_of_starts
    share = job.step_rows / max(job.expected_rows, 1)
    pace = Pace(timedelta(seconds=max(where.seconds, 0.001) * min(share, 1)))
    most = job.row_limit
    while True:
        wanted = job.step_rows if most is None else min(job.step_rows, most - job.rows)
        step = Step(walk, after=_position(job), rows=wanted, pace=pace)
        for rows in step:
            writer.rows(rows)
        if step.found:
            writer.end_step()
            file.sync()
            _record(job, step, file)
        if step.found < wanted or wanted == 0 or job.rows == most:
            return True
        if stop():
            return False


def _goes_on(job: ExportJob, walk: Walk) -> bool:
    """Whether there is a span behind the last one."""
    step = Step(walk, after=_position(job), rows=1, pace=Pace(timedelta(days=1)))
    return any(step)


def _position(job: ExportJob) -> Key | None:
    if job.after_ts is None:
        return None
    assert job.after_trace_id is not None
    assert job.after_span_id is not None
    assert job.after_project_id is not None
    return Key(job.after_ts, bytes(job.after_trace_id), bytes(job.after_span_id), job.after_project_id)


def _record(job: ExportJob, step: Step, file: WorkFile) -> None:
    assert step.after is not None
    job.rows += step.found
    job.bytes, job.sha256 = file.size, file.sha256
    job.after_ts, job.after_trace_id, job.after_span_id, job.after_project_id = step.after
    if job.first_ts is None and step.first is not None:
        job.first_ts = step.first.ts
    job.attempts = 0
    names = ("rows", "bytes", "sha256", "after_ts", "after_trace_id", "after_span_id", "after_project_id", "first_ts")
    _update(job, attempts=0, **{name: getattr(job, name) for name in names})
    metrics.ROWS.labels(job.format).inc(step.found)
    tell(job)


def _update(job: ExportJob, **values: object) -> None:
    """Write the row of a job that is still being worked on; raise when it is not."""
    if not ExportJob.objects.filter(id=job.id, status=ExportStatus.PROCESSING).update(**values):
        raise _EndedError


def _complete(job: ExportJob, file: WorkFile) -> None:
    name = job.target or f"{job.organisation_uuid}/{job.id}.{format_of(job).file_extension(job.compression)}"
    if file.path.stat().st_size != file.size:
        raise _FailedError("The file came out shorter than what was written: create the export again.")
    # So that nothing is put away of a job that was cancelled, and that whoever comes next knows where to look.
    _update(job, file_name=name)
    job.file_name = name
    try:
        with exclusively(f"export file {name}"):  # nobody deletes an earlier file of this name meanwhile
            _put_away(job, file, name)
    except BusyError as busy:
        raise StoreError("The file of this name is being deleted.") from busy
    forget_work(job.id)
    metrics.JOBS.labels(job.status).inc()
    metrics.BYTES.labels(job.format).inc(job.bytes)
    metrics.DURATION.labels(job.format).observe((timezone.now() - job.created_at).total_seconds())
    tell(job)


def _put_away(job: ExportJob, file: WorkFile, name: str) -> None:
    if job.target and _later(job).exists():
        raise _FailedError("A later export of the same day makes its file.")
    place = store()
    place.put(file.path, name)
    if place.size(name) != file.size:
        raise _FailedError("The stored file is shorter than what was written: create the export again.")
    now = timezone.now()
    job.bytes, job.sha256, job.file_name, job.status = file.size, file.sha256, name, ExportStatus.COMPLETED
    kept_days = job.keep_days if job.target else settings.EXPORT_TTL_DAYS
    job.completed_at, job.expires_at = now, None if kept_days is None else now + timedelta(days=kept_days)
    _finish(
        job,
        now=now,
        bytes=job.bytes,
        sha256=job.sha256,
        file_name=name,
        status=job.status,
        completed_at=now,
        expires_at=job.expires_at,
        more=job.more,
        repriced=job.repriced,
    )


def _finish(job: ExportJob, *, now: datetime, **values: object) -> None:
    """Write the row of a job that is done; earlier exports of the same day are over, their file is this one's now."""
    with transaction.atomic():
        _update(job, **values)
        if job.target:
            done = _of_target(job).filter(status=ExportStatus.COMPLETED, created_at__lte=job.created_at)
            done.update(status=ExportStatus.EXPIRED, expires_at=now)


def _later(job: ExportJob) -> QuerySet[ExportJob]:
    """Return exports of the same day that were asked for later, and have or will have its file."""
    return _of_target(job).filter(
        created_at__gt=job.created_at,
        status__in=[*OPEN, ExportStatus.COMPLETED],
    )


def _of_target(job: ExportJob) -> QuerySet[ExportJob]:
    return ExportJob.objects.filter(organisation_id=job.organisation_id, target=job.target).exclude(id=job.id)


def _fail(job: ExportJob, reason: str) -> None:
    forget_work(job.id)
    ended = ExportJob.objects.filter(id=job.id, status=ExportStatus.PROCESSING).update(
        status=ExportStatus.FAILED, error_message=reason, completed_at=timezone.now()
    )
    if ended:
        job.status = ExportStatus.FAILED
        clear(job)
        metrics.JOBS.labels(job.status).inc()
        log.warning("export failed", job_id=str(job.id), reason=reason)
        tell(job)
