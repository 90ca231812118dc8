"""How the server finds what is asked: by which index, in which partitions."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from analytics.queries.cursors import Cursor
from analytics.queries.filters.document import read_filter
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.values import Limits
from analytics.queries.selection import DEFAULT_SELECTION
from analytics.queries.sorting import RELEVANCE, Sort
from analytics.queries.spans import SpanList, Spans, all_of, list_spans, list_statement
from analytics.queries.timerange import TimeRange
from analytics.queries.traces import SpansSelection, locate_trace, trace_spans
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
        (
            "llm_contents",
            "input_text, search_vector",
            "repeat('x', 500), observatory_document(%(organisation)s, 'word' || number, NULL)",
        ),
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
        indexes = {
            name: definition.partition(" USING ")[2].removeprefix("btree ") for name, definition in cursor.fetchall()
        }
    return [{name.rpartition(".")[2].strip('"'): told for name, told in known.items()} for known in (tables, indexes)]


def _scans(node: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if node["Actual Loops"] and ("Relation Name" in node or node["Node Type"] == "Bitmap Index Scan"):
        yield node.get("Relation Name", ""), node["Node Type"], node.get("Index Name", "")
    for part in node.get("Plans", ()):
        yield from _scans(part)


def at(day: int, hour: int = 0) -> datetime:
    return datetime.fromisoformat(f"{FIRST}T00:00Z") + timedelta(days=day, hours=hour)


def scans_of(work: Callable[[], Any]) -> set[tuple[str, str, str]]:
    """Return the scans of every statement that `work` runs."""
    with CaptureQueriesContext(connection) as asked:
        work()
    return set().union(*(scans(query["sql"]) for query in asked if query["sql"].lstrip().startswith("SELECT")))


def scans_of_list(scope: Scope, start: datetime, end: datetime, **narrowed: Any) -> set[tuple[str, str, str]]:
    wanted = Spans(scope=scope, range=TimeRange(start=start, end=end), **narrowed)
    plan = SpanList(spans=wanted, selection=DEFAULT_SELECTION, limit=50, clock=end)
    return scans_of(lambda: list_spans(plan))


def test_a_list_walks_the_primary_key_of_the_days_in_its_range(filled):
    expected = {("llm_traces 02", "Index Scan", BY_TIME), ("llm_contents 02", "Index Scan", BY_TIME)}

    assert scans_of_list(filled, at(1, 2), at(1, 20)) == engine_sees(expected)


def test_a_list_of_several_days_stops_in_the_newest(filled):
    expected = {("llm_traces 04", "Index Scan", BY_TIME), ("llm_contents 04", "Index Scan", BY_TIME)}

    assert scans_of_list(filled, at(0), at(DAYS)) == engine_sees(expected)


def test_the_spans_of_a_trace_are_found_by_its_index_in_its_day_alone(filled):
    where = locate_trace(filled, A_TRACE)
    pages = []
    made = scans_of(lambda: pages.append(trace_spans(where, selection=SpansSelection(), limit=100)))

    assert len(orjson.loads(pages[0].json)) == SPANS_A_TRACE
    assert {scan for scan in made if not scan[0].startswith("llm_contents")} == {
        ("llm_traces 02", "Index Scan", BY_TRACE)
    }


BY_WORDS = "gin (search_vector)"


def asked(scope: Scope, document: dict[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
    limits = Limits(depth=9, leaves=9, values=9, regex_chars=99, text_chars=99, now=end)
    node = read_filter(document, limits=limits)
    where = TimeRange(start=start, end=end)
    return {"filter": node, "searches": searches_of(node, scope=scope, where=where)}


def test_a_filter_on_numbers_walks_the_primary_key_and_reads_no_content_but_the_pages(filled):
    wanted = asked(filled, {"field": "model", "operator": "eq", "value": "none"}, at(1, 2), at(1, 4))
    assert scans_of_list(filled, at(1, 2), at(1, 4), **wanted) == {("llm_traces 02", "Index Scan", BY_TIME)}


def test_a_search_finds_its_words_by_their_index_in_the_days_of_its_range(filled):
    document = {"field": "content", "operator": "search", "value": f"word{SPANS_A_DAY + 7}"}
    made = scans_of_list(filled, at(1), at(3), **asked(filled, document, at(1), at(3)))
    words = {scan for scan in made if "gin" in scan[2]}
    assert {(how, index.split(" WHERE")[0]) for _, how, index in words} == {("Bitmap Index Scan", BY_WORDS)}
    assert {table for table, *_ in made if table.startswith("llm_traces")} <= {"llm_traces 02", "llm_traces 03"}


def planned(sql: str, parameters: dict[str, Any]) -> set[tuple[str, str]]:
    """Return (table, index) of every scan that the plan of a statement has, whether it would be made or not."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        ((plan,),) = cursor.fetchall()
    (top,) = orjson.loads(plan) if isinstance(plan, str) else plan
    tables, indexes = names()

    def scanned(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if "Relation Name" in node and node["Node Type"] != "Custom Scan":
            yield tables.get(node["Relation Name"], node["Relation Name"]), ""
        if "Index Name" in node:
            yield "", indexes.get(node["Index Name"], node["Index Name"]).split(" WHERE")[0]
        for part in node.get("Plans", ()):
            yield from scanned(part)

    return set(scanned(top["Plan"]))


@pytest.mark.parametrize("made", ["a page", "by relevance", "a count"])
@pytest.mark.parametrize(
    "question", ["word{}", "word{} -other", '"word {}"', "is_word{}", "word{} OR word1"], ids=lambda text: text[:12]
)
def test_a_search_plans_for_the_days_of_its_range_alone_and_for_the_index_of_words(filled, question, made):
    document = {"field": "content", "operator": "search", "value": question.format(SPANS_A_DAY + 7)}
    where = TimeRange(start=at(1), end=at(3))
    spans = Spans(scope=filled, range=where, **asked(filled, document, where.start, where.end))
    sort = Sort(key=RELEVANCE if made == "by relevance" else "ts")
    plan = SpanList(spans=spans, selection=DEFAULT_SELECTION, limit=50, clock=where.end, sort=sort)
    scanned = planned(*(all_of(spans, "count(*)") if made == "a count" else list_statement(plan)))

    assert {table for table, _ in scanned if table} == {
        f"{relation} {day}" for relation in ("llm_traces", "llm_contents") for day in ("02", "03")
    }
    assert BY_WORDS in {index for _, index in scanned}


@pytest.mark.parametrize(("descending", "left"), [(True, ("01", "02")), (False, ("02", "03", "04"))])
def test_a_later_page_of_a_filter_on_texts_plans_for_the_days_that_are_left(filled, descending, left):
    where = TimeRange(start=at(0), end=at(DAYS))
    document = {"field": "input_text", "operator": "contains", "value": "x"}
    spans = Spans(scope=filled, range=where, **asked(filled, document, where.start, where.end))
    first = SpanList(
        spans=spans, selection=DEFAULT_SELECTION, limit=50, clock=where.end, sort=Sort(descending=descending)
    )
    behind = Cursor(
        ts=at(1, 12), trace_id=bytes(16), span_id=bytes(8), start=where.start, end=where.end, clock=where.end
    )
    scanned = planned(*list_statement(replace(first, after=behind)))

    assert {table for table, _ in scanned if table} == {f"{relation} {day}" for relation in TABLES for day in left}


def test_rows_without_a_vector_are_looked_for_by_an_index_of_them_alone(filled):
    where = TimeRange(start=at(0), end=at(DAYS))
    document = {"field": "content", "operator": "search", "value": "word7"}
    limits = Limits(depth=9, leaves=9, values=9, regex_chars=99, text_chars=99, now=at(DAYS))
    node = read_filter(document, limits=limits)
    with transaction.atomic():
        made = scans_of(lambda: searches_of(node, scope=filled, where=where))
    assert {index for table, _, index in made if table.startswith("llm_contents")} <= {
        "(ts) WHERE ((search_vector IS NULL) AND ((input_text IS NOT NULL) OR (output_text IS NOT NULL)))"
    }
