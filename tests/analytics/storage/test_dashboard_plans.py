"""What dashboards read: the rollup with the fewest rows, and spans of no other day than those it says nothing of."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.queries.figures import ask
from analytics.queries.plans import Question, Sort
from analytics.queries.reports.performance import performance
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import FIGURES
from analytics.registry.rollups import GRAIN_WIDTHS, ROLLUPS
from analytics.scope import Scope
from analytics.storage.rollups import refresh
from tests.analytics.storage.test_plans import DAYS, at, filled, scans

__all__ = ["filled"]  # the fixture of four days of spans
ALL_DAYS = (at(0), at(DAYS))
RAGGED = (at(0, 6) + timedelta(minutes=30), at(3, 12) + timedelta(minutes=15))


@pytest.fixture
def refreshed(filled: Scope, owner: psycopg.Connection) -> Iterator[Scope]:
    """The scope of days whose rollups are up to date; they are older than what retention would leave."""
    owner.execute("DELETE FROM retention_horizons")
    mark(filled, owner, "1 = 1")
    for grain in GRAIN_WIDTHS:
        while refresh(grain, before=at(DAYS)).more:
            pass
    for rollup in ROLLUPS:
        owner.execute(f"ANALYZE {rollup.table}")
    yield filled
    for rollup in ROLLUPS:
        owner.execute(f"DELETE FROM {rollup.table} WHERE organisation_id = ANY(%s)", [list(filled.projects)])


def mark(scope: Scope, owner: psycopg.Connection, condition: str, *values: Any) -> None:
    owner.execute(
        f"""
        INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
        SELECT DISTINCT organisation_id, project_id, grain, date_bin(width, ts, TIMESTAMPTZ '1970-01-01 00:00Z')
        FROM llm_traces, (VALUES ('1min', interval '1 minute'), ('5min', interval '5 minutes'),
            ('1hour', interval '1 hour')) AS grains (grain, width)
        WHERE organisation_id = ANY(%s) AND {condition}
        """,
        [list(scope.projects), *values],
    )


def by(label: str, scope: Scope, start: datetime, end: datetime) -> Question:
    return Question(
        scope=scope,
        range=TimeRange(start=start, end=end),
        figures=[FIGURES["total_cost_usd"]],
        group_by=[DIMENSIONS[label]],
        sort=Sort(by="total_cost_usd"),
        limit=20,
    )


def read_by(asked: CaptureQueriesContext) -> set[str]:
    """Return rollups, and tables of spans with their day, that the captured questions looked at.

    What is behind, and has slices, is looked up before.
    """
    statements = [query["sql"] for query in asked if "llm_" in query["sql"] and "bucket_change" not in query["sql"]]
    return {table for statement in statements for table, _, _ in scans(statement)} - {""}  # of a bitmap


def test_latencies_by_hour_read_totals_without_labels(refreshed):
    where = TimeRange(start=at(0), end=at(DAYS))
    with CaptureQueriesContext(connection) as asked:
        performance(scope=refreshed, where=where, filters=(), grain=GRAINS["1hour"])

    assert read_by(asked) == {"llm_totals_1hour", "llm_totals_1day"}


def test_errors_by_day_read_the_totals_of_days(refreshed):
    where = TimeRange(start=at(0), end=at(DAYS))
    with CaptureQueriesContext(connection) as asked:
        ask(Question(scope=refreshed, range=where, figures=[FIGURES["error_rate"]], grain=GRAINS["1day"]))

    assert read_by(asked) == {"llm_totals_1day"}


@pytest.mark.parametrize(
    ("label", "rollup"),
    [("model", "llm_models_1day"), ("service_name", "llm_metrics_1day"), ("user_id", "llm_usage_1day")],
)
def test_cost_by_a_label_reads_the_days_that_keep_it(refreshed, label, rollup):
    with CaptureQueriesContext(connection) as asked:
        ask(by(label, refreshed, *ALL_DAYS))

    assert read_by(asked) == {rollup}


def test_ragged_ends_read_hours_and_then_five_minutes(refreshed):
    with CaptureQueriesContext(connection) as asked:
        ask(by("model", refreshed, *RAGGED))

    assert read_by(asked) == {"llm_models_1day", "llm_metrics_1hour", "llm_models_5min"}


def test_users_of_an_open_day_read_its_hours_and_spans_of_the_open_hour(refreshed, owner):
    mark(refreshed, owner, "ts >= %s", at(3, 23))
    with CaptureQueriesContext(connection) as asked:
        ask(by("user_id", refreshed, *ALL_DAYS))

    assert read_by(asked) == {"llm_usage_1day", "llm_usage_1hour", "llm_traces 04"}


def test_questions_without_a_rollup_prune_days(refreshed):
    with CaptureQueriesContext(connection) as asked:
        ask(by("session_id", refreshed, at(1), at(2)))

    assert read_by(asked) == {"llm_traces 02"}
