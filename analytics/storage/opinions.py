"""What is said about a trace after it: people's feedback and evaluators' results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from analytics.storage.spans import Tenant
from analytics.storage.transactions import retried

# Rows whose trace is gone, by retention, erasure or whatever else; young ones may be ahead of their trace's commit.
_GONE = """ts < now() - interval '1 day' AND NOT EXISTS (
    SELECT FROM trace_index AS t WHERE t.organisation_id = o.organisation_id AND t.project_id = o.project_id
        AND t.trace_id = o.trace_id)"""
TABLES = ("trace_feedback", "trace_evaluations", "trace_links")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an opinion is about: a trace of a tenant, or with `span_id` one span of it; times of the trace."""

    tenant: Tenant
    trace_id: bytes
    span_id: bytes | None
    first_ts: datetime
    last_ts: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the store gave to a new opinion."""

    id: UUID
    created_at: datetime


FEEDBACK_COLUMNS = ("score", "resolved", "comment", "user_id", "labels")
EVALUATION_COLUMNS = ("evaluator_name", "score", "passed", "label", "explanation")


def feedback_add(subject: Subject, *, values: Mapping[str, Any], now: datetime) -> Kept:
    """Keep feedback on `subject` and raise the versions of the trace's days."""
    return retried(lambda: _add("trace_feedback", FEEDBACK_COLUMNS, subject, values, now))


def evaluation_add(subject: Subject, *, values: Mapping[str, Any], now: datetime) -> Kept:
    """Keep an evaluation of `subject` and raise the versions of the trace's days."""
    return retried(lambda: _add("trace_evaluations", EVALUATION_COLUMNS, subject, values, now))


def _add(table: str, columns: tuple[str, ...], subject: Subject, values: Mapping[str, Any], now: datetime) -> Kept:
    given = {name: values.get(name) for name in columns} | {
        "organisation": subject.tenant.organisation_id,
        "project": subject.tenant.project_id,
        "trace": subject.trace_id,
        "span": subject.span_id,
        "ts": subject.first_ts,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table}
                (organisation_id, project_id, trace_id, span_id, ts, created_at, {", ".join(columns)})
            VALUES (%(organisation)s, %(project)s, %(trace)s, %(span)s, %(ts)s, %(now)s,
                {", ".join(f"%({name})s" for name in columns)})
            RETURNING id, created_at
            """,
            given,
        )
        number, created_at = cursor.fetchone()
        _raise_versions(subject)
    return Kept(id=number, created_at=created_at)


def _raise_versions(subject: Subject) -> None:
    """Append a change to each hour of the trace, in whichever of them an answer tells of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
            SELECT %(organisation)s, %(project)s, '1hour', hour
            FROM generate_series(date_trunc('hour', %(first)s::timestamptz, 'UTC'), %(last)s::timestamptz,
                interval '1 hour') AS hour
            """,
            {
                "organisation": subject.tenant.organisation_id,
                "project": subject.tenant.project_id,
                "first": subject.first_ts,
                "last": subject.last_ts,
            },
        )


def forget_orphans() -> int:
    """Delete what was said about traces that are gone; return how many rows."""
    deleted = 0
    for table in TABLES:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} AS o WHERE {_GONE}")
            deleted += cursor.rowcount
    return deleted
