"""Lists of users and sessions, a page at a time, and one session with its traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection

from analytics.queries.figures import Answer, Ask, ask
from analytics.queries.plans import Filter, Operator, Question, Sort
from analytics.queries.selection import DEFAULT_SELECTION
from analytics.queries.shapes import Kind, Leaf, Tree, leaf
from analytics.queries.sources import Segment
from analytics.queries.statements import Statements
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.fields import FieldType
from analytics.registry.measures import FIGURES, NANO, OF_LISTS, Figure
from analytics.scope import Scope

Reply = dict[str, Any]
MOST_TRACES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of what spans name: by which dimension, its members, and what it can be sorted by; first the default."""

    dimension: str
    members: Mapping[str, Figure]
    sorts: tuple[str, ...]

    @property
    def shape(self) -> Tree:
        """The shape of an item."""
        figures = {key: Leaf(figure=one, nullable=one.nullable) for key, one in self.members.items()}
        return Tree(members={self.dimension: leaf(Kind.TEXT), **figures})


_SHARED = {key: FIGURES[key] for key in ("total_tokens", "total_cost_usd", "unpriced_requests")}
SESSIONS = Listing(
    dimension="session_id",
    members={
        "user_id": OF_LISTS["user_min"],
        "first_ts": OF_LISTS["first_ts"],
        "last_ts": OF_LISTS["last_ts"],
        "trace_count": OF_LISTS["trace_count"],
        "request_count": FIGURES["request_count"],
        "error_count": FIGURES["error_count"],
        **_SHARED,
    },
    sorts=("last_ts", "first_ts", "total_cost_usd", "request_count"),
)
USERS = Listing(
    dimension="user_id",
    members={
        "first_ts": OF_LISTS["first_ts"],
        "last_ts": OF_LISTS["last_ts"],
        "session_count": OF_LISTS["session_count"],
        "request_count": FIGURES["request_count"],
        "error_count": FIGURES["error_count"],
        "error_rate": FIGURES["error_rate"],
        **_SHARED,
    },
    sorts=("last_ts", "first_ts", "total_cost_usd", "request_count", "error_rate"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items, and where the next page goes on: the value sorted by and the label of the last; `None` at the end."""

    items: list[Reply]
    next: tuple[Any, str] | None


def people(
    *,
    listing: Listing,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter],
    sort: Sort,
    limit: int,
    after: tuple[Any, str] | None,
    wanted: Tree,
    ask: Ask = ask,
) -> Page:
    """Return a page of a list; only the members of `wanted`, and what it is sorted by, are computed."""
    shown = {key: one for key, one in listing.members.items() if key in wanted or key == sort.by}
    figures = [Figure(key=key, measure=one.measure, aggregation=one.aggregation) for key, one in shown.items()]
    question = Question(
        scope=scope,
        range=where,
        filters=[*filters, _named(listing)],
        group_by=[DIMENSIONS[listing.dimension]],
        figures=figures,
        sort=sort,
        limit=limit,
        after=after,
        presence=("span_count",),
    )
    (answer,) = ask(question)
    items = [_item(answer, place, listing) for place in range(len(answer.rows))]
    last = items[-1] if answer.truncated else None
    following = None if last is None else (last[sort.by], last[listing.dimension])
    return Page(items=[wanted.cut(one) for one in items], next=following)


def _named(listing: Listing) -> Filter:
    """Return the filter that leaves out spans which name nothing."""
    return Filter(dimension=DIMENSIONS[listing.dimension], operator=Operator.PRESENT, values=())


def _item(answer: Answer, place: int, listing: Listing) -> Reply:
    row = answer.rows[place]
    return {listing.dimension: row.labels[0], **answer.figures_of(row)}


def session(*, scope: Scope, where: TimeRange, session_id: str, wanted: Tree, ask: Ask = ask) -> Reply | None:
    """Return a session with its first traces, oldest first; `None` when the range has none of it."""
    filters = [Filter(dimension=DIMENSIONS["session_id"], values=(session_id,))]
    page = people(
        listing=SESSIONS,
        scope=scope,
        where=where,
        filters=filters,
        sort=Sort(by="last_ts"),
        limit=1,
        after=None,
        wanted=SESSIONS.shape,
        ask=ask,
    )
    if not page.items:
        return None
    (item,) = page.items
    if "traces" in wanted or "traces_truncated" in wanted:
        roots = _roots(scope, where, filters)
        item |= {"traces": roots[:MOST_TRACES], "traces_truncated": len(roots) > MOST_TRACES}
    return wanted.cut(item)


SESSION = Tree(
    members={
        **SESSIONS.shape.members,
        "traces": leaf(Kind.OBJECT, f"Root spans, oldest first, at most {MOST_TRACES}.", many=True),
        "traces_truncated": leaf(Kind.BOOLEAN),
    }
)


def _roots(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> list[Reply]:
    """Return the root spans of a range: those without a stored parent."""
    question = Question(scope=scope, range=where, filters=filters, figures=())
    segments = [Segment(rollup=None, start=where.start, end=where.end)]
    tables, condition, parameters = Statements(question=question, segments=segments).spans()
    columns = ", ".join(member.field.sql for member in DEFAULT_SELECTION.members)
    sql = f"""
        SELECT {columns} FROM {tables}
        LEFT JOIN llm_contents AS c ON c.organisation_id = s.organisation_id AND c.project_id = s.project_id
            AND c.ts = s.ts AND c.trace_id = s.trace_id AND c.span_id = s.span_id
            AND c.ts >= %(from_0)s AND c.ts < %(to_0)s
        WHERE {condition} AND NOT EXISTS (
            SELECT FROM llm_traces AS parent
            WHERE parent.organisation_id = s.organisation_id AND parent.project_id = s.project_id
                AND parent.trace_id = s.trace_id AND parent.span_id = s.parent_span_id
                AND parent.ts >= %(near)s AND parent.ts < %(to_0)s
        )
        ORDER BY s.ts, s.trace_id, s.span_id LIMIT %(most)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"most": MOST_TRACES + 1, "near": where.start})
        return [_span(scope, row) for row in cursor.fetchall()]


def _span(scope: Scope, row: Sequence[Any]) -> Reply:
    """Return the default members of a span that have a value."""
    shown: Reply = {}
    for member, value in zip(DEFAULT_SELECTION.members, row, strict=True):
        if value is None:
            continue
        if member.field.key == "project_id":
            shown[member.name] = str(scope.projects[value].public_id)
        elif member.field.type is FieldType.MONEY:
            shown[member.name] = Decimal(value) / NANO
        elif member.field.type is FieldType.JSON and isinstance(value, str):
            shown[member.name] = orjson.Fragment(value)
        else:
            shown[member.name] = value
    return shown
