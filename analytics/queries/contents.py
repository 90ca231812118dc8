"""Content of spans that are known by their keys, and the tenant's part of every statement."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from analytics.registry.rollups import DAY
from analytics.scope import Scope
from analytics.storage.changes import floor


class Key(NamedTuple):
    """What tells a stored span from all others of its organisation."""

    ts: datetime
    trace_id: bytes
    span_id: bytes
    project_id: int


# The content of the span `s`. Bounds of its own leave out other days when the statement is planned. They begin at
# midnight: of hours that came after its last statistics the server expects one row, and compares each with each.
CONTENT = """
    LEFT JOIN llm_contents AS c ON c.organisation_id = s.organisation_id AND c.project_id = s.project_id
        AND c.ts = s.ts AND c.trace_id = s.trace_id AND c.span_id = s.span_id
        AND c.ts >= %(content_start)s AND c.ts < %(content_end)s"""


def content_bounds(start: datetime, end: datetime) -> dict[str, datetime]:
    """Return the parameters of `CONTENT` for spans that start in `[start, end)`."""
    return {"content_start": floor(start, DAY), "content_end": end}


def read_content(
    scope: Scope, keys: Iterable[Key], columns: str, parameters: Mapping[str, Any]
) -> dict[Key, tuple[Any, ...]]:
    """Return `columns` of the content of the spans of `keys`, where there is content.

    The statement is bounded by the page's own first and last start and names every start between: so it reads the
    partitions and chunks of the page alone, and a batch of the columnstore no more than once.
    """
    asked = list(keys)
    sql = f"""
        SELECT c.project_id, c.ts, c.trace_id, c.span_id, {columns} FROM llm_contents AS c
        WHERE {tenant_condition("c", scope)} AND c.ts BETWEEN %(first)s AND %(last)s
            AND c.ts = ANY(%(starts)s::timestamptz[]) AND c.span_id = ANY(%(span_ids)s::bytea[])
    """
    starts = sorted({key.ts for key in asked})
    given = {
        **tenant_parameters(scope),
        **parameters,
        "first": starts[0],
        "last": starts[-1],
        "starts": starts,
        "span_ids": [bytes(key.span_id) for key in asked],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return {Key(ts, bytes(trace), bytes(span), project): tuple(rest) for project, ts, trace, span, *rest in cursor}


def tenant_parameters(scope: Scope) -> dict[str, Any]:
    """Return the parameters of the tenant, and what SQL needs to tell a project as clients know it."""
    numbers = sorted(scope.projects)
    return {
        **scope.tenant,
        "organisation": scope.projects[numbers[0]].organisation_id,
        "project": numbers[0],
        "public": [str(scope.projects[number].public_id) for number in numbers],
    }


def tenant_condition(relation: str, scope: Scope) -> str:
    """Return the condition that a row of `relation` is the tenant's; of one project as constants, which plan better."""
    if len(scope.projects) == 1:
        return f"{relation}.organisation_id = %(organisation)s AND {relation}.project_id = %(project)s"
    return (
        f"{relation}.organisation_id = ANY(%(organisations)s::int[])"
        f" AND {relation}.project_id = ANY(%(projects)s::int[])"
    )
