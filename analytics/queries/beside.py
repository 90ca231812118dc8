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
from analytics.queries.selection import Selection
from analytics.registry.fields import Relation
from analytics.scope import Scope
from errors.json import dumps


class Addition(StrEnum):
    """What `include` can add to a span."""

    CHILDREN = "children"
    EVALUATIONS = "evaluations"
    FEEDBACK = "feedback"
    HIGHLIGHTS = "highlights"


_INSTANT = "replace(to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '.000000', '') || 'Z'"
_OPINIONS: Mapping[Addition, str] = {
    Addition.EVALUATIONS: f"""SELECT o.project_id, o.trace_id, o.span_id, json_build_object(
            'id', o.id, 'trace_id', encode(o.trace_id, 'hex'), 'span_id', encode(o.span_id, 'hex'),
            'timestamp', {_INSTANT}, 'evaluator_name', o.evaluator_name, 'score', o.score, 'passed', o.passed,
            'label', o.label, 'explanation', o.explanation)::text
        FROM trace_evaluations AS o""",
    Addition.FEEDBACK: f"""SELECT o.project_id, o.trace_id, o.span_id, json_build_object(
            'id', o.id, 'trace_id', encode(o.trace_id, 'hex'), 'span_id', encode(o.span_id, 'hex'),
            'created_at', {_INSTANT}, 'score', o.score, 'resolved', o.resolved, 'comment', o.comment,
            'user_id', o.user_id, 'labels', o.labels)::text
        FROM trace_feedback AS o""",
}
Opinions = dict[tuple[int, bytes], list[tuple[bytes | None, str]]]


def opinions_on(addition: Addition, scope: Scope, traces: Sequence[tuple[int, bytes]]) -> Opinions:
    """Return the evaluations or the feedback of traces, oldest first, each with the span it is about, if any."""
    found: Opinions = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{_OPINIONS[addition]}
            WHERE {tenant_condition("o", scope)} AND o.trace_id = ANY(%(traces)s::bytea[])
            ORDER BY o.created_at, o.id""",
            {**tenant_parameters(scope), "traces": sorted({trace for _, trace in traces})},
        )
        for project, trace, span, opinion in cursor:
            found[project, bytes(trace)].append((None if span is None else bytes(span), opinion))
    return found


def additions_of(
    addition: Addition, scope: Scope, keys: Sequence[Key], *, selection: Selection, filter_: Node | None
) -> list[str]:
    """Return for each span of `keys` the member, or members, that `addition` gives it."""
    if not keys:
        return []
    return _ADDED[addition](addition, scope, keys, selection, filter_)


def _opinions(
    addition: Addition, scope: Scope, keys: Sequence[Key], _selection: Selection, _filter: Node | None
) -> list[str]:
    """A span bears what is about it, and what is about its trace as a whole."""
    known = opinions_on(addition, scope, [(key.project_id, bytes(key.trace_id)) for key in keys])
    made = []
    for key in keys:
        about = known.get((key.project_id, bytes(key.trace_id)), [])
        own = [opinion for span, opinion in about if span is None or span == bytes(key.span_id)]
        made.append(f'"{addition}":[{",".join(own)}]')
    return made


def _children(
    _addition: Addition, scope: Scope, keys: Sequence[Key], selection: Selection, _filter: Node | None
) -> list[str]:
    children = _rows_of_children(scope, keys, selection)
    most = settings.TRACE_MAX_INLINE_SPANS
    made = []
    for key in keys:
        found = children.get((key.project_id, bytes(key.trace_id), bytes(key.span_id)), [])
        truncated = ',"spans_truncated":true' if len(found) > most else ""
        made.append(f'"spans":[{",".join(map(braced, found[:most]))}]{truncated}')
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
                    AND s.trace_id = given.trace_id AND s.parent_span_id = given.span_id
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
    _addition: Addition, scope: Scope, keys: Sequence[Key], _selection: Selection, filter_: Node | None
) -> list[str]:
    asked = searched(filter_)
    texts = read_content(scope, keys, "c.input_text, c.output_text", {})
    made: list[dict[str, list[str]]] = [{} for _ in keys]
    for place, (name, weight) in enumerate((("input_text", "A"), ("output_text", "B"))):
        questions = asked_in(leaf.value for leaf in asked if weight in leaf.target.field.weights)
        read = [texts[key][place] if key in texts else None for key in keys]
        hits = words_like(questions, filter(None, read))
        for member, text in zip(made, read, strict=True):
            member[name] = fragments(text, hits=hits, runs=questions.runs) if text else []
    return [f'"highlights":{dumps(member).decode()}' for member in made]


_ADDED: Mapping[Addition, Callable[[Addition, Scope, Sequence[Key], Selection, Node | None], list[str]]] = {
    Addition.CHILDREN: _children,
    Addition.EVALUATIONS: _opinions,
    Addition.FEEDBACK: _opinions,
    Addition.HIGHLIGHTS: _highlights,
}
