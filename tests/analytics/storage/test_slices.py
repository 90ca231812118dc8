"""The hour that is still open is answered from its slices: as spans would, and never from one that is behind."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.queries.figures import ask as ask_all
from analytics.queries.plans import Question
from analytics.queries.runs import Known, settled
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import ALL
from analytics.registry.measures import FIGURES, OF_LISTS, figure
from analytics.registry.rollups import SLICES
from analytics.scope import ScopedProject
from analytics.storage import changes, reading, slices
from analytics.storage.erasing import delete_usage
from analytics.storage.spans import Tenant
from tests.analytics.storage.test_rollups import DAY, DISTINCT, raw, refresh_all, same, scope, send

__all__ = ["scope"]  # fixture
QUARTER, END = DAY + timedelta(minutes=15), DAY + timedelta(minutes=18)
ASKED = [figure("request_count"), figure("total_cost"), figure("duration", "p95", key="duration_p95")]
OPEN = {  # what is asked of the open hour, by the slices that answer
    "llm_metrics_slice": {"figures": ASKED, "group_by": ["service_name"]},
    "llm_usage_slice": {"figures": ASKED[:2], "group_by": ["user_id"]},
    "llm_distinct_slice": {"figures": DISTINCT},
    "llm_unpriced_slice": {
        "figures": [FIGURES["unpriced_requests"], OF_LISTS["unpriced_max"]],
        "group_by": ["unpriced_reason"],
        "presence": ("unpriced_count",),
    },
}
BUT_FOR_MINUTE_6 = {table: [(table, 0, 6), ("spans", 6, 7), (table, 7, 15), ("spans", 15, 18)] for table in OPEN}


def question(of, *, group_by=(), start=DAY, end=END, **given):
    where = TimeRange(start=start, end=end)
    return Question(scope=of, range=where, group_by=[DIMENSIONS[key] for key in group_by], **given)


def sources(asked: Question) -> list[tuple[str, int, int]]:
    """Return the sources of the last part of a question, with the minutes from which to which they answer."""
    run = settled(asked, Known())
    return [
        (
            one.rollup.table if one.rollup else "spans",
            *((at - DAY) // timedelta(minutes=1) for at in (one.start, one.end)),
        )
        for one in run.segments(asked.parts[-1])
    ]


def assert_as_spans(asked: Question) -> None:
    of_spans = replace(asked, grain=replace(ALL, exact=True))
    (answer,), (exact,) = ask_all(asked), ask_all(of_spans)
    for one, other in zip(answer.items(), exact.items(), strict=True):
        same(one, other)


def calls(minutes: Sequence[float], first: int = 1):
    """Return a call in each of `minutes`; of every other one nobody knows the price."""
    return [
        raw(
            number,
            offset=minute * 60,
            duration=number * 40,
            user=f"user {number % 3}",
            session=f"session {number}",
            model=("gpt-4o", "a model of our own")[number % 2],
        )
        for number, minute in enumerate(minutes, start=first)
    ]


@pytest.fixture
def of_an_hour(scope, monkeypatch):
    """The scope of a project with two spans in each minute of an hour, of which a quarter has ended and is made."""
    monkeypatch.setattr(slices, "BUSY_SPANS", 2)
    send(scope, *calls([half / 2 for half in range(36)]))
    refresh_all(before=QUARTER)
    return scope


@pytest.mark.parametrize("table", OPEN)
def test_slices_answer_for_the_open_hour(of_an_hour, table):
    asked = question(of_an_hour, **OPEN[table])
    assert sources(asked) == [(table, 0, 15), ("spans", 15, 18)]
    assert_as_spans(asked)


@pytest.mark.parametrize("table", OPEN)
def test_a_slice_that_is_behind_does_not_answer(of_an_hour, table):
    asked = question(of_an_hour, **OPEN[table])
    send(of_an_hour, *calls([6], first=50))
    assert sources(asked) == BUT_FOR_MINUTE_6[table]
    assert_as_spans(asked)
    refresh_all(before=QUARTER)
    assert sources(asked) == [(table, 0, 15), ("spans", 15, 18)]
    assert_as_spans(asked)


@pytest.mark.parametrize("table", OPEN)
def test_a_minute_that_is_made_anew_without_its_slice_leaves_none_that_counts(of_an_hour, monkeypatch, table):
    asked = question(of_an_hour, **OPEN[table])
    send(of_an_hour, *calls([6], first=50))
    monkeypatch.setattr(slices, "remake", lambda _minutes: None)  # as a worker of an older version does
    refresh_all(before=QUARTER)
    assert sources(asked) == BUT_FOR_MINUTE_6[table]
    assert_as_spans(asked)
    refresh_all(before=DAY + timedelta(hours=1))  # nor is the hour made of it
    (hour,) = (one for one in SLICES if SLICES[one].table == table)
    whole = replace(asked, range=TimeRange(start=DAY, end=DAY + timedelta(hours=1)))
    assert sources(whole) == [(hour, 0, 60)]
    assert_as_spans(whole)


def test_a_minute_that_is_no_longer_busy_has_no_slice(of_an_hour, monkeypatch):
    monkeypatch.setattr(slices, "BUSY_SPANS", 4)
    send(of_an_hour, *calls([6], first=50))
    refresh_all(before=QUARTER)
    assert sources(question(of_an_hour, **OPEN["llm_metrics_slice"])) == BUT_FOR_MINUTE_6["llm_metrics_slice"]


def test_slices_that_name_an_erased_user_count_no_more(of_an_hour):
    (project,) = of_an_hour.projects.items()
    delete_usage(Tenant(organisation_id=project[1].organisation_id, project_id=project[0]), "user 1")
    asked = question(of_an_hour, **OPEN["llm_usage_slice"])
    assert_as_spans(asked)  # what the user sent while the rest was erased is still there
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM llm_usage_slice WHERE user_id = 'user 1'")
        assert cursor.fetchone() == (0,)


def test_after_a_crash_which_empties_slices_spans_answer(of_an_hour):
    with connection.cursor() as cursor:
        for one in SLICES.values():
            cursor.execute(f"DELETE FROM {one.table}")
    asked = question(of_an_hour, **OPEN["llm_metrics_slice"])
    assert sources(asked) == [("spans", 0, 18)]
    assert_as_spans(asked)


def test_a_range_that_begins_in_an_hour_of_today_begins_with_its_slices(of_an_hour):
    refresh_all(before=DAY + timedelta(hours=1))  # the hour is made, its day is not
    start, end = DAY + timedelta(minutes=4, seconds=10), DAY + timedelta(hours=1)
    asked = question(of_an_hour, **OPEN["llm_metrics_slice"], start=start, end=end)
    assert sources(asked) == [("spans", 4, 5), ("llm_metrics_slice", 5, 18), ("spans", 18, 60)]
    assert_as_spans(asked)


def test_slices_of_several_projects_answer_where_each_has_one_or_no_spans(of_an_hour, make_tenant):
    (other,) = make_tenant("globex").projects
    others = ScopedProject(organisation_id=other.organisation_id, public_id=other.public_id)
    both = replace(of_an_hour, projects={**of_an_hour.projects, other.id: others})
    send(replace(both, projects={other.id: others}), raw(60, offset=6 * 60))  # too few for a slice
    refresh_all(before=QUARTER)
    asked = question(both, **OPEN["llm_metrics_slice"])
    assert sources(asked) == BUT_FOR_MINUTE_6["llm_metrics_slice"]
    assert_as_spans(asked)


def test_a_standby_which_has_no_slices_is_not_asked_for_them(of_an_hour, monkeypatch):
    monkeypatch.setattr(changes, "alias", lambda: reading.STANDBY)
    with CaptureQueriesContext(connection) as made:
        assert sources(question(of_an_hour, **OPEN["llm_metrics_slice"])) == [("spans", 0, 18)]
    assert not any("_slice" in one["sql"] for one in made)


def test_what_says_that_a_slice_was_made_is_forgotten_last(of_an_hour):
    (project,) = of_an_hour.projects
    bucket = (of_an_hour.projects[project].organisation_id, project, DAY)
    with CaptureQueriesContext(connection) as made:
        slices.forget([bucket], timedelta(hours=1))
    tables = [table for one in made for table in OPEN if f"DELETE FROM {table} " in one["sql"]]
    assert (set(tables), tables[-1]) == (set(OPEN), "llm_distinct_slice")
    assert sources(question(of_an_hour, **OPEN["llm_metrics_slice"])) == [("spans", 0, 18)]


@pytest.mark.parametrize("table", OPEN)
def test_a_worker_of_an_older_version_keeps_no_slices_of_five_minutes(of_an_hour, table):
    old = table.replace("slice", "5min")
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {old} WITH made AS (SELECT * FROM {table}) SELECT * FROM made")
        cursor.execute(f"SELECT count(*) FROM {old}")
        assert cursor.fetchone() == (0,)
