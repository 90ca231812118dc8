"""Background jobs with their last and next run, from the job queue's tables and the cron expressions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
        _policy(task, last.get(str(task.task.name), (None, "never")), now)
        for task in sorted(app.periodic_registry.periodic_tasks.values(), key=lambda one: str(one.task.name))
    ]


def _policy(task: PeriodicTask[..., object, ...], last: tuple[datetime | None, str], now: datetime) -> Policy:
    began, result = last
    following = _after(task, began or now)
    return Policy(
        name=str(task.task.name),
        cron=task.cron,
        last_run=began,
        last_result=result,
        next_run=_after(task, now),
        late=began is not None and now > following + GRACE,
    )


def _after(task: PeriodicTask[..., object, ...], instant: datetime) -> datetime:
    seconds: float = task.croniter.get_next(ret_type=float, start_time=instant.timestamp())
    return datetime.fromtimestamp(seconds, tz=UTC)


def _last_runs() -> Mapping[str, tuple[datetime | None, str]]:
    names = sorted({str(one.task.name) for one in app.periodic_registry.periodic_tasks.values()})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.name, CASE WHEN done THEN due.at ELSE began.at END,
                CASE WHEN done THEN 'succeeded' ELSE job.status::text END
            FROM unnest(%s::text[]) AS wanted (name)
            LEFT JOIN LATERAL (
                SELECT id, status FROM procrastinate_jobs WHERE task_name = wanted.name AND status <> 'todo'
                ORDER BY id DESC LIMIT 1
            ) AS job ON true
            LEFT JOIN LATERAL (
                SELECT max(at) AS at FROM procrastinate_events WHERE job_id = job.id AND type = 'started'
            ) AS began ON true
            -- A job that succeeded is deleted: when it was due last is all that is left of it.
            LEFT JOIN LATERAL (
                SELECT to_timestamp(max(defer_timestamp)) AS at FROM procrastinate_periodic_defers
                WHERE task_name = wanted.name AND job_id IS NULL
            ) AS due ON true
            CROSS JOIN LATERAL (SELECT due.at IS NOT NULL AND (job.id IS NULL OR due.at > began.at)) AS newer (done)
            WHERE job.id IS NOT NULL OR due.at IS NOT NULL
            """,
            [names],
        )
        return {name: (began, {"doing": "running"}.get(status, status)) for name, began, status in cursor}
