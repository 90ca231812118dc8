"""Taking spans out of the store, in transactions of the caller.

Rows of both relations, the index, what is kept beside spans and traces, feedback and usage by user.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.registry.rollups import ROLLUPS, SLICE, SLICES
from analytics.storage import slices
from analytics.storage.engines import RELATIONS
from analytics.storage.remaking import add_to_versions
from analytics.storage.spans import Tenant, TraceSpan, instant, portions, spans_of

USER = "user_id"
# What is kept of a span: its row, its content, and what it cost before it was priced anew.
OF_SPANS = (*RELATIONS, "cost_run_spans")
# What is kept beside spans and traces, with the rows of it that `delete_feedback` takes left out.
_BESIDE = {"trace_feedback": "AND o.user_id IS DISTINCT FROM %(user)s", "trace_evaluations": "", "trace_links": ""}
_GIVEN = """unnest(%(ts)s::timestamptz[], %(traces)s::bytea[], %(spans)s::bytea[]) AS given (ts, trace_id, span_id)"""
_FOUND = """stored.organisation_id = %(organisation)s AND stored.project_id = %(project)s
    AND stored.ts = given.ts AND stored.trace_id = given.trace_id AND stored.span_id = given.span_id
    AND stored.ts BETWEEN %(first)s AND %(last)s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedSpan:
    """A stored span and the user that it names, if any."""

    span: TraceSpan
    user_id: str | None


def traces_naming(tenant: Tenant, user_id: str) -> list[bytes]:
    """Return the traces of a project that have a span of a user, by id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT trace_id FROM llm_traces
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND user_id = %(user)s ORDER BY 1
            """,
            _of(tenant) | {"user": user_id},
        )
        return [bytes(trace_id) for (trace_id,) in cursor]


def hold_traces(tenant: Tenant, traces: Sequence[bytes]) -> None:
    """Take the mutex of each of `traces` until the transaction ends, in the order in which writers take them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT FROM trace_index
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND trace_id = ANY(%(traces)s)
            ORDER BY trace_id FOR UPDATE
            """,
            _of(tenant) | {"traces": list(traces)},
        )


def owned_spans(tenant: Tenant, traces: Sequence[bytes]) -> list[OwnedSpan]:
    """Return the spans of `traces` with the users they name; the caller holds the traces' mutex."""
    spans = spans_of(tenant, traces)
    if not spans:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT trace_id, span_id, user_id FROM llm_traces
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND trace_id = ANY(%(traces)s)
                AND ts BETWEEN %(first)s AND %(last)s AND user_id IS NOT NULL
            """,
            _of(tenant) | {"traces": list(traces), **_range(spans)},
        )
        users = {(bytes(trace_id), bytes(span_id)): user for trace_id, span_id, user in cursor}
    return [OwnedSpan(span=span, user_id=users.get((span.trace_id, span.span_id))) for span in spans]


def delete_spans(tenant: Tenant, spans: Sequence[TraceSpan]) -> Mapping[str, int]:
    """Delete what is kept of `spans`; return how many rows of each relation. Marks and index are the caller's."""
    return _of_each_relation(tenant, spans, "DELETE FROM {relation} AS stored USING {given} WHERE {found}")


def count_spans(tenant: Tenant, spans: Sequence[TraceSpan]) -> Mapping[str, int]:
    """Return how many rows of each relation `delete_spans` would delete."""
    return _of_each_relation(tenant, spans, "SELECT FROM {relation} AS stored, {given} WHERE {found}")


def _of_each_relation(tenant: Tenant, spans: Sequence[TraceSpan], statement: str) -> Mapping[str, int]:
    counted = dict.fromkeys(OF_SPANS, 0)
    for portion, only in portions(spans):
        for relation in OF_SPANS:
            with connection.cursor() as cursor:
                cursor.execute(
                    statement.format(relation=relation, given=_GIVEN, found=f"{_FOUND} {only}"),
                    _of(tenant) | _range(portion) | _keys(portion),
                )
                counted[relation] += cursor.rowcount
    return counted


def narrow_traces(tenant: Tenant, traces: Collection[bytes], left: Iterable[TraceSpan]) -> int:
    """Let the index tell the range of the spans that are `left` of `traces`; return how many traces have none."""
    starts: dict[bytes, list[int]] = {}
    for span in left:
        starts.setdefault(span.trace_id, []).append(span.start_ns)
    gone, kept = sorted(set(traces) - starts.keys()), sorted(starts)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM trace_index
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND trace_id = ANY(%(traces)s)
            """,
            _of(tenant) | {"traces": gone},
        )
        cursor.execute(
            """
            UPDATE trace_index AS known SET first_ts = given.first_ts, last_ts = given.last_ts
            FROM unnest(%(traces)s::bytea[], %(first)s::timestamptz[], %(last)s::timestamptz[])
                AS given (trace_id, first_ts, last_ts)
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND known.trace_id = given.trace_id
            """,
            _of(tenant)
            | {
                "traces": kept,
                "first": [instant(min(starts[trace])) for trace in kept],
                "last": [instant(max(starts[trace])) for trace in kept],
            },
        )
    return len(gone)


def delete_beside(tenant: Tenant, spans: Sequence[TraceSpan], gone: Sequence[bytes], user_id: str) -> Mapping[str, int]:
    """Delete what is kept beside `spans` and traces that are `gone`, but for feedback of the user; return counts."""
    counted = {}
    for table, others in _BESIDE.items():
        linked = "o.linked_trace_id" if table == "trace_links" else "NULL"
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} AS o WHERE {_OF_ERASED} {others} RETURNING o.ts, o.trace_id, {linked}",
                _of_erased(tenant, spans, gone, user_id),
            )
            rows = cursor.fetchall()
        _raise_versions(tenant, rows)
        counted[table] = len(rows)
    return counted


def count_beside(tenant: Tenant, spans: Sequence[TraceSpan], gone: Sequence[bytes], user_id: str) -> Mapping[str, int]:
    """Return how many rows of each table `delete_beside` would delete."""
    counted = {}
    for table, others in _BESIDE.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {table} AS o WHERE {_OF_ERASED} {others}",
                _of_erased(tenant, spans, gone, user_id),
            )
            counted[table] = cursor.fetchone()[0]
    return counted


def count_feedback(tenant: Tenant, user_id: str) -> Mapping[str, int]:
    """Return how much feedback of a project a user gave, on whatever trace."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM trace_feedback WHERE {_OF_USER}", _of(tenant) | {"user": user_id})
        return {"trace_feedback": cursor.fetchone()[0]}


def delete_feedback(tenant: Tenant, user_id: str) -> None:
    """Delete the feedback that a user gave."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM trace_feedback WHERE {_OF_USER} RETURNING ts, trace_id, NULL",
            _of(tenant) | {"user": user_id},
        )
        rows = cursor.fetchall()
    _raise_versions(tenant, rows)


def _raise_versions(tenant: Tenant, rows: Sequence[tuple[datetime, bytes, bytes | None]]) -> None:
    """Count a change at the time of each of `rows` and in every hour of the stored traces that it names."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT hour FROM trace_index, generate_series(
                date_trunc('hour', first_ts, 'UTC'), last_ts, interval '1 hour') AS hour
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND trace_id = ANY(%(traces)s)
            """,
            _of(tenant) | {"traces": list({trace for _, *traces in rows for trace in traces if trace is not None})},
        )
        instants = {ts for ts, *_ in rows} | {instant for (instant,) in cursor}
    add_to_versions([(tenant.organisation_id, tenant.project_id, instant) for instant in sorted(instants)])


def usage_tables() -> list[str]:
    """Return the rollups that tell users apart."""
    return [rollup.table for rollup in ROLLUPS if USER in rollup.labels]


def count_usage(tenant: Tenant, user_id: str) -> Mapping[str, int]:
    """Return how many rows of each rollup by user name a user."""
    counts = {}
    for table in usage_tables():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {_OF_USER}", _of(tenant) | {"user": user_id})
            counts[table] = cursor.fetchone()[0]
    return counts


def delete_usage(tenant: Tenant, user_id: str) -> None:
    """Delete a user's rows of the rollups by user, whose spans may be gone."""
    # Slices first: who makes hours of them waits for us then, and we do not wait for those hours. They go whole, for
    # spans that came meanwhile may name the user again: without a row of theirs they would be left out.
    for rollup in SLICES.values():
        if USER in rollup.labels:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT DISTINCT bucket FROM {rollup.table} WHERE {_OF_USER}", _of(tenant) | {"user": user_id}
                )
                named = [(tenant.organisation_id, tenant.project_id, bucket) for (bucket,) in cursor]
            if named:
                slices.forget(named, SLICE)
    for table in usage_tables():
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE {_OF_USER} RETURNING bucket", _of(tenant) | {"user": user_id})
            buckets: set[datetime] = {bucket for (bucket,) in cursor.fetchall()}
        if buckets:
            add_to_versions([(tenant.organisation_id, tenant.project_id, bucket) for bucket in sorted(buckets)])


_OF_ERASED = """o.organisation_id = %(organisation)s AND o.project_id = %(project)s
    AND o.trace_id = ANY(%(touched)s::bytea[]) AND (o.trace_id = ANY(%(gone)s::bytea[])
        OR (o.trace_id, o.span_id) IN (SELECT * FROM unnest(%(traces)s::bytea[], %(spans)s::bytea[])))"""
_OF_USER = "organisation_id = %(organisation)s AND project_id = %(project)s AND user_id = %(user)s"


def _of(tenant: Tenant) -> dict[str, Any]:
    return {"organisation": tenant.organisation_id, "project": tenant.project_id}


def _of_erased(tenant: Tenant, spans: Sequence[TraceSpan], gone: Sequence[bytes], user_id: str) -> dict[str, Any]:
    traces = [span.trace_id for span in spans]
    return _of(tenant) | {
        "touched": list({*traces, *gone}),
        "gone": list(gone),
        "traces": traces,
        "spans": [span.span_id for span in spans],
        "user": user_id,
    }


def _range(spans: Sequence[TraceSpan]) -> dict[str, datetime]:
    starts = [span.start_ns for span in spans]
    return {"first": instant(min(starts)), "last": instant(max(starts))}


def _keys(spans: Sequence[TraceSpan]) -> dict[str, Any]:
    return {
        "ts": [instant(span.start_ns) for span in spans],
        "traces": [span.trace_id for span in spans],
        "spans": [span.span_id for span in spans],
        "trace": spans[0].trace_id,
    }
