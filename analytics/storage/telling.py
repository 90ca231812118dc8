"""Columns of single spans, for what is told of them after they were stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.storage.opinions import Subject
from analytics.storage.spans import Tenant

SpanKey = tuple[datetime, bytes, bytes]


def columns_of_spans(tenant: Tenant, spans: Sequence[SpanKey], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return `columns` of the spans with these starts, trace and span ids that are still there, in their order."""
    starts, traces, ids = zip(*spans, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {", ".join(f"s.{column}" for column in columns)}
            FROM unnest(%(starts)s::timestamptz[], %(traces)s::bytea[], %(ids)s::bytea[])
                WITH ORDINALITY AS asked (ts, trace_id, span_id, place)
            JOIN llm_traces AS s ON s.organisation_id = %(organisation)s AND s.project_id = %(project)s
                AND s.ts = asked.ts AND s.trace_id = asked.trace_id AND s.span_id = asked.span_id
                AND s.ts BETWEEN %(first)s AND %(last)s
            ORDER BY asked.place
            """,
            {
                "starts": list(starts), "traces": list(traces), "ids": list(ids),
                "organisation": tenant.organisation_id, "project": tenant.project_id,
                "first": min(starts), "last": max(starts),
            },
        )  # fmt: skip
        return [_plain(row) for row in cursor.fetchall()]


def columns_of_subject(subject: Subject, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return `columns` of the span that an opinion is about; of a whole trace those of its root, else of its first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {", ".join(columns)}
            FROM llm_traces
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND trace_id = %(trace)s
                AND ts BETWEEN %(first)s AND %(last)s AND (%(span)s::bytea IS NULL OR span_id = %(span)s)
            ORDER BY coalesce(parent_span_id <> span_id, false), ts, span_id
            LIMIT 1
            """,
            {
                "organisation": subject.tenant.organisation_id, "project": subject.tenant.project_id,
                "trace": subject.trace_id, "span": subject.span_id, "first": subject.first_ts, "last": subject.last_ts,
            },
        )  # fmt: skip
        return [_plain(row) for row in cursor.fetchall()]


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
