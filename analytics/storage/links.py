"""Links between traces, kept beside the spans so that they can be followed from both ends."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

TRACE_DIGITS, SPAN_DIGITS = 32, 16
_NS = 1_000_000_000


def insert_links(rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the links of `rows`, spans that have some; one that is kept already, or names no span, is passed over."""
    links = [link for row in rows for link in _links(row)]
    if not links:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO trace_links
                (organisation_id, project_id, linked_trace_id, trace_id, span_id, linked_span_id, ts)
            VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            links,
        )
        # What links to a trace is part of what is told of it.
        cursor.execute(
            """
            INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
            SELECT organisation_id, project_id, '1hour', date_trunc('hour', first_ts, 'UTC') FROM trace_index
            WHERE organisation_id = %s AND project_id = %s AND trace_id = ANY(%s)
            """,
            [*links[0][:2], sorted({link[2] for link in links})],
        )


def _links(row: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    instant = datetime.fromtimestamp(row["ts"] // _NS, tz=UTC).replace(microsecond=row["ts"] // 1000 % 1_000_000)
    for link in row["links"]:
        trace, span = link.get("trace_id", ""), link.get("span_id", "")
        if len(trace) == TRACE_DIGITS and len(span) == SPAN_DIGITS:
            yield (
                row["organisation_id"],
                row["project_id"],
                bytes.fromhex(trace),
                row["trace_id"],
                row["span_id"],
                bytes.fromhex(span),
                instant,
            )
