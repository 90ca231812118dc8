"""The list of what ingest set aside: written beside the spans of the same request, kept for days and up to a number."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import itemgetter

from django.db import connection

from analytics.storage.rows import REJECTED_COLUMNS, writer
from analytics.storage.spans import Tenant, copy_in

TABLE = "rejected_spans"
_lines = writer(REJECTED_COLUMNS)
_values = itemgetter(*(column.name for column in REJECTED_COLUMNS))


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedSpan:
    """One entry of the list. Whole requests that were refused have no ids; `received_at` is in ns since 1970."""

    received_at: int
    reason: str
    message: str
    request_id: str
    trace_id: bytes | None = None
    span_id: bytes | None = None
    span_name: str | None = None
    service_name: str | None = None
    scope_name: str | None = None
    key_prefix: str | None = None


def insert_rejected(tenant: Tenant, entries: Iterable[RejectedSpan]) -> None:
    """Add entries to the project's list; part of the caller's transaction."""
    lines = _lines([_values(asdict(entry) | asdict(tenant)) for entry in entries])
    if lines:
        copy_in(TABLE, REJECTED_COLUMNS, (line.encode() for line in lines))


def forget_rejected(*, before: datetime, most: int) -> int:
    """Remove entries from before `before` and the oldest beyond `most` of each project; return how many went.

    Those of a project under a legal hold stay, however many they are. A run touches one project in a transaction; it
    may be cut off and run again at any time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT organisation_id, project_id FROM {TABLE} AS r
            WHERE NOT EXISTS (
                SELECT FROM legal_holds AS h
                WHERE h.organisation_id = r.organisation_id AND h.project_id IN (0, r.project_id))
            """
        )
        projects = cursor.fetchall()
        gone = 0
        for organisation, project in projects:
            cursor.execute(
                f"""
                DELETE FROM {TABLE}
                WHERE organisation_id = %(organisation)s AND project_id = %(project)s
                    AND (received_at < %(before)s OR (received_at, id) <= (
                        SELECT received_at, id FROM {TABLE}
                        WHERE organisation_id = %(organisation)s AND project_id = %(project)s
                        ORDER BY received_at DESC, id DESC OFFSET %(most)s LIMIT 1
                    ))
                """,
                {"organisation": organisation, "project": project, "before": before, "most": most},
            )
            gone += cursor.rowcount
    return gone
