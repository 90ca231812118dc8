"""Writing spans: the traces' mutex, the spans already there, the copy, the marks that move."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from analytics.registry.operations import is_model_call
from analytics.storage.engines import engine
from analytics.storage.rows import CONTENT_COLUMNS, COPY_OPTIONS, SPAN_COLUMNS, Column, SpanText, blocks
from analytics.storage.rows import instant as written


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The one organisation and project that a write transaction touches, by the storage's numbers."""

    organisation_id: int
    project_id: int


Marks = tuple[bool, bool]  # whether a span's usage is counted, and whether its call is


@dataclass(slots=True)  # neither frozen nor by name only, which costs four times as much to make: one for every span
class TraceSpan:
    """What deciding who is counted needs to know of a span; the marks are those stored now, `None` for a new span."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes | None
    start_ns: int
    has_usage: bool
    is_call: bool
    usage_counted: bool | None = None
    call_counted: bool | None = None


def take_traces(tenant: Tenant, ranges: Mapping[bytes, tuple[int, int]]) -> list[bytes]:
    """Take the mutex of each trace until the transaction ends; return those that were stored before.

    `ranges` maps trace id to the first and last start (ns) of its new spans. Rows are taken in key order, so that two
    writers of the same traces wait for each other and never deadlock.
    """
    traces = sorted(ranges)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO trace_index AS known (organisation_id, project_id, trace_id, first_ts, last_ts)
            SELECT %(organisation)s, %(project)s, given.trace_id, given.first_ts, given.last_ts
            FROM unnest(%(traces)s::bytea[], %(first)s::timestamptz[], %(last)s::timestamptz[])
                AS given (trace_id, first_ts, last_ts)
            ORDER BY given.trace_id
            ON CONFLICT (organisation_id, project_id, trace_id) DO UPDATE
            SET first_ts = least(known.first_ts, excluded.first_ts), last_ts = greatest(known.last_ts, excluded.last_ts)
            RETURNING trace_id, xmax <> 0
            """,
            {
                "organisation": tenant.organisation_id,
                "project": tenant.project_id,
                "traces": traces,
                # As text, which the server reads faster than datetimes are made and written.
                "first": [written(ranges[trace][0]) for trace in traces],
                "last": [written(ranges[trace][1]) for trace in traces],
            },
        )
        return [bytes(trace_id) for trace_id, was_there in cursor.fetchall() if was_there]


def spans_of(tenant: Tenant, traces: Sequence[bytes]) -> list[TraceSpan]:
    """Return the stored spans of `traces`, whose mutex the caller holds."""
    parameters: dict[str, Any] = {
        "organisation": tenant.organisation_id,
        "project": tenant.project_id,
        "traces": list(traces),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(first_ts), max(last_ts) FROM trace_index
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND trace_id = ANY(%(traces)s)
            """,
            parameters,
        )
        first, last = cursor.fetchone()
        cursor.execute(
            """
            SELECT trace_id, span_id, parent_span_id, (extract(epoch FROM ts) * 1000000)::bigint * 1000,
                uncached_input_tokens IS NOT NULL, operation_name, usage_counted, call_counted
            FROM llm_traces
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND trace_id = ANY(%(traces)s)
                AND ts BETWEEN %(first)s AND %(last)s
            """,
            parameters | {"first": first, "last": last},
        )
        return [
            TraceSpan(
                trace_id=bytes(trace_id),
                span_id=bytes(span_id),
                parent_span_id=None if parent is None else bytes(parent),
                start_ns=start_ns,
                has_usage=has_usage,
                is_call=is_model_call(operation_name, has_usage=has_usage),
                usage_counted=usage_counted,
                call_counted=call_counted,
            )
            for trace_id, span_id, parent, start_ns, has_usage, operation_name, usage_counted, call_counted in cursor
        ]


def insert_spans(spans: Sequence[tuple[SpanText, Marks]]) -> None:
    """Copy spans with their marks into the span and content tables; part of the caller's transaction."""
    copy_in("llm_traces", SPAN_COLUMNS, (text.marked(marks) for text, marks in spans))
    copy_in("llm_contents", CONTENT_COLUMNS, (text.content for text, _ in spans))


def update_marks(tenant: Tenant, spans: Sequence[TraceSpan]) -> None:
    """Write the counted marks of stored `spans`."""
    for portion, only in portions(spans):
        _update_marks(tenant, portion, only)


def portions(spans: Sequence[TraceSpan]) -> Iterator[tuple[Sequence[TraceSpan], str]]:
    """Yield stored `spans` in the portions that one statement changes, with its condition on rows `stored`.

    Only constants tell a columnstore which batches a statement is about, and others would be unpacked: spans of packed
    days come trace by trace, with `%(trace)s` in the condition. All others come at once. Part of the caller's
    transaction, which may unpack as many rows as that takes.
    """
    packed = engine().packed_days({instant(span.start_ns).date() for span in spans}) if spans else set()
    at_once: list[TraceSpan] = []
    by_trace: dict[bytes, list[TraceSpan]] = {}
    for span in spans:
        in_rows = instant(span.start_ns).date() not in packed
        (at_once if in_rows else by_trace.setdefault(span.trace_id, [])).append(span)
    if at_once:
        yield at_once, ""
    if by_trace:
        engine().unpack_freely()
    for trace_id in sorted(by_trace):
        yield by_trace[trace_id], "AND stored.trace_id = %(trace)s"


def _update_marks(tenant: Tenant, spans: Sequence[TraceSpan], only: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE llm_traces AS stored SET usage_counted = given.usage_counted, call_counted = given.call_counted
            FROM unnest(%(ts)s::timestamptz[], %(traces)s::bytea[], %(spans)s::bytea[], %(usage)s::bool[],
                %(calls)s::bool[]) AS given (ts, trace_id, span_id, usage_counted, call_counted)
            WHERE stored.organisation_id = %(organisation)s AND stored.project_id = %(project)s
                AND stored.ts = given.ts AND stored.trace_id = given.trace_id AND stored.span_id = given.span_id
                AND stored.ts BETWEEN %(first)s AND %(last)s {only}
            """,
            {
                "organisation": tenant.organisation_id,
                "project": tenant.project_id,
                "trace": spans[0].trace_id,
                "ts": [instant(span.start_ns) for span in spans],
                "traces": [span.trace_id for span in spans],
                "spans": [span.span_id for span in spans],
                "usage": [span.usage_counted for span in spans],
                "calls": [span.call_counted for span in spans],
                "first": instant(min(span.start_ns for span in spans)),
                "last": instant(max(span.start_ns for span in spans)),
            },
        )


def are_arriving() -> bool:
    """Whether spans are being copied in at this moment, by any process."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND state = 'active' AND query LIKE 'COPY llm\\_%%'
            )
            """,
            [],
        )
        found: bool = cursor.fetchone()[0]
    return found


def copy_in(table: str, columns: Sequence[Column], lines: Iterable[bytes]) -> None:
    """Copy `lines`, which were written for `columns`, into `table`; part of the caller's transaction."""
    names = ", ".join(column.name for column in columns)
    with (
        connection.wrap_database_errors,  # Django wraps every call of a cursor but this one
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN WITH ({COPY_OPTIONS})") as copy,
    ):
        for block in blocks(lines):
            copy.write(block)


def instant(nanoseconds: int) -> datetime:
    """Return nanoseconds since 1970 as a UTC time, as the database keeps it: below a microsecond is cut off."""
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, tz=UTC).replace(
        microsecond=nanoseconds // 1000 % 1_000_000
    )
