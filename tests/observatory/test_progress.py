"""Long work of operators says on stderr how much is done, how fast, and for how long it goes on."""

import re
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.management import progress
from analytics.management.progress import DayProgress
from observatory.management import operating
from tests.analytics.costs.books import add, call, row
from tests.analytics.costs.books import send as send_calls
from tests.analytics.storage.retaining import OLD, YOUNG, refresh_all, send

DAY = ("--from", f"{YOUNG:%Y-%m-%d}", "--to", f"{YOUNG + timedelta(days=1):%Y-%m-%d}")


@pytest.fixture
def project(tenant, monkeypatch):
    monkeypatch.setattr(operating, "PROGRESS_SECONDS", 0)
    project = tenant.projects[0]
    send_calls(project, *(call(number, YOUNG) for number in range(1, 4)))
    send(project, 9, OLD)
    refresh_all()
    call_command("retention", "set", "content", "10", stdout=StringIO())
    add(row())
    return project


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("aggregates", "rebuild", *DAY), "buckets rebuilt"),
        (("aggregates", "verify", *DAY), "days compared"),
        (("retention", "apply"), "rows freed"),
        (("recompute_costs", *DAY), "spans priced"),
    ],
    ids=lambda one: " ".join(one[:2]) if isinstance(one, tuple) else None,
)
def test_a_long_command_tells_what_is_done_its_rate_and_the_time_left(project, words, what):
    err = StringIO()
    call_command(*words, stdout=StringIO(), stderr=err)

    lines = err.getvalue().splitlines()
    steps = [re.fullmatch(rf"(\d+) of (\d+) {what}, \d+ a second, (\d+) s left", line) for line in lines]
    assert None not in steps
    done, whole, left = steps[-1].groups()
    assert (done, left) == (whole, "0")


def test_a_refresh_tells_what_is_done(project):
    send(project, 10, YOUNG + timedelta(hours=3))
    err = StringIO()
    call_command("aggregates", "refresh", stdout=StringIO(), stderr=err)

    assert re.fullmatch(r"\d+ of \d+ buckets refreshed, \d+ a second, \d+ s left", err.getvalue().splitlines()[-1])


def test_work_by_day_tells_its_rate_and_how_long_the_rest_takes(monkeypatch):
    clock = iter([100.0, 102.0, 105.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    told = []
    days = DayProgress(told.append, 4000)
    days.done(date(2026, 3, 1), "llm_traces", "500 rows", rows=500, weight=1000, left=2)
    days.done(date(2026, 3, 2), "llm_traces", "500 rows", rows=500, weight=1000, left=1)

    assert told == [
        "2026-03-01  llm_traces: 500 rows; 2 days left, 250 rows/s, about 6 s",
        "2026-03-02  llm_traces: 500 rows; 1 days left, 200 rows/s, about 5 s",
    ]


def test_a_command_that_is_interrupted_says_so_and_what_it_did_stays(project, monkeypatch):
    def interrupt(*_given, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(operating.ReportingCommand, "progress", lambda *_: lambda _total: interrupt)
    before = remaining()
    with pytest.raises(CommandError, match="Interrupted: what was done stays") as end:
        call_command("retention", "apply", stdout=StringIO())
    between = remaining()
    monkeypatch.undo()
    call_command("retention", "apply", stdout=StringIO())

    assert (end.value.returncode, before > between > remaining()) == (1, True)


def remaining():
    """Return how many rows there are of what retention frees."""
    tables = ("llm_contents", "llm_usage_1hour", "llm_models_5min")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {' + '.join(f'(SELECT count(*) FROM {table})' for table in tables)}")
        return cursor.fetchone()[0]
