"""Spans that came after the server's last statistics: it expects one of them, and there are as many as there are."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from django.db import connection

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.values import Limits
from analytics.queries.plans import Question
from analytics.queries.selection import select
from analytics.queries.snapshots import snapshot
from analytics.queries.sources import Segment
from analytics.queries.spans import SpanList, Spans, list_statement
from analytics.queries.statements import Statements
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import dimension
from analytics.registry.grains import ALL
from analytics.registry.measures import figure
from analytics.scope import Scope
from analytics.storage.partitions import ensure_days, forget_days
from tests.analytics.storage.conftest import drop_days
from tests.analytics.storage.test_plans import at

FIRST = date(2001, 4, 1)
KNOWN, NEW = 5000, 1000
# By the key of each it takes a few rows a span; by the hour alone it takes all of the hour for each.
MOST_READ = 10 * NEW
WHERE = TimeRange(start=at(0, 12), end=at(0, 13))


@pytest.fixture
def new(committed: Scope, owner: psycopg.Connection) -> Iterator[Scope]:
    """The scope of a project with spans of a night that the server has statistics of, and of a noon that it has none of."""
    ensure_days([FIRST])
    (organisation,) = committed.projects
    for hour, spans in ((1, KNOWN), (12, NEW)):
        for table, columns, values in (
            (
                "llm_traces",
                "ingested_at, duration_ms, usage_counted, call_counted, span_name, span_kind, status_code",
                "now(), 1, true, true, 'chat', 'client', 'OK'",
            ),
            ("llm_contents", "input_text, attributes", "'word' || number, '{\"tier\": \"gold\"}'"),
        ):
            owner.execute(
                f"""
                INSERT INTO {table} (organisation_id, project_id, ts, trace_id, span_id, {columns})
                SELECT %(organisation)s, %(organisation)s, %(first)s::timestamptz + number * interval '1 ms',
                    decode(lpad(to_hex(%(from)s + number), 32, '0'), 'hex'),
                    decode(lpad(to_hex(%(from)s + number), 16, '0'), 'hex'), {values}
                FROM generate_series(1, %(spans)s) AS number
                """,
                {"organisation": organisation, "first": at(0, hour), "from": hour * KNOWN, "spans": spans},
            )
            if spans == KNOWN:
                owner.execute(f"ANALYZE {table}")
    yield committed
    drop_days(owner, [FIRST, FIRST + timedelta(days=1)])
    forget_days()


def rows_read(sql: str, given: dict[str, Any]) -> int:
    """Return how many rows of tables the statement looks at."""

    def read(node: dict[str, Any]) -> Iterator[float]:
        if "Relation Name" in node:
            looked_at = node["Actual Rows"] + sum(
                node.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck")
            )
            yield looked_at * node["Actual Loops"]
        for part in node.get("Plans", ()):
            yield from read(part)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", given)
        ((answer,),) = cursor.fetchall()
    (top,) = orjson.loads(answer) if isinstance(answer, str) else answer
    return int(sum(read(top["Plan"])))


@pytest.mark.parametrize("word", ["word1000", "nowhere"])
def test_a_search_of_a_new_hour_reads_each_span_once(new, word):
    limits = Limits(depth=9, leaves=9, values=9, regex_chars=99, text_chars=99, now=WHERE.end)
    node = read_filter({"field": "content", "operator": "search", "value": word}, limits=limits)
    spans = Spans(scope=new, range=WHERE, filter=node, searches=searches_of(node, scope=new, where=WHERE))
    plan = SpanList(spans=spans, selection=select(["span_id"]), limit=50, clock=WHERE.end)

    with snapshot():
        assert NEW <= rows_read(*list_statement(plan)) <= MOST_READ


def test_figures_of_a_new_hour_by_an_attribute_read_each_span_once(new):
    question = Question(
        scope=new,
        range=WHERE,
        figures=[figure("request_count")],
        grain=ALL,
        group_by=[dimension("attributes.tier")],
    )
    segment = Segment(rollup=None, start=WHERE.start, end=WHERE.end)

    assert NEW <= rows_read(*Statements(question=question, segments=[segment]).facts(ordered=True)) <= MOST_READ
