"""Reading spans: a plan says what is asked, SQL is compiled from it, rows become members without objects between."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection

from analytics.pricing.money import dollars, sum_of_costs
from analytics.queries.cursors import Cursor
from analytics.queries.selection import EVERYTHING, Selected, Selection, select
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import BY_KEY, TOTAL_TOKENS, FieldType
from analytics.scope import Scope

# What a page needs of its last row besides the members: the keyset.
_KEYSET = "s.ts, s.trace_id, s.span_id"
_CONTENT_JOIN = """
    LEFT JOIN llm_contents AS c ON c.organisation_id = s.organisation_id AND c.project_id = s.project_id
        AND c.ts = s.ts AND c.trace_id = s.trace_id AND c.span_id = s.span_id"""
_PARENT_STORED = """EXISTS (
        SELECT FROM llm_traces AS parent
        WHERE parent.organisation_id = s.organisation_id AND parent.project_id = s.project_id
            AND parent.trace_id = s.trace_id AND parent.span_id = s.parent_span_id
            AND parent.ts >= %(start)s AND parent.ts < %(end)s)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanList:
    """A page of spans: the range, equalities by field key, what to send, the direction, where the last page ended."""

    scope: Scope
    range: TimeRange
    equal: Mapping[str, str] = field(default_factory=dict)
    selection: Selection
    descending: bool = True
    limit: int
    after: Cursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanPage:
    """Rendered spans, and the cursor of the next page while there is one."""

    spans: list[dict[str, Any]]
    next: Cursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailSelection:
    """What to send of a trace: members of its root, names of its figures, how many of its spans at most."""

    root: Selection
    figures: tuple[str, ...]
    inline: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """Figures of a whole trace; cost and tokens are of counted spans, cost is `None` when none of them is priced."""

    start_time: datetime
    end_time: datetime
    trace_duration_ms: int
    span_count: int
    error_count: int
    trace_status: str
    trace_cost_usd: Decimal | None
    trace_tokens: int
    unpriced_requests: int


TRACE_FIGURES: tuple[str, ...] = tuple(field.name for field in fields(TraceSummary))


def select_detail(names: Sequence[str], *, inline: int) -> DetailSelection:
    """Return the selection of `names`, everything without any; raise 400/1202 for one that is no member."""
    if not names:
        return DetailSelection(root=EVERYTHING, figures=TRACE_FIGURES, inline=inline)
    return DetailSelection(
        root=select([name for name in names if name not in TRACE_FIGURES]),
        figures=tuple(name for name in names if name in TRACE_FIGURES),
        inline=inline,
    )


def list_spans(plan: SpanList) -> SpanPage:
    """Return one page. Pages neither skip nor repeat a row that was there when the first page was read."""
    sql, parameters = list_statement(plan)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    page = rows[: plan.limit]
    after = None
    if len(rows) > plan.limit:
        ts, trace_id, span_id = page[-1][:3]
        after = Cursor(
            ts=ts, trace_id=bytes(trace_id), span_id=bytes(span_id), start=plan.range.start, end=plan.range.end
        )
    return SpanPage(spans=render(plan.selection, plan.scope, (row[3:] for row in page)), next=after)


def list_statement(plan: SpanList) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a page and its parameters.

    Each project is walked along its own key and stops at the limit; the few rows of each are then merged.
    """
    order = ", ".join(f"s.{name} {'DESC' if plan.descending else 'ASC'}" for name in ("ts", "trace_id", "span_id"))
    columns, names = _columns(plan.selection)
    conditions, parameters = _conditions(plan)
    content = _CONTENT_JOIN if plan.selection.needs_content else ""
    sql = f"""
        SELECT {_KEYSET}{columns}
        FROM (
            SELECT s.* FROM unnest(%(organisations)s::int[], %(projects)s::int[])
                AS tenant (organisation_id, project_id)
            CROSS JOIN LATERAL (
                SELECT s.* FROM llm_traces AS s
                WHERE {" AND ".join(conditions)}
                ORDER BY {order} LIMIT %(rows)s
            ) AS s
            ORDER BY {order} LIMIT %(rows)s
        ) AS s {content}
        ORDER BY {order}"""
    return sql, parameters | names


def _conditions(plan: SpanList) -> tuple[list[str], dict[str, Any]]:
    conditions = [
        "s.organisation_id = tenant.organisation_id",
        "s.project_id = tenant.project_id",
        "s.ts >= %(start)s",
        "s.ts < %(end)s",
    ]
    parameters: dict[str, Any] = {
        **plan.scope.tenant,
        "start": plan.range.start,
        "end": plan.range.end,
        "rows": plan.limit + 1,
    }
    for key, value in sorted(plan.equal.items()):
        conditions.append(f"s.{BY_KEY[key].key} = %({key})s")
        parameters[key] = octets(value) if BY_KEY[key].type is FieldType.ID else value
    if plan.after is not None:
        sign = "<" if plan.descending else ">"
        conditions.append(f"(s.ts, s.trace_id, s.span_id) {sign} (%(after_ts)s, %(after_trace)s, %(after_span)s)")
        parameters |= {
            "after_ts": plan.after.ts,
            "after_trace": plan.after.trace_id,
            "after_span": plan.after.span_id,
        }
    return conditions, parameters


def octets(value: str) -> bytes:
    """Return the bytes that hex digits spell; none, which no id equals, when they spell nothing."""
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


def trace_detail(scope: Scope, trace_id: str, *, selection: DetailSelection) -> dict[str, Any] | None:
    """Return a trace: its root's members, the figures of the whole, its spans where asked; `None` when out of sight."""
    found = locate_trace(scope, trace_id)
    if found is None:
        return None
    project_id, where = found
    detail = trace_root(scope, project_id, trace_id, where, selection=selection.root)
    if detail is None:
        return None
    if selection.figures:
        summary = asdict(trace_summary(scope, project_id, trace_id, where))
        detail |= {name: summary[name] for name in selection.figures}
    if selection.inline:
        children = trace_spans(scope, project_id, trace_id, where, selection=EVERYTHING, limit=selection.inline + 1)
        detail["spans"] = children[: selection.inline]
        if len(children) > selection.inline:
            detail["spans_truncated"] = True
    return detail


def locate_trace(scope: Scope, trace_id: str) -> tuple[int, TimeRange] | None:
    """Return project and time range of a trace in `scope`: the newest, when several projects hold one of that id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT project_id, first_ts, last_ts FROM trace_index
            WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
                AND trace_id = %(trace)s
            ORDER BY last_ts DESC, project_id LIMIT 1
            """,
            {**scope.tenant, "trace": octets(trace_id)},
        )
        row = cursor.fetchone()
    # Ranges are half-open and the last span starts at `last_ts`.
    return row and (row[0], TimeRange(start=row[1], end=row[2] + timedelta(microseconds=1)))


def trace_spans(
    scope: Scope, project_id: int, trace_id: str, where: TimeRange, *, selection: Selection, limit: int
) -> list[dict[str, Any]]:
    """Return at most `limit` spans of one trace, earliest first."""
    given = {**_one_trace(scope, project_id, trace_id, where), "rows": limit}
    return _read_trace(scope, selection, "ORDER BY s.ts, s.trace_id, s.span_id LIMIT %(rows)s", given)


def trace_root(
    scope: Scope, project_id: int, trace_id: str, where: TimeRange, *, selection: Selection
) -> dict[str, Any] | None:
    """Return the root of a trace: no stored parent, earliest start, lowest span id."""
    given = _one_trace(scope, project_id, trace_id, where)
    found = _read_trace(scope, selection, f"ORDER BY {_PARENT_STORED}, s.ts, s.span_id LIMIT 1", given)
    return found[0] if found else None


def _read_trace(scope: Scope, selection: Selection, tail: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    columns, names = _columns(selection)
    content = _CONTENT_JOIN if selection.needs_content else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT s.ts{columns} FROM llm_traces AS s {content} WHERE {_ONE_TRACE} {tail}",
            given | names,
        )
        return render(selection, scope, (row[1:] for row in cursor))


def trace_summary(scope: Scope, project_id: int, trace_id: str, where: TimeRange) -> TraceSummary:
    """Return the figures of a whole trace."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT min(s.ts), max(s.ts + s.duration_ms * interval '1 ms'), count(*),
                count(*) FILTER (WHERE s.status_code = 'ERROR'),
                sum(s.total_cost_nanousd) FILTER (WHERE s.usage_counted),
                count(*) FILTER (WHERE s.usage_counted),
                coalesce(sum({TOTAL_TOKENS}) FILTER (WHERE s.usage_counted), 0)::bigint,
                count(*) FILTER (WHERE s.unpriced_reason IS NOT NULL AND (s.usage_counted OR s.call_counted))
            FROM llm_traces AS s WHERE {_ONE_TRACE}
            """,
            _one_trace(scope, project_id, trace_id, where),
        )
        start, end, spans, errors, cost, counted, tokens, unpriced = cursor.fetchone()
    return TraceSummary(
        start_time=start,
        end_time=end,
        trace_duration_ms=round((end - start).total_seconds() * 1000),
        span_count=spans,
        error_count=errors,
        trace_status="ERROR" if errors else "OK",
        trace_cost_usd=sum_of_costs(cost, over=counted),
        trace_tokens=tokens,
        unpriced_requests=unpriced,
    )


_ONE_TRACE = """s.organisation_id = ANY(%(organisations)s::int[]) AND s.project_id = %(project)s
                AND s.trace_id = %(trace)s AND s.ts >= %(start)s AND s.ts < %(end)s"""


def _one_trace(scope: Scope, project_id: int, trace_id: str, where: TimeRange) -> dict[str, Any]:
    return {
        **scope.tenant,
        "project": project_id,
        "trace": octets(trace_id),
        "start": where.start,
        "end": where.end,
    }


def _columns(selection: Selection) -> tuple[str, dict[str, str]]:
    columns, parameters = "", {}
    for number, member in enumerate(selection.members):
        columns += f", {member.field.sql}"
        if member.attribute is not None:
            columns += f" -> %(attribute_{number})s"
            parameters[f"attribute_{number}"] = member.attribute
    return columns, parameters


def render(selection: Selection, scope: Scope, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return each row (values in the order of the selection) as the members to send."""
    readers = [(member.name, _reader(member, scope)) for member in selection.members]
    rendered = []
    for row in rows:
        span = {}
        for (name, read), value in zip(readers, row, strict=True):
            shown = None if value is None else read(value)
            if shown is not None or selection.named:
                span[name] = shown
        rendered.append(span)
    return rendered


def _reader(member: Selected, scope: Scope) -> Callable[[Any], Any]:
    if member.field.key == "project_id":
        return lambda number: str(scope.projects[number].public_id)
    return _READERS.get(member.field.type, _unchanged)


def _unchanged(value: Any) -> Any:
    return value


# JSON documents come from the database as text and go to the client as they are.
_READERS: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.MONEY: dollars,
    FieldType.JSON: orjson.Fragment,
}
