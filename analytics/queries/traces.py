"""One trace: found by its index, read in its own time range, told as its root, its figures and its tree."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.db import connection

from analytics.pricing.money import sum_of_costs
from analytics.queries.beside import CHILDREN, Addition, Chosen, add_content, members_beside, members_of, opinions_on
from analytics.queries.contents import Key, tenant_condition, tenant_parameters
from analytics.queries.cursors import Cursor
from analytics.queries.filters.compiling import octets
from analytics.queries.rendering import braced, columns_of, listed
from analytics.queries.selection import EVERYTHING, Selection, below, only, select
from analytics.queries.sorting import Sort
from analytics.queries.timerange import TimeRange
from analytics.queries.tree import PLACE, Place, TreeSpan, places_of
from analytics.registry.fields import TOTAL_TOKENS, Relation
from analytics.scope import Scope
from errors.json import dumps

_OWN_END = {
    "linked_from": "s.linked_trace_id = %(trace)s",
    "linked_to": "s.project_id = %(in_project)s AND s.trace_id = %(trace)s",
}
LINKS: tuple[str, ...] = tuple(_OWN_END)
_LINK_MEMBERS = ("trace_id", "span_id", "linked_trace_id", "linked_span_id")
MOST_LINKS = 100
_OPINIONS = (Addition.EVALUATIONS, Addition.FEEDBACK)
Said = Mapping[Addition, Sequence[tuple[bytes | None, str]]]
_OLDEST_FIRST = Sort(key="ts", descending=False)


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


TRACE_FIGURES: tuple[str, ...] = tuple(one.name for one in fields(TraceSummary))


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where a trace is: its project and its time range."""

    scope: Scope
    project_id: int
    trace_id: bytes
    range: TimeRange

    @property
    def parameters(self) -> dict[str, Any]:
        """What every statement on the trace is given."""
        return {
            **tenant_parameters(self.scope),
            "in_project": self.project_id,
            "trace": self.trace_id,
            "start": self.range.start,
            "end": self.range.end,
        }

    def cursor(self, last: Key, *, clock: datetime) -> Cursor:
        """Return the cursor of the page behind the span of a key, good since `clock`."""
        return Cursor(
            ts=last.ts,
            trace_id=last.trace_id,
            span_id=last.span_id,
            start=self.range.start,
            end=self.range.end,
            clock=clock,
            project=sorted(self.scope.projects).index(self.project_id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpansSelection:
    """What to send of each span of a trace: its members, names of its place in the tree, what to add to it."""

    members: Selection = EVERYTHING
    place: tuple[str, ...] = PLACE
    add: Mapping[Addition, Chosen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailSelection:
    """What to send of a trace: members of its root, names of its figures, members of its links, what is said of it.

    Its spans beside it are told as `spans`, `inline` of them; `None` where they are not wanted.
    """

    root: Selection
    figures: tuple[str, ...] = TRACE_FIGURES
    links: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(LINKS, _LINK_MEMBERS))
    add: Mapping[Addition, Chosen] = field(default_factory=dict)
    spans: SpansSelection | None = None
    inline: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePage:
    """Spans of a trace as a list in JSON, and the key of the last of them while there are more."""

    json: bytes
    last: Key | None


def select_detail(names: Sequence[str], *, add: frozenset[Addition], inline: int) -> DetailSelection:
    """Return the selection of `names`, everything without any; raise 400/1202 for one that is no member.

    `spans.<member>` is of the spans that `add` puts beside the root, `spans.evaluations.<member>` of what is said of
    each of them, which else is told as that of the trace.
    """
    own, of_spans = below(names, CHILDREN) if Addition.CHILDREN in add else (list(names), [])
    own, said = members_of(own, add - {Addition.CHILDREN})
    links = {}
    for link in LINKS:
        rest, inner = below(own, link)
        if rest != own or not names:
            links[link] = only(inner, _LINK_MEMBERS, of=link) or _LINK_MEMBERS
        own = rest
    return DetailSelection(
        root=(
            select(
                [name for name in own if name not in TRACE_FIGURES],
                beside=(*TRACE_FIGURES, *LINKS, *members_beside(add)),
            )
            if names
            else EVERYTHING
        ),
        figures=tuple(name for name in own if name in TRACE_FIGURES) if names else TRACE_FIGURES,
        links=links,
        add=said,
        spans=select_spans(of_spans, said=said) if Addition.CHILDREN in add else None,
        inline=inline,
    )


def select_spans(names: Sequence[str], *, said: Mapping[Addition, Chosen] | None = None) -> SpansSelection:
    """Return the selection of `names`, everything without any; raise 400/1202 for one that is no member.

    `said` is what to add to each span, where no name is of that.
    """
    add = dict(said or {})
    own, chosen = members_of(names, frozenset(add))
    add |= {addition: members for addition, members in chosen.items() if members or addition in names}
    if not names:
        return SpansSelection(add=add)
    return SpansSelection(
        members=select([name for name in own if name not in PLACE], beside=(*PLACE, *members_beside(frozenset(add)))),
        place=tuple(name for name in own if name in PLACE),
        add=add,
    )


def locate_trace(scope: Scope, trace_id: str, *, after: Cursor | None = None) -> Located | None:
    """Return where a trace in `scope` is: the newest, when several projects hold one of that id.

    `after` a page of its spans it is the one of that page's project.
    """
    numbers = scope.tenant["projects"]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT project_id, first_ts, last_ts FROM trace_index
            WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
                AND project_id = ANY(%(among)s::int[]) AND trace_id = %(trace)s
            ORDER BY last_ts DESC, project_id LIMIT 1
            """,
            {
                **scope.tenant,
                "among": numbers if after is None else [numbers[after.project]],
                "trace": octets(trace_id.lower()),
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    # Ranges are half-open and the last span starts at `last_ts`.
    where = TimeRange(start=row[1], end=row[2] + timedelta(microseconds=1))
    return Located(scope=scope, project_id=row[0], trace_id=octets(trace_id.lower()), range=where)


_ONE_TRACE = """s.organisation_id = ANY(%(organisations)s::int[]) AND s.project_id = %(in_project)s
                AND s.trace_id = %(trace)s AND s.ts >= %(start)s AND s.ts < %(end)s"""
# Nothing of the outer row is in the subquery, which is read and hashed once; EXISTS would be asked for every span.
_PARENT_STORED = f"""(s.parent_span_id IS NOT NULL AND s.parent_span_id <> s.span_id
        AND s.parent_span_id IN (SELECT s.span_id FROM llm_traces AS s WHERE {_ONE_TRACE}))"""


def trace_detail(scope: Scope, trace_id: str, *, selection: DetailSelection) -> bytes | None:
    """Return a trace as JSON: its root's members, figures of the whole, what was asked beside; `None` out of sight."""
    where = locate_trace(scope, trace_id)
    if where is None:
        return None
    found = _read(where, selection.root, f"ORDER BY {_PARENT_STORED}, s.ts, s.span_id LIMIT 1", {})
    if not found:
        return None
    (parts,) = found.values()
    parts += _figures(where, selection)
    opinions = _opinions(where, selection.add)
    parts += [f'"{name}":[{",".join(text for _, text in known)}]' for name, known in opinions.items()]
    if selection.spans is not None:
        beside = opinions if selection.spans.add == selection.add else _opinions(where, selection.spans.add)
        parts.append(_inline(where, selection.spans, selection.inline, beside))
    return braced(parts).encode()


def _opinions(where: Located, add: Mapping[Addition, Chosen]) -> Said:
    """Return what was said of a trace and its spans: of each kind, the span it is about and its text."""
    trace = (where.project_id, where.trace_id)
    return {
        one: opinions_on(one, where.scope, [trace], members=cast("Sequence[str]", add[one])).get(trace, [])
        for one in _OPINIONS
        if one in add
    }


def _figures(where: Located, selection: DetailSelection) -> list[str]:
    told: dict[str, Any] = {}
    if selection.figures:
        summary = asdict(trace_summary(where))
        told |= {name: summary[name] for name in selection.figures}
    if selection.links:
        links = links_of(where, list(selection.links))
        told |= {
            name: [{member: link[member] for member in members} for link in links[name][:MOST_LINKS]]
            for name, members in selection.links.items()
        }
        told |= {truncated(name): True for name in selection.links if len(links[name]) > MOST_LINKS}
    return [dumps(told).decode()[1:-1]]


def _inline(where: Located, selection: SpansSelection, limit: int, opinions: Said) -> str:
    page = trace_spans(where, selection=selection, limit=limit, opinions=opinions)
    truncated = "" if page.last is None else ',"spans_truncated":true'
    return f'"{CHILDREN}":{page.json.decode()}{truncated}'


def trace_spans(
    where: Located,
    *,
    selection: SpansSelection,
    limit: int,
    after: Cursor | None = None,
    opinions: Said | None = None,
) -> TreePage:
    """Return at most `limit` spans of a trace, earliest first, each with its place in the tree of the whole."""
    behind, given = ("", {}) if after is None else _OLDEST_FIRST.after(after, where.scope)
    tail = f"{behind and f'AND {behind}'} ORDER BY {_OLDEST_FIRST.order} LIMIT %(rows)s"
    found = _read(where, selection.members, tail, given | {"rows": limit + 1})
    keys = list(found)[:limit]
    places = _places(where) if selection.place else {}
    for key in keys:
        parts = found[key]
        if key.span_id in places:
            parts.append(_placed(places[key.span_id], selection.place))
        for name, known in (opinions or {}).items():
            parts.append(f'"{name}":[{",".join(text for span, text in known if span == key.span_id)}]')
    return TreePage(json=listed(braced(found[key]) for key in keys), last=keys[-1] if len(found) > limit else None)


def _placed(place: Place, names: Sequence[str]) -> str:
    return dumps({name: getattr(place, name) for name in names}).decode()[1:-1]


def _places(where: Located) -> Mapping[bytes, Place]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.span_id, s.parent_span_id, (extract(epoch FROM s.ts) * 1000000)::bigint, s.duration_ms * 1000,
                s.usage_counted, s.total_cost_nanousd, coalesce({TOTAL_TOKENS}, 0)
            FROM llm_traces AS s WHERE {_ONE_TRACE}
            """,
            where.parameters,
        )
        return places_of(
            [
                TreeSpan(
                    span_id=bytes(span_id),
                    parent_span_id=None if parent is None else bytes(parent),
                    start_us=start,
                    duration_us=duration,
                    counted=counted,
                    cost_nanousd=cost,
                    tokens=tokens,
                )
                for span_id, parent, start, duration, counted, cost, tokens in cursor
            ]
        )


def _read(where: Located, selection: Selection, tail: str, given: Mapping[str, Any]) -> dict[Key, list[str]]:
    """Return the members of spans of a trace as parts of JSON, in the order of `tail`."""
    columns = columns_of(selection, Relation.SPAN)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT s.ts, s.trace_id, s.span_id, s.project_id, {columns.sql}
            FROM llm_traces AS s WHERE {_ONE_TRACE} {tail}""",
            {**where.parameters, **columns.parameters, **given},
        )
        rows = cursor.fetchall()
    keys = [Key(row[0], bytes(row[1]), bytes(row[2]), row[3]) for row in rows]
    parts = [[row[4]] for row in rows]
    add_content(where.scope, selection, keys, parts)
    return dict(zip(keys, parts, strict=True))


def trace_summary(where: Located) -> TraceSummary:
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
            where.parameters,
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


def truncated(link: str) -> str:
    """Return the member that says of links that there are more than are told."""
    return f"{link}_truncated"


def links_of(where: Located, names: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return the spans in scope that link to the trace, or what its own spans link to, by name.

    At most 100 of each are told, and one more where there are more.
    """
    told: dict[str, list[dict[str, str]]] = {}
    for name in names:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT encode(s.trace_id, 'hex'), encode(s.span_id, 'hex'), encode(s.linked_trace_id, 'hex'),
                    encode(s.linked_span_id, 'hex')
                FROM trace_links AS s WHERE {tenant_condition("s", where.scope)} AND {_OWN_END[name]}
                ORDER BY s.ts, s.trace_id, s.span_id, s.linked_trace_id, s.linked_span_id LIMIT %(most)s
                """,
                where.parameters | {"most": MOST_LINKS + 1},
            )
            told[name] = [dict(zip(_LINK_MEMBERS, row, strict=True)) for row in cursor]
    return told


def links_told(scope: Scope, trace_id: str) -> str:
    """Return what is another whenever other spans in scope link to a trace: how many, and the newest of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*), extract(epoch FROM max(s.ts)) FROM trace_links AS s
            WHERE {tenant_condition("s", scope)} AND s.linked_trace_id = %(trace)s""",
            {**tenant_parameters(scope), "trace": octets(trace_id.lower())},
        )
        count, newest = cursor.fetchone()
    return f"{count}.{newest}"


def stores_span(where: Located, span_id: bytes) -> bool:
    """Whether the trace has a span of that id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM llm_traces AS s WHERE {_ONE_TRACE} AND s.span_id = %(span)s)",
            where.parameters | {"span": span_id},
        )
        found: bool = cursor.fetchone()[0]
    return found
