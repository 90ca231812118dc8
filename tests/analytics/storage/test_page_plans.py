"""How pages of spans are found: the first of a filtered list, a late one, one over several projects, one of roots."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from django.db import connection

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.values import Limits
from analytics.queries.selection import select
from analytics.queries.sorting import Sort
from analytics.queries.spans import SpanList, Spans, Within, list_spans, list_statement
from analytics.queries.timerange import TimeRange
from analytics.queries.traces import select_detail, trace_detail
from analytics.scope import Scope, ScopedProject
from tests.analytics.storage.test_plans import BY_TIME, BY_TRACE, DAYS, SPANS_A_DAY, at, filled, scans
from tests.analytics.storage.test_read_plans import BY_COST, FAILED, told

__all__ = ["filled", "told"]  # fixtures
LIMIT = 50
EVERYTHING = TimeRange(start=at(0), end=at(DAYS))


def page_of(scope: Scope, where: TimeRange = EVERYTHING, **narrowed: Any) -> SpanList:
    wanted = Spans(scope=scope, range=where, **narrowed)
    return SpanList(spans=wanted, selection=select(["span_id"]), limit=LIMIT, clock=where.end)


def explained(plan: SpanList) -> dict[str, Any]:
    sql, given = list_statement(plan)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", given)
        ((answer,),) = cursor.fetchall()
    (top,) = orjson.loads(answer) if isinstance(answer, str) else answer
    root: dict[str, Any] = top["Plan"]
    return root


def spans_read(plan: SpanList) -> int:
    """Return how many rows of spans the statement of a page looks at."""
    return sum(_rows(explained(plan)))


def sorts_of(plan: SpanList) -> set[str]:
    """Return the ways in which the statement of a page sorts more rows than it gives."""

    def found(node: dict[str, Any]) -> Iterator[str]:
        (*below,) = node.get("Plans", ())
        if "Sort Method" in node and max(one["Actual Rows"] for one in below) > plan.limit + 1:
            yield node["Sort Method"]
        for part in below:
            yield from found(part)

    return set(found(explained(plan)))


def _rows(node: dict[str, Any]) -> Iterator[int]:
    if "Relation Name" in node and node["Node Type"] != "Custom Scan":
        yield int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    for part in node.get("Plans", ()):
        yield from _rows(part)


def days_and_indexes(plan: SpanList) -> set[tuple[str, str]]:
    return {(table, index) for table, how, index in scans(*list_statement(plan)) if how != "Bitmap Index Scan"}


def late(plan: SpanList, pages: int) -> SpanList:
    """Return the plan of the page behind so many."""
    behind = list_spans(replace(plan, limit=LIMIT * pages))
    assert behind.next is not None
    return replace(plan, after=behind.next)


@pytest.fixture
def two(filled: Scope, owner: psycopg.Connection) -> Scope:
    """The scope of two projects that hold the same spans."""
    ((number, project),) = filled.projects.items()
    columns = "ts, ingested_at, trace_id, span_id, duration_ms, usage_counted, call_counted, span_name, span_kind, status_code"
    owner.execute(
        f"""INSERT INTO llm_traces (organisation_id, project_id, {columns})
        SELECT organisation_id, project_id + 1, {columns} FROM llm_traces WHERE organisation_id = %s""",
        [number],
    )
    owner.execute("VACUUM (ANALYZE) llm_traces")
    other = ScopedProject(organisation_id=project.organisation_id, public_id=UUID(int=number + 1))
    return replace(filled, projects={number: project, number + 1: other})


@pytest.mark.parametrize(("status", "index", "most"), [("ERROR", FAILED, 8), ("OK", BY_TIME, 30)])
def test_the_first_page_of_a_provider_model_and_status_is_read_from_the_top_of_the_newest_day(
    told, status, index, most
):
    leaves = {"provider": "openai", "model": "gpt-4o", "status_code": status}
    document = {
        "operator": "AND",
        "filters": [{"field": field, "operator": "eq", "value": value} for field, value in leaves.items()],
    }
    limits = Limits(depth=9, leaves=9, values=9, regex_chars=99, text_chars=99, now=at(DAYS))
    plan = replace(page_of(told, filter=read_filter(document, limits=limits)), limit=5)

    assert (days_and_indexes(plan), spans_read(plan) <= most) == ({("llm_traces 04", index)}, True)


def test_a_late_page_begins_where_the_page_before_ended_in_the_days_behind_it_alone(filled):
    plan = late(page_of(filled), 100)  # 5,000 spans: in the second newest day

    assert (days_and_indexes(plan), spans_read(plan)) == ({("llm_traces 03", BY_TIME)}, LIMIT + 1)


def test_a_late_page_over_projects_begins_where_the_page_before_ended_in_each(two):
    plan = late(page_of(two), 200)

    assert days_and_indexes(plan) == {("llm_traces 03", BY_TIME)}
    assert spans_read(plan) <= 2 * (
        LIMIT + 2
    )  # of the one whose turn it is not, the cursor's own span is looked at too


def by(key: str, scope: Scope, *, descending: bool = True) -> list[SpanList]:
    """Return the first page of a day in an order, and the page behind fifty."""
    where = TimeRange(start=at(1), end=at(2))
    first = replace(page_of(scope, where), sort=Sort(key=key, descending=descending))
    return [first, late(first, 50)]


def test_a_late_page_by_cost_begins_in_the_index_where_the_page_before_ended(told):
    first, behind = by("total_cost_usd", told)

    assert days_and_indexes(behind) == {("llm_traces 02", BY_COST)}
    assert max(spans_read(first), spans_read(behind)) <= LIMIT + 3  # and what costs as much as the cursor's


def test_a_late_page_in_an_order_without_an_index_reads_its_range_once_like_the_first_and_keeps_a_page_of_it(told):
    for plan in [*by("duration_ms", told), by("total_cost_usd", told, descending=False)[0]]:
        assert (spans_read(plan), sorts_of(plan)) == (SPANS_A_DAY, {"top-N heapsort"})


def test_parents_are_looked_for_near_the_range_and_else_in_the_time_of_their_own_trace(filled, owner):
    (number,) = filled.projects
    newest = [number, at(DAYS - 1)]
    owner.execute("UPDATE llm_traces SET parent_span_id = '\\xff' WHERE organisation_id = %s AND ts >= %s", newest)
    reaching = "UPDATE trace_index SET first_ts = %s WHERE organisation_id = %s AND last_ts >= %s"
    owner.execute(reaching, [at(DAYS - 2), *newest])
    owner.execute("VACUUM (ANALYZE) llm_traces, trace_index")
    plan = page_of(filled, TimeRange(start=at(3, 2), end=at(3, 4)), within=Within.ROOTS)

    assert days_and_indexes(plan) - {("trace_index", "trace_index_pkey")} == {
        ("llm_traces 04", BY_TIME),
        ("llm_traces 04", BY_TRACE),
        ("llm_traces 03", BY_TRACE),
    }


def test_the_root_of_a_trace_is_found_in_one_pass_over_its_spans(filled, owner):
    row = owner.execute("SELECT encode(trace_id, 'hex') FROM llm_traces LIMIT 1").fetchone()
    owner.execute(
        "INSERT INTO trace_index SELECT organisation_id, project_id, trace_id, min(ts), max(ts) FROM llm_traces"
        " WHERE encode(trace_id, 'hex') = %s GROUP BY 1, 2, 3 ON CONFLICT DO NOTHING",
        row,
    )
    asked: list[tuple[str, Any]] = []

    def note(execute, sql, given, many, context):
        asked.append((sql, given))
        return execute(sql, given, many, context)

    with connection.execute_wrapper(note):
        trace_detail(filled, row[0], selection=select_detail([], add=frozenset(), inline=10))
    ((sql, given),) = [one for one in asked if "parent_span_id IN" in one[0]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", given)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "hashed SubPlan" in plan
