"""Background jobs with their last and next run, from the job queue's tables and the cron expressions.

The worker deletes jobs that succeeded. What is left of the last is the moment it was due, which the queue keeps for
each task; a job that waits, runs or failed is there itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.periodic import PeriodicTask

# A run of its own may take this long beyond its time before it counts as late.
GRACE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A periodic job: when it last began and what came of it, when it runs next, and since when it is overdue."""

    name: str
    cron: str
    last_run: datetime | None
    last_result: str
    next_run: datetime
    late: bool


def policies(*, now: datetime) -> list[Policy]:
    """Return every periodic job by name. Late: a run that was due is not begun, five minutes and a period after."""
    last = _last_runs()
    return [
        _policy(task, last.get(str(task.task.name), _Last()), now)
        for task in sorted(app.periodic_registry.periodic_tasks.values(), key=lambda one: str(one.task.name))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """When a job last began and what came of it; since when one waits for a worker."""

    began: datetime | None = None
    result: str = "never"
    waiting: datetime | None = None


def _policy(task: PeriodicTask[..., object, ...], last: _Last, now: datetime) -> Policy:
    due = last.waiting or (last.began and _after(task, last.began))
    return Policy(
        name=str(task.task.name),
        cron=task.cron,
        last_run=last.began,
        last_result=last.result,
        next_run=_after(task, now),
        late=due is not None and now > due + GRACE,
    )


def _after(task: PeriodicTask[..., object, ...], instant: datetime) -> datetime:
    seconds: float = task.croniter.get_next(ret_type=float, start_time=instant.timestamp())
    return datetime.fromtimestamp(seconds, tz=UTC)


def _last_runs() -> Mapping[str, _Last]:
    names = sorted({str(one.task.name) for one in app.periodic_registry.periodic_tasks.values()})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.name, kept.at, kept.status, due.at, due.status
            FROM unnest(%s::text[]) AS wanted (name)
            LEFT JOIN LATERAL (
                SELECT job.status::text, (
                    SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'started') AS at
                FROM procrastinate_jobs AS job WHERE job.task_name = wanted.name AND job.status <> 'todo'
                ORDER BY job.id DESC LIMIT 1
            ) AS kept ON true
            LEFT JOIN LATERAL (
                SELECT to_timestamp(defer_timestamp) AS at, coalesce(job.status::text, 'succeeded') AS status
                FROM procrastinate_periodic_defers AS defer LEFT JOIN procrastinate_jobs AS job ON job.id = defer.job_id
                WHERE defer.task_name = wanted.name ORDER BY defer.defer_timestamp DESC LIMIT 1
            ) AS due ON true
            """,
            [names],
        )
        return {name: _last(rest[:2], rest[2:]) for name, *rest in cursor}


def _last(kept: Sequence[Any], due: Sequence[Any]) -> _Last:
    """Return the last run: of the job that is still there, or of a later one that succeeded and is gone."""
    began, status = kept
    at, outcome = due
    if outcome == "succeeded" and at is not None and (began is None or at > began):
        return _Last(began=at, result=outcome)
    waiting = at if outcome == "todo" else None
    if status is None:
        return _Last(result="never" if waiting is None else "waiting", waiting=waiting)
    return _Last(began=began, result={"doing": "running"}.get(status, status), waiting=waiting)
