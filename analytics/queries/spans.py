"""Lists of spans: a plan says what is asked, SQL is compiled from it, and rows come back as the JSON that is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from analytics.queries.beside import Addition, Chosen, add_content, additions_of
from analytics.queries.contents import CONTENT, Key, content_bounds, tenant_condition, tenant_parameters
from analytics.queries.cursors import Cursor
from analytics.queries.filters.compiling import HAS_TEXT, Conditions, Searches, compile_filter
from analytics.queries.filters.tree import Node, searched
from analytics.queries.rendering import braced, columns_of, listed
from analytics.queries.selection import Selection
from analytics.queries.sorting import RANK, RELEVANCE, Sort
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import Relation
from analytics.scope import Scope

# A parent is looked for this far around the range first, where most are: a look that can be made for all spans at once.
_NEAR = timedelta(hours=1)


class Within(StrEnum):
    """Which spans a list is of: all, model calls that are counted, those without a stored parent.

    The parent counts whenever it was, in the range or out of it; a span that names itself has none.
    """

    ALL = "all"
    CALLS = "calls"
    ROOTS = "roots"


_IS_PARENT = """parent.organisation_id = s.organisation_id AND parent.project_id = s.project_id
                AND parent.trace_id = s.trace_id AND parent.span_id = s.parent_span_id AND {there}"""
# The bounds of the span's own trace, of traces alone that reach beyond what is near the range: none for all others.
_OF_TRACE = """(SELECT t.{bound} FROM trace_index AS t
                WHERE t.organisation_id = s.organisation_id AND t.project_id = s.project_id AND t.trace_id = s.trace_id
                    AND (t.first_ts < %(near_start)s OR t.last_ts >= %(near_end)s))"""
# As values of their own they leave out every other day; OFFSET keeps the server from gathering all spans of all traces.
_WITHIN: Mapping[Within, str] = {
    Within.ALL: "",
    Within.CALLS: "AND s.call_counted",
    Within.ROOTS: f"""AND (s.parent_span_id IS NULL OR s.parent_span_id = s.span_id OR NOT (EXISTS (
            SELECT FROM llm_traces AS parent
            WHERE {_IS_PARENT} AND parent.ts >= %(near_start)s AND parent.ts < %(near_end)s
        ) OR EXISTS (
            SELECT FROM llm_traces AS parent
            WHERE {_IS_PARENT} AND parent.ts >= {_OF_TRACE.replace("{bound}", "first_ts")}
                AND parent.ts <= {_OF_TRACE.replace("{bound}", "last_ts")} OFFSET 0
        )))""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The spans that were stored at a moment: all that came before `settled`, and what came at one of `times`.

    A span says when it came, not when it was stored, which is a moment later; only near the moment does that matter.
    """

    settled: datetime
    times: tuple[datetime, ...] = ()

    @staticmethod
    def condition(relation: str) -> str:
        """Return the condition that a row of `relation` is one of them."""
        return f"({relation}.ingested_at < %(settled)s OR {relation}.ingested_at = ANY(%(arrived)s::timestamptz[]))"

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the condition."""
        return {"settled": self.settled, "arrived": list(self.times)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The spans that are asked for: of whom, when, which kind, and the filter as it was read.

    With `arrived` they are those that were stored at an earlier moment.
    """

    scope: Scope
    range: TimeRange
    within: Within = Within.ALL
    filter: Node | None = None
    searches: Searches = field(default_factory=Searches)
    arrived: Arrived | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanList:
    """A page of spans: what to send, in which order, where the last page ended, what to add to each.

    `clock` is what relative times of the list count from; its cursors keep it.
    """

    spans: Spans
    selection: Selection
    sort: Sort = field(default_factory=Sort)
    limit: int
    clock: datetime
    after: Cursor | None = None
    add: Mapping[Addition, Chosen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanPage:
    """A list of spans as JSON, how many there are, and the cursor of the next page while there is one."""

    json: bytes
    rows: int
    next: Cursor | None


def list_spans(plan: SpanList) -> SpanPage:
    """Return one page. Pages neither skip nor repeat a row that was there when the first page was read."""
    sql, parameters = list_statement(plan)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    page = rows[: plan.limit]
    after = _cursor(plan, page[-1]) if len(rows) > plan.limit else None
    if not plan.add and not columns_of(plan.selection, Relation.CONTENT).any:  # each row is one text already
        return SpanPage(json=listed([f"{{{row[5]}}}" for row in page]), rows=len(page), next=after)
    keys = [Key(row[1], bytes(row[2]), bytes(row[3]), row[4]) for row in page]
    parts = [[row[5]] for row in page]
    add_content(plan.spans.scope, plan.selection, keys, parts)
    for addition in sorted(plan.add):
        made = additions_of(addition, plan.spans.scope, keys, chosen=plan.add[addition], filter_=plan.spans.filter)
        for part, extra in zip(parts, made, strict=True):
            part.append(extra)
    return SpanPage(json=listed(map(braced, parts)), rows=len(page), next=after)


def _cursor(plan: SpanList, row: Sequence[Any]) -> Cursor:
    value, ts, trace_id, span_id, project_id = row[:5]
    return Cursor(
        ts=ts,
        trace_id=bytes(trace_id),
        span_id=bytes(span_id),
        start=plan.spans.range.start,
        end=plan.spans.range.end,
        clock=plan.clock,
        project=sorted(plan.spans.scope.projects).index(project_id),
        value=value,
    )


def list_statement(plan: SpanList) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a page and its parameters: sort value, key, members of the span.

    Each project is walked along its own key and stops at the limit; the few rows of each are then merged.
    """
    scope, sort = plan.spans.scope, plan.sort
    columns = columns_of(plan.selection, Relation.SPAN)
    one = len(scope.projects) == 1
    own = (
        tenant_condition("s", scope)
        if one
        else "s.organisation_id = tenant.organisation_id AND s.project_id = tenant.project_id"
    )
    conditions = _conditions(plan.spans, _words_of("%(project)s::int" if one else "tenant.project_id"))
    rows = f"({_rows(plan, own, conditions)})"
    if not one:
        rows = f"""(
            SELECT s.* FROM unnest(%(organisations)s::int[], %(projects)s::int[])
                AS tenant (organisation_id, project_id) CROSS JOIN LATERAL {rows} AS s
            ORDER BY {sort.order} LIMIT %(rows)s
        )"""
    sql = f"""
        SELECT {sort.column or "NULL"}, s.ts, s.trace_id, s.span_id, s.project_id, {columns.sql}
        FROM {rows} AS s ORDER BY {sort.order}"""
    given = {**parameters_of(plan.spans), **conditions.parameters, **columns.parameters, "rows": plan.limit + 1}
    if plan.after is not None:
        given |= sort.after(plan.after, scope)[1] | sort.bound(plan.after)
        given |= content_bounds(given["start"], given["end"])
    if sort.key == RELEVANCE:
        given |= {f"rank_{place}": query for place, query in enumerate(_ranking(plan.spans))}
    return sql, given


def _rows(plan: SpanList, own: str, conditions: Conditions) -> str:
    order = f"ORDER BY {plan.sort.order}"
    tail = f"{order} LIMIT %(rows)s"
    if plan.sort.column != RANK:
        found = _select("s.*", own, conditions, plan.spans)
        behind = ["true"] if plan.after is None else plan.sort.behind(plan.after, plan.spans.scope)[0]
        first = f"{found} AND {behind[0]} {tail}"
        if len(behind) == 1:
            return first
        # Rows without a value come last, and are looked for when the others do not fill the page.
        return f"""WITH valued AS MATERIALIZED ({first})
            SELECT * FROM valued UNION ALL (
                {found} AND {behind[1]} {order} LIMIT %(rows)s - (SELECT count(*) FROM valued)
            )"""
    after = "" if plan.after is None else plan.sort.after(plan.after, plan.spans.scope)[0]
    ranks = " + ".join(
        f"coalesce(ts_rank_cd({_VECTOR}, %(rank_{place})s::tsquery, 1), 0)"
        for place in range(len(_ranking(plan.spans)))
    )
    ranked = _select(f"s.*, ({ranks})::float8 AS rank", own, conditions, plan.spans)
    return f"SELECT s.* FROM ({ranked}) AS s {f'WHERE {after}' if after else ''} {tail}"


_VECTOR = f"""CASE WHEN c.search_vector IS NULL AND {HAS_TEXT}
        THEN observatory_document(c.project_id, c.input_text, c.output_text) ELSE c.search_vector END"""


def _select(what: str, own: str, conditions: Conditions, spans: Spans) -> str:
    there = "true" if spans.arrived is None else Arrived.condition("parent")
    known = "" if spans.arrived is None else f"AND {Arrived.condition('s')}"
    return f"""
        SELECT {what} FROM llm_traces AS s {CONTENT if conditions.content else ""}
        WHERE {own} AND s.ts >= %(start)s AND s.ts < %(end)s {known}
            {_WITHIN[spans.within].replace("{there}", there)} AND {conditions.sql}"""


def _conditions(spans: Spans, owner: str) -> Conditions:
    return compile_filter(spans.filter, scope=spans.scope, owner=owner, searches=spans.searches)


def _words_of(project: str) -> str:
    return f"observatory_project_words({project})"


def parameters_of(spans: Spans) -> dict[str, Any]:
    """Return the parameters that every statement about `spans` has."""
    return {
        **tenant_parameters(spans.scope),
        "start": spans.range.start,
        "end": spans.range.end,
        "near_start": spans.range.start - _NEAR,
        "near_end": spans.range.end + _NEAR,
        **content_bounds(spans.range.start, spans.range.end),
        **({} if spans.arrived is None else spans.arrived.parameters),
    }


def _ranking(spans: Spans) -> list[str]:
    return [spans.searches.queries[leaf.value, leaf.target.field.weights].query for leaf in searched(spans.filter)]


def all_of(spans: Spans, what: str) -> tuple[str, dict[str, Any]]:
    """Return the statement that selects `what`, an aggregate, over all of `spans`."""
    conditions = _conditions(spans, _OWNERS)
    sql = _select(what, tenant_condition("s", spans.scope), conditions, spans)
    return sql, {**parameters_of(spans), **conditions.parameters, "owners": _owners(spans.scope)}


_OWNERS = "%(owners)s::tsquery"


def _owners(scope: Scope) -> str:
    return " | ".join(f"'project {number}'" for number in sorted(scope.projects))


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Part of a walk through spans by their keys: those that start in `range` behind `after`, at most `rows`."""

    range: TimeRange
    after: Key | None = None
    rows: int


_WALKED = ("s.ts", "s.trace_id", "s.span_id", "s.project_id")
_BEHIND = "%(after_ts)s, %(after_trace)s, %(after_span)s, %(after_project)s"


def walk_statement(spans: Spans, what: str, *, content: bool, portion: Portion) -> tuple[str, dict[str, Any]]:
    """Return the statement that selects `what` of each span of a portion, in the order of their keys.

    With `content` it may name columns of the content, which is looked up for the rows of the portion alone.
    """
    conditions = _conditions(spans, _OWNERS)
    order = ", ".join(_WALKED)
    behind = "" if portion.after is None else f"AND ({order}) > ({_BEHIND})"
    found = _select("s.*", tenant_condition("s", spans.scope), conditions, spans)
    rows = f"{found} {behind} ORDER BY {order} LIMIT %(rows)s"
    sql = f"SELECT {what} FROM ({rows}) AS s {CONTENT if content else ''} ORDER BY {order}"
    given = {**parameters_of(spans), **conditions.parameters, "owners": _owners(spans.scope), "rows": portion.rows}
    given |= {"start": portion.range.start, "end": portion.range.end}
    given |= content_bounds(portion.range.start, portion.range.end)
    if portion.after is not None:
        ts, trace, span, project = portion.after
        given |= {"after_ts": ts, "after_trace": trace, "after_span": span, "after_project": project}
    return sql, given


def count_spans(spans: Spans) -> int:
    """Return how many spans there are in the whole range."""
    with connection.cursor() as cursor:
        cursor.execute(*all_of(spans, "count(*)"))
        counted: int = cursor.fetchone()[0]
    return counted
