"""Spans of some weeks, of which the last hour may be another, and what judges them."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.anomalies.service import WatchedProject, project_judge
from analytics.scope import Scope, ScopedProject
from tests.analytics.api.conftest import send  # noqa: F401  a fixture
from tests.analytics.api.payloads import NS, span

HOUR, DAY, DAYS = timedelta(hours=1), timedelta(days=1), 16
_NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
# A Thursday's afternoon: the hours of the days before it are like it.
LAST = _NOW - DAY * ((_NOW.weekday() - 3) % 7 or 7) + HOUR * 15


def calls(hour, *, count=10, seconds=0.25, **given):
    """Return some calls of an hour that take about as long."""
    start = int(hour.timestamp()) * NS
    return [
        span(start_ns=start + number * 60 * NS, duration_ms=round(seconds * (900 + 20 * number)), **given)
        for number in range(count)
    ]


@pytest.fixture
def usual_weeks(send):  # noqa: F811
    """Two weeks and a bit of calls of some hours of each day, up to the hour before `LAST`."""
    hours = [LAST - DAY * day - HOUR * number for day in range(DAYS) for number in range(3)]
    send(*(one for hour in hours if hour != LAST for one in calls(hour)))


@pytest.fixture
def judge(tenant, django_capture_on_commit_callbacks):
    """Return a function that judges the hours up to one, in which a span came, as the worker does after it."""

    def run(newest=LAST + HOUR):
        (project,) = tenant.projects
        known = ScopedProject(organisation_id=tenant.organisation.id, public_id=project.public_id)
        watched = WatchedProject(
            scope=Scope(projects={project.id: known}, permissions=frozenset()), name="main", newest=newest
        )
        with django_capture_on_commit_callbacks(execute=True):
            return project_judge(watched, now=newest + HOUR)

    return run
