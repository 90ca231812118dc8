"""How the server finds what is asked: by which index, in which partitions."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.queries.selection import DEFAULT_SELECTION
from analytics.queries.spans import SpanList, list_statement, locate_trace, trace_spans
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope
from analytics.storage.engines import engine
from analytics.storage.partitions import ensure_days, forget_days
from tests import timescale
from tests.analytics.storage.conftest import drop_days

FIRST = date(2001, 4, 1)
# The spans of a trace lie far apart in one day, so that its time range alone is no way to find them.
DAYS, SPANS_A_DAY, SPANS_A_TRACE = 4, 4000, 4
TRACES_A_DAY = SPANS_A_DAY // SPANS_A_TRACE
TABLES = ("llm_traces", "llm_contents")
BY_TIME = "(organisation_id, project_id, ts, trace_id, span_id)"
BY_TRACE = "(organisation_id, project_id, trace_id)"
A_TRACE = (SPANS_A_DAY + 8).to_bytes(16, "big").hex()  # of the second day


@pytest.fixture
def filled(committed: Scope, owner: psycopg.Connection) -> Iterator[Scope]:
    """The scope of a project with days of spans, of which the server has statistics."""
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    ensure_days(days)
    (organisation,) = committed.projects
    for table, columns, values in (
        (
            "llm_traces",
            "ingested_at, duration_ms, usage_counted, call_counted, span_name, span_kind, status_code",
            "now(), 1, true, true, 'chat', 'client', 'OK'",
        ),
        ("llm_contents", "input_text", "repeat('x', 500)"),
    ):
        owner.execute(
            f"""
            INSERT INTO {table} (organisation_id, project_id, ts, trace_id, span_id, {columns})
            SELECT %(organisation)s, %(organisation)s, %(first)s::timestamptz + number * %(step)s::interval,
                decode(lpad(to_hex(number / {SPANS_A_DAY} * {SPANS_A_DAY} + number %% {TRACES_A_DAY}), 32, '0'), 'hex'),
                decode(lpad(to_hex(number), 16, '0'), 'hex'), {values}
            FROM generate_series(0, %(spans)s - 1) AS number
            """,
            {
                "organisation": organisation,
                "first": f"{FIRST}T00:00Z",
                "step": timedelta(days=1) / SPANS_A_DAY,
                "spans": DAYS * SPANS_A_DAY,
            },
        )
    owner.execute(
        """
        INSERT INTO trace_index SELECT organisation_id, project_id, trace_id, min(ts), max(ts) FROM llm_traces
        WHERE organisation_id = %s GROUP BY 1, 2, 3
        """,
        [organisation],
    )
    for table in (*TABLES, "trace_index"):
        owner.execute(f"ANALYZE {table}")
    yield committed
    drop_days(owner, days)
    forget_days()


def scans(sql: str, parameters: dict[str, Any] | None = None) -> set[tuple[str, str, str]]:
    """Return (table, how it is scanned, by which index) of every scan that a statement really makes."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        ((plan,),) = cursor.fetchall()
    (top,) = orjson.loads(plan) if isinstance(plan, str) else plan
    days, columns = names()
    found = {(days.get(table, table), how, columns.get(index, index)) for table, how, index in _scans(top["Plan"])}
    return engine_sees(found)


def engine_sees(found: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Leave out, on TimescaleDB, the node above chunks, and content: its chunks are not pruned by another row's start."""
    if not timescale.wanted():
        return found
    return {scan for scan in found if scan[1] != "Custom Scan" and not scan[0].startswith("llm_contents")}


def names() -> list[dict[str, str]]:
    """Return tables of days by what they hold, and indexes by their columns: engines name both in their own ways."""
    tables = {
        stored.table: f"{stored.relation} {stored.day:%d}" for relation in TABLES for stored in engine().days(relation)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = ANY(%s::regclass[])",
            [list(tables)],
        )
        indexes = {name: definition.partition("btree ")[2] for name, definition in cursor.fetchall()}
    return [{name.rpartition(".")[2].strip('"'): told for name, told in known.items()} for known in (tables, indexes)]


def _scans(node: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if node["Actual Loops"] and ("Relation Name" in node or node["Node Type"] == "Bitmap Index Scan"):
        yield node.get("Relation Name", ""), node["Node Type"], node.get("Index Name", "")
    for part in node.get("Plans", ()):
        yield from _scans(part)


def at(day: int, hour: int = 0) -> datetime:
    return datetime.fromisoformat(f"{FIRST}T00:00Z") + timedelta(days=day, hours=hour)


def the_list(scope: Scope, start: datetime, end: datetime) -> tuple[str, dict[str, Any]]:
    return list_statement(
        SpanList(scope=scope, range=TimeRange(start=start, end=end), selection=DEFAULT_SELECTION, limit=50)
    )


def test_a_list_walks_the_primary_key_of_the_days_in_its_range(filled):
    expected = {("llm_traces 02", "Index Scan", BY_TIME), ("llm_contents 02", "Index Scan", BY_TIME)}

    assert scans(*the_list(filled, at(1, 2), at(1, 20))) == engine_sees(expected)


def test_a_list_of_several_days_stops_in_the_newest(filled):
    expected = {("llm_traces 04", "Index Scan", BY_TIME), ("llm_contents 04", "Index Scan", BY_TIME)}

    assert scans(*the_list(filled, at(0), at(DAYS))) == engine_sees(expected)


def test_the_spans_of_a_trace_are_found_by_its_index_in_its_day_alone(filled):
    project, where = locate_trace(filled, A_TRACE)
    with CaptureQueriesContext(connection) as asked:
        found = trace_spans(filled, project, A_TRACE, where, selection=DEFAULT_SELECTION, limit=100)
    (statement,) = (query["sql"] for query in asked)

    assert len(found) == SPANS_A_TRACE
    assert {scan for scan in scans(statement) if not scan[0].startswith("llm_contents")} == {
        ("llm_traces 02", "Index Scan", BY_TRACE)
    }
