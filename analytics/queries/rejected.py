"""The list of rejected spans, newest first, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from analytics.queries.cursors import Cursor
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope

_COLUMNS = (
    "id", "received_at", "project_id", "trace_id", "span_id", "span_name", "service_name", "scope_name", "reason",
    "message", "key_prefix", "request_id",
)  # fmt: skip
_IDS = ("trace_id", "span_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedList:
    """A page of the list: the range, one reason or all, where the last page ended, since when cursors are good."""

    scope: Scope
    range: TimeRange
    reason: str | None = None
    limit: int
    clock: datetime
    after: Cursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPage:
    """Rendered entries, and the cursor of the next page while there is one."""

    entries: list[dict[str, Any]]
    next: Cursor | None


def list_rejected(plan: RejectedList) -> RejectedPage:
    """Return one page. Pages neither skip nor repeat an entry that was there when the first page was read."""
    after = "AND (r.received_at, r.id) < (%(after)s, %(after_id)s)" if plan.after else ""
    parameters = _parameters(plan) | {"rows": plan.limit + 1}
    if plan.after is not None:
        parameters |= {"after": plan.after.ts, "after_id": UUID(bytes=plan.after.trace_id)}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {", ".join(f"r.{name}" for name in _COLUMNS)}
            FROM unnest(%(organisations)s::int[], %(projects)s::int[]) AS tenant (organisation_id, project_id)
            CROSS JOIN LATERAL (
                SELECT r.* FROM rejected_spans AS r WHERE {_conditions(plan)} {after}
                ORDER BY r.received_at DESC, r.id DESC LIMIT %(rows)s
            ) AS r
            ORDER BY r.received_at DESC, r.id DESC LIMIT %(rows)s
            """,
            parameters,
        )
        rows = [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]
    page = rows[: plan.limit]
    return RejectedPage(
        entries=[_rendered(row, plan.scope) for row in page],
        next=_cursor(page[-1], plan) if len(rows) > plan.limit else None,
    )


def count_rejected(plan: RejectedList) -> int:
    """Return how many entries the range holds, whatever the page."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FROM unnest(%(organisations)s::int[], %(projects)s::int[])
                AS tenant (organisation_id, project_id)
            JOIN rejected_spans AS r ON {_conditions(plan)}
            """,
            _parameters(plan),
        )
        total: int = cursor.fetchone()[0]
    return total


def _conditions(plan: RejectedList) -> str:
    conditions = [
        "r.organisation_id = tenant.organisation_id",
        "r.project_id = tenant.project_id",
        "r.received_at >= %(start)s",
        "r.received_at < %(end)s",
    ]
    if plan.reason is not None:
        conditions.append("r.reason = %(reason)s")
    return " AND ".join(conditions)


def _parameters(plan: RejectedList) -> dict[str, Any]:
    return {**plan.scope.tenant, "start": plan.range.start, "end": plan.range.end, "reason": plan.reason}


def _rendered(row: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    ids = {name: row[name] and bytes(row[name]).hex() for name in _IDS}
    return {**row, **ids, "project_id": str(scope.projects[row["project_id"]].public_id)}


def _cursor(row: Mapping[str, Any], plan: RejectedList) -> Cursor:
    return Cursor(
        ts=row["received_at"],
        trace_id=row["id"].bytes,
        span_id=b"",
        start=plan.range.start,
        end=plan.range.end,
        clock=plan.clock,
    )
