"""Scheduled exports: each day becomes a file in a folder that grows, `<prefix>/day=2026-03-01/traces.parquet`.

A day is exported once it is over and its latecomers had `SETTLING`. Its file is made by an export like any other, one
day after the other; a schedule is never ahead of what it says, `next_day`, so that it goes on after any interruption.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from analytics.exports.selecting import format_of, scope_of
from analytics.exports.selectors import OPEN
from analytics.exports.service import Asked, export_create
from analytics.models import Cadence, ExportJob, ExportSchedule, ExportStatus
from analytics.queries.spans import Within
from analytics.queries.timerange import TimeRange
from analytics.storage.exclusive import BusyError, exclusively
from errors.catalog import NOT_FOUND_HERE, QUOTA_EXCEEDED, RESOURCE_ALREADY_EXISTS
from errors.exceptions import ApiError

log = structlog.get_logger("analytics.exports")
MOST = 20  # of one organisation
SETTLING = timedelta(hours=1)
RETRY = timedelta(hours=1)
_DAY, _WEEK = timedelta(days=1), 7


def schedules_of(organisation_id: int, projects: Collection[int]) -> QuerySet[ExportSchedule]:
    """Return the schedules all of whose projects are among `projects`, by name."""
    mine = ExportSchedule.objects.filter(organisation_id=organisation_id, project_ids__contained_by=list(projects))
    return mine.order_by("name", "id")


def schedule_get(organisation_id: int, projects: Collection[int], schedule_id: str) -> ExportSchedule:
    """Return a schedule in reach; raise 404/1300."""
    try:
        found = schedules_of(organisation_id, projects).filter(id=UUID(schedule_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise ApiError(NOT_FOUND_HERE, what="schedule")
    return found


def schedule_create(schedule: ExportSchedule) -> ExportSchedule:
    """Store a schedule; raise 409/1400 for a prefix that is taken, 429/1501 beyond `MOST` of the organisation."""
    own = schedule.organisation_id
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:  # so that the number holds
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('llm-observatory export schedules'), %s)", [own])
            if ExportSchedule.objects.filter(organisation_id=own).count() >= MOST:
                raise ApiError(QUOTA_EXCEEDED, most=MOST, what="export schedules")
            schedule.save(force_insert=True)
    except IntegrityError:
        raise ApiError(RESOURCE_ALREADY_EXISTS, field="prefix") from None
    return schedule


def schedule_change(schedule: ExportSchedule, changed: Mapping[str, Any]) -> ExportSchedule:
    """Change members of a schedule. What stood in its way is tried again at once."""
    for name, value in changed.items():
        setattr(schedule, name, value)
    schedule.not_before, schedule.problem = None, None
    written = [*changed, "not_before", "problem"]
    if "next_day" in changed:
        schedule.job_id = None  # the export under way ends, and is not counted as the day that is wanted now
        written.append("job_id")  # otherwise it is the worker's, who may have begun or settled one meanwhile
    schedule.save(update_fields=written)
    return schedule


def folder_of(schedule: ExportSchedule) -> str:
    """Return the folder of a schedule's files in the store."""
    return f"scheduled/{schedule.organisation_uuid}/{schedule.prefix}"


def file_of(schedule: ExportSchedule, day: date) -> str:
    """Return the name of a day's file in the store."""
    extension = format_of(schedule).file_extension(schedule.compression)
    return f"{folder_of(schedule)}/day={day.isoformat()}/traces.{extension}"


def due_at(schedule: ExportSchedule) -> datetime:
    """Return when the next day is exported: after its end, or with the other days of its week (from Monday)."""
    last = schedule.next_day
    if schedule.every == Cadence.WEEKLY:
        last += timedelta(days=_WEEK - 1 - last.weekday())
    due = _midnight(last + _DAY) + SETTLING
    return due if schedule.not_before is None else max(due, schedule.not_before)


def schedules_run(*, now: datetime) -> int:
    """Note which days are done, and let the next ones that are due be exported; return how many were begun."""
    try:
        with exclusively("export schedules"):
            due = ExportSchedule.objects.filter(Q(not_before=None) | Q(not_before__lte=now), enabled=True)
            return sum(_go_on(one, now=now) for one in due.order_by("id"))
    except BusyError:
        return 0


def _go_on(schedule: ExportSchedule, *, now: datetime) -> bool:
    """Take up a schedule where it is; return whether an export was begun."""
    if schedule.job_id is not None:
        _settle(schedule, schedule.job_id, now=now)
        settled = ExportSchedule.objects.filter(id=schedule.id, job_id=None, enabled=True).first()
        if settled is None:
            return False
        schedule = settled
    if due_at(schedule) > now:
        return False
    day = schedule.next_day
    start = _midnight(day)
    asked = Asked(
        scope=scope_of(schedule),
        organisation_id=schedule.organisation_id,
        organisation_uuid=schedule.organisation_uuid,
        range=TimeRange(start=start, end=start + _DAY),
        format=schedule.format,
        compression=schedule.compression,
        within=Within(schedule.within),
        filter=schedule.filter,
        told=schedule.asked,
        fields=schedule.fields,
        schedule_id=schedule.id,
        target=file_of(schedule, day),
        keep_days=schedule.keep_days,
    )
    try:
        job = export_create(asked, now=now)
    except ApiError as refused:
        _postpone(schedule, refused.message, now=now)
        return False
    except DatabaseError as problem:  # a count that took too long, above all: the schedules after it go on
        log.warning("scheduled export not begun", schedule_id=str(schedule.id), problem=type(problem).__name__)
        _postpone(schedule, "The database did not answer in time.", now=now)
        return False
    # Of the schedule as it was read: one that was set to another day meanwhile goes on there.
    ExportSchedule.objects.filter(id=schedule.id, next_day=day).update(job_id=job.id)
    return True


def _settle(schedule: ExportSchedule, job_id: UUID, *, now: datetime) -> None:
    """Note what became of the export under way, unless the schedule was changed meanwhile."""
    job = ExportJob.objects.filter(id=job_id).first()
    same = ExportSchedule.objects.filter(id=schedule.id, job_id=job_id)
    if job is None:  # it was deleted: its day is exported again
        same.update(job_id=None)
    elif job.status in (ExportStatus.FAILED, ExportStatus.CANCELLED):
        _postpone(schedule, job.error_message or "The export was cancelled.", now=now)
    elif job.status not in OPEN:
        same.filter(next_day=schedule.next_day).update(
            next_day=schedule.next_day + _DAY, last_job_id=job.id, job_id=None, problem=None
        )


def _postpone(schedule: ExportSchedule, problem: str, *, now: datetime) -> None:
    log.warning("scheduled export postponed", schedule_id=str(schedule.id), day=str(schedule.next_day), problem=problem)
    ExportSchedule.objects.filter(id=schedule.id, next_day=schedule.next_day).update(
        not_before=now + RETRY, problem=problem, job_id=None
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
