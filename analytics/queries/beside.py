"""What can stand beside a span: its direct children, what was said about it, where a question was found in it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from django.conf import settings
from django.db import connection

from analytics.queries.contents import Key, read_content, tenant_condition, tenant_parameters
from analytics.queries.filters.tree import Node, searched
from analytics.queries.highlights import asked_in, fragments, words_like
from analytics.queries.rendering import braced, columns_of
from analytics.queries.selection import DEFAULT_SELECTION, Selection, below, only, select
from analytics.registry.fields import Relation
from analytics.scope import Scope
from errors.json import dumps


class Addition(StrEnum):
    """What `include` can add to a span."""

    CHILDREN = "children"
    EVALUATIONS = "evaluations"
    FEEDBACK = "feedback"
    HIGHLIGHTS = "highlights"


CHILDREN = "spans"  # the member that children are
# What to send of an addition: its members (none named: all of them), of children what to send of each.
Chosen = Sequence[str] | Selection
_INSTANT = "replace(to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '.000000', '') || 'Z'"
_TRACE_AND_SPAN = {"trace_id": "encode(o.trace_id, 'hex')", "span_id": "encode(o.span_id, 'hex')"}
_OPINIONS: Mapping[Addition, Mapping[str, str]] = {
    Addition.EVALUATIONS: {
        "id": "o.id",
        **_TRACE_AND_SPAN,
        "timestamp": _INSTANT,
        **{name: f"o.{name}" for name in ("evaluator_name", "score", "passed", "label", "explanation")},
    },
    Addition.FEEDBACK: {
        "id": "o.id",
        **_TRACE_AND_SPAN,
        "created_at": _INSTANT,
        **{name: f"o.{name}" for name in ("score", "resolved", "comment", "user_id", "labels")},
    },
}
_TABLES = {Addition.EVALUATIONS: "trace_evaluations", Addition.FEEDBACK: "trace_feedback"}
_TEXTS = {"input_text": "A", "output_text": "B"}
# The members of each addition that a path can name; children have those of spans.
MEMBERS: Mapping[Addition, Sequence[str]] = {
    **{addition: tuple(members) for addition, members in _OPINIONS.items()},
    Addition.HIGHLIGHTS: tuple(_TEXTS),
}
Opinions = dict[tuple[int, bytes], list[tuple[bytes | None, str]]]


def members_of(names: Sequence[str], add: frozenset[Addition]) -> tuple[list[str], dict[Addition, Chosen]]:
    """Return those of `names` that are not of an addition, and what to send of each of `add`.

    Children without names of their own are narrowed like the span they stand beside. Raise 400/1202 for a name below an
    addition that is no member of it.
    """
    own, chosen = list(names), dict[Addition, Chosen]()
    for addition in sorted(add - {Addition.CHILDREN}):
        own, inner = below(own, addition)
        chosen[addition] = only(inner, MEMBERS[addition], of=addition)
    if Addition.CHILDREN in add:
        beside, (own, inner) = own, below(own, CHILDREN)
        like_the_span = beside if beside == own else []
        chosen[Addition.CHILDREN] = select(inner or like_the_span) if inner or like_the_span else DEFAULT_SELECTION
    return own, chosen


def members_beside(add: frozenset[Addition]) -> tuple[str, ...]:
    """Return the members that `add` gives a span."""
    return tuple(CHILDREN if addition is Addition.CHILDREN else addition.value for addition in sorted(add))


def opinions_on(
    addition: Addition, scope: Scope, traces: Sequence[tuple[int, bytes]], *, members: Sequence[str] = ()
) -> Opinions:
    """Return the evaluations or the feedback of traces, oldest first, each with the span it is about, if any.

    Only `members` of them are read, where some are named.
    """
    known = _OPINIONS[addition]
    pairs = ", ".join(f"'{name}', {known[name]}" for name in members or known)
    found: Opinions = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT o.project_id, o.trace_id, o.span_id, json_build_object({pairs})::text
            FROM {_TABLES[addition]} AS o
            WHERE {tenant_condition("o", scope)} AND o.trace_id = ANY(%(traces)s::bytea[])
            ORDER BY o.created_at, o.id""",
            {**tenant_parameters(scope), "traces": sorted({trace for _, trace in traces})},
        )
        for project, trace, span, opinion in cursor:
            found[project, bytes(trace)].append((None if span is None else bytes(span), opinion))
    return found


def additions_of(
    addition: Addition, scope: Scope, keys: Sequence[Key], *, chosen: Chosen, filter_: Node | None
) -> list[str]:
    """Return for each span of `keys` the member, or members, that `addition` gives it."""
    if not keys:
        return []
    return _ADDED[addition](addition, scope, keys, chosen, filter_)


def _opinions(addition: Addition, scope: Scope, keys: Sequence[Key], chosen: Chosen, _filter: Node | None) -> list[str]:
    """A span bears what is about it, and what is about its trace as a whole."""
    assert not isinstance(chosen, Selection)
    known = opinions_on(addition, scope, [(key.project_id, bytes(key.trace_id)) for key in keys], members=chosen)
    made = []
    for key in keys:
        about = known.get((key.project_id, bytes(key.trace_id)), [])
        own = [opinion for span, opinion in about if span is None or span == bytes(key.span_id)]
        made.append(f'"{addition}":[{",".join(own)}]')
    return made


def _children(
    _addition: Addition, scope: Scope, keys: Sequence[Key], selection: Chosen, _filter: Node | None
) -> list[str]:
    assert isinstance(selection, Selection)
    children = _rows_of_children(scope, keys, selection)
    most = settings.TRACE_MAX_INLINE_SPANS
    made = []
    for key in keys:
        found = children.get((key.project_id, bytes(key.trace_id), bytes(key.span_id)), [])
        truncated = ',"spans_truncated":true' if len(found) > most else ""
        made.append(f'"{CHILDREN}":[{",".join(map(braced, found[:most]))}]{truncated}')
    return made


def _rows_of_children(
    scope: Scope, keys: Sequence[Key], selection: Selection
) -> dict[tuple[int, bytes, bytes], list[list[str]]]:
    columns = columns_of(selection, Relation.SPAN)
    given = {
        **tenant_parameters(scope),
        **columns.parameters,
        "of_projects": [key.project_id for key in keys],
        "of_traces": [bytes(key.trace_id) for key in keys],
        "of_spans": [bytes(key.span_id) for key in keys],
        "most": settings.TRACE_MAX_INLINE_SPANS + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT min(s.first_ts), max(s.last_ts) FROM trace_index AS s
            WHERE {tenant_condition("s", scope)} AND s.trace_id = ANY(%(of_traces)s::bytea[])""",
            given,
        )
        given["first"], given["last"] = cursor.fetchone()
        cursor.execute(
            f"""
            SELECT s.parent_span_id, s.ts, s.trace_id, s.span_id, s.project_id, {columns.sql}
            FROM unnest(%(of_projects)s::int[], %(of_traces)s::bytea[], %(of_spans)s::bytea[])
                AS given (project_id, trace_id, span_id)
            CROSS JOIN LATERAL (
                SELECT s.* FROM llm_traces AS s
                WHERE {tenant_condition("s", scope)} AND s.project_id = given.project_id
                    AND s.trace_id = given.trace_id AND s.parent_span_id = given.span_id AND s.span_id <> given.span_id
                    AND s.ts BETWEEN %(first)s AND %(last)s
                ORDER BY s.ts, s.span_id LIMIT %(most)s
            ) AS s ORDER BY s.ts, s.span_id
            """,
            given,
        )
        rows = cursor.fetchall()
    found = [Key(row[1], bytes(row[2]), bytes(row[3]), row[4]) for row in rows]
    parts = [[row[5]] for row in rows]
    add_content(scope, selection, found, parts)
    children: dict[tuple[int, bytes, bytes], list[list[str]]] = defaultdict(list)
    for row, part in zip(rows, parts, strict=True):
        children[row[4], bytes(row[2]), bytes(row[0])].append(part)
    return children


def add_content(scope: Scope, selection: Selection, keys: Sequence[Key], parts: Sequence[list[str]]) -> None:
    """Append to the parts of each row the members of `selection` that its content holds."""
    columns = columns_of(selection, Relation.CONTENT)
    if not columns.any or not keys:
        return
    known = read_content(scope, keys, columns.sql, columns.parameters)
    for key, part in zip(keys, parts, strict=True):
        found = known.get(key)
        part.append(columns.empty if found is None else found[0])


def _highlights(
    _addition: Addition, scope: Scope, keys: Sequence[Key], chosen: Chosen, filter_: Node | None
) -> list[str]:
    assert not isinstance(chosen, Selection)
    asked = searched(filter_)
    names = [name for name in _TEXTS if name in (chosen or _TEXTS)]
    texts = read_content(scope, keys, ", ".join(f"c.{name}" for name in names), {})
    made: list[dict[str, list[str]]] = [{} for _ in keys]
    for place, name in enumerate(names):
        questions = asked_in(leaf.value for leaf in asked if _TEXTS[name] in leaf.target.field.weights)
        read = [texts[key][place] if key in texts else None for key in keys]
        hits = words_like(questions, filter(None, read))
        for member, text in zip(made, read, strict=True):
            member[name] = fragments(text, hits=hits, runs=questions.runs) if text else []
    return [f'"highlights":{dumps(member).decode()}' for member in made]


_ADDED: Mapping[Addition, Callable[[Addition, Scope, Sequence[Key], Chosen, Node | None], list[str]]] = {
    Addition.CHILDREN: _children,
    Addition.EVALUATIONS: _opinions,
    Addition.FEEDBACK: _opinions,
    Addition.HIGHLIGHTS: _highlights,
}
