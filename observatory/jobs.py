"""Periodic jobs of the worker that take several apps: what is past its limit, and alerts about the service itself."""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import blake2b

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app

from analytics.alerts import channels
from analytics.anomalies.service import WatchedProject, anomalies_forget, project_judge, projects_due
from analytics.costs.budgets.evaluation import budget_evaluate
from analytics.events import publish
from analytics.models import Budget
from analytics.registry.events import ALERTS
from analytics.scope import Scope, ScopedProject
from analytics.storage.cost_reports import models_without_cost
from analytics.storage.exclusive import BusyError
from analytics.storage.queue import LONG
from analytics.storage.sizes import lag_by_grain
from analytics.storage.versions import newest_hours
from errors.exceptions import ApiError
from observatory.accounts.models import Organisation, Project
from observatory.accounts.reach import scope_of_projects
from observatory.lifecycle import retention_run
from observatory.operations import QUEUE, TASK, operation_run
from ratelimit.backend import DEGRADED_MARK, AwayError, backend

log = structlog.get_logger("observatory.jobs")
LONGEST_LAG = timedelta(minutes=5)
_BETWEEN_RUNS = timedelta(seconds=59)  # what is due before the next run is done in this one
AGAIN_SECONDS = 86_400  # the same is told once a day
_LAG, _DEGRADED, _UNPRICED = ALERTS


@app.periodic(cron="41 * * * *")
@app.task(name="retention", queueing_lock="retention", pass_context=False)
def retention(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Free what is past its limit; return how many rows. An operator's run that is under way does the same."""
    try:
        freed = retention_run("worker", now=timezone.now())
    except BusyError:
        return 0
    return sum(loss.rows for loss in freed.storage.losses) + freed.audit_rows


@app.periodic(cron="* * * * *")
@app.task(name="alerts", queueing_lock="alerts", pass_context=False)
def alerts(timestamp: int = 0) -> int:  # noqa: ARG001  as above
    """Tell of rollups that are behind, of limits decided without Redis, and of models without a price; return how many.

    While Redis is away nothing can be told: that is caught up with when it is back.
    """
    now, told = timezone.now(), 0
    try:
        degraded = backend.ask(lambda client: client.getdel(DEGRADED_MARK))
        behind = {grain: one.lag for grain, one in lag_by_grain(now=now).items() if one.lag > LONGEST_LAG}
        everybody = list(Organisation.objects.values_list("id", flat=True)) if behind or degraded else []
        for grain, lag in behind.items():
            message = f"Figures by {grain} are {lag.total_seconds():.0f} s behind: the newest are computed from spans."
            told += _tell(everybody, _LAG, message, about=grain)
        if degraded:
            message = "Redis was away: each process decided rate limits by its own share."
            told += _tell(everybody, _DEGRADED, message, about=str(degraded))
        for organisation, provider, model in models_without_cost(since=now - timedelta(days=1)):
            message = f"Model {model or 'without a name'} of {provider or 'no provider'} has usage without a price."
            told += _tell([organisation], _UNPRICED, message, about=f"{provider}/{model}")
    except AwayError:
        pass
    return told


@app.periodic(cron="* * * * *")
@app.task(name="budgets", queueing_lock="budgets", queue=channels.QUEUE, priority=1, pass_context=False)
def budgets(timestamp: int = 0) -> int:  # noqa: ARG001  as above
    """Note what is spent of each budget whose time it is, and tell of rises; return of how many.

    A budget that cannot be summed keeps no other one waiting. Budgets do not wait for long jobs of the default queue,
    and go ahead of the messages whose queue they share.
    """
    now, done = timezone.now(), 0
    due = now - timedelta(seconds=settings.BUDGET_EVALUATION_SECONDS) + _BETWEEN_RUNS
    waiting = Budget.objects.filter(Q(evaluated_at=None) | Q(evaluated_at__lte=due), is_active=True)
    for budget_id in waiting.order_by("evaluated_at").values_list("id", flat=True):
        try:
            done += budget_evaluate(budget_id, scope_of=scope_of_budget, now=timezone.now())
        except (ApiError, DatabaseError) as problem:
            log.warning("budget not evaluated", budget_id=str(budget_id), problem=type(problem).__name__)
    return done


def scope_of_budget(budget: Budget) -> Scope | None:
    """Return the projects that a budget is for; `None` where there is none."""
    return scope_of_projects(budget.organisation_id, budget.project_id)


@app.periodic(cron="*/10 * * * *")
@app.task(name="anomalies", queueing_lock="anomalies", queue=LONG, pass_context=False)
def anomalies(timestamp: int = 0) -> int:  # noqa: ARG001  as above
    """Judge the hours that closed since the last time, project by project; return how many anomalies began or ended.

    A project that cannot be judged keeps no other one waiting.
    """
    told, known = 0, {one.id: one for one in Project.objects.all()}
    if not known:
        return 0
    reach = {
        number: ScopedProject(organisation_id=one.organisation_id, public_id=one.public_id)
        for number, one in known.items()
    }
    newest = newest_hours(Scope(projects=reach, permissions=frozenset()).tenant)
    watched = [
        WatchedProject(
            scope=Scope(projects={number: reach[number]}, permissions=frozenset()),
            name=known[number].name,
            newest=hour,
        )
        for number, hour in sorted(newest.items())
    ]
    for project in projects_due(watched, now=timezone.now()):
        try:
            told += project_judge(project, now=timezone.now())
        except (ApiError, DatabaseError) as problem:
            log.warning("project not judged", project_id=project.project_id, problem=type(problem).__name__)
    anomalies_forget(now=timezone.now())
    return told


@app.task(name=TASK, queue=QUEUE, pass_context=False)
def operation(run_id: str) -> None:
    """Do what somebody asked for in the admin."""
    close_old_connections()  # one that broke under an earlier run
    operation_run(run_id)


def _tell(organisations: Iterable[int], kind: str, message: str, *, about: str) -> int:
    """Publish an alert to each organisation that was not told the same within a day; return to how many."""
    digest, told = blake2b(about.encode(), digest_size=8).hexdigest(), 0
    for organisation in organisations:
        key = f"llmo:alert:{organisation}:{kind}:{digest}"
        if backend.ask(lambda client, key=key: client.set(key, 1, nx=True, ex=AGAIN_SECONDS)):  # type: ignore[misc]  # bound now
            data = {"kind": kind, "message": message, "timestamp": timezone.now()}
            publish(event_type="system_alert", organisation_id=organisation, project_ids=[], data=data)
            told += 1
    return told
