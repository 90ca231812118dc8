"""A trace by its id, without a time range, against reading one row by its whole key."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from django.db import connection

from analytics.queries.traces import locate_trace, select_spans, trace_spans
from benchmarks.figures import Figure, medians
from benchmarks.filled import Filled
from benchmarks.loading import ORGANISATION
from benchmarks.processor import busy_clock

PROJECT = 1
AGES = (0, 10, 29)  # days; the columnstore takes days over when they are a week old
TRACES = 50
REPETITIONS, AT_ONCE = 5, 30
TARGET = 3.0
_MEMBERS = ("span_id", "parent_span_id", "ts", "duration_ms", "model", "status_code", "total_cost_usd", "total_tokens")
_POINT = """
    SELECT span_id, parent_span_id, ts, duration_ms, model, status_code, total_cost_nanousd, uncached_input_tokens,
        visible_output_tokens
    FROM llm_traces
    WHERE organisation_id = %s AND project_id = %s AND ts = %s AND trace_id = %s AND span_id = %s"""
Key = tuple[datetime, bytes, bytes]


def by_id(filled: Filled) -> Iterator[Figure]:
    """Yield for each age how many times longer than one row of the newest day the spans of a trace take."""
    scope, selection = filled.what.scope(PROJECT), select_spans(_MEMBERS)

    def spans_of_next(traces: Sequence[Key]) -> Callable[[], Any]:
        turns = cycle(traces)

        def read() -> Any:
            trace = bytes(next(turns)[1]).hex()
            found = locate_trace(scope, trace)
            assert found is not None
            return trace_spans(found, selection=selection, limit=1000)

        return read

    with filled.store.chosen():
        newest, clock = _traces(filled.what.end), busy_clock()
        for age in AGES:
            traces = _traces(filled.what.end - timedelta(days=age))
            if not traces or not newest:
                continue  # of few spans a day may have no such trace
            trace, row = medians(
                spans_of_next(traces), _rows(newest), repetitions=REPETITIONS, clock=clock, at_once=AT_ONCE
            )
            yield filled.figure(f"trace_by_id_vs_point_read.{age}_days_old", trace / row, "x", TARGET)


def _rows(keys: Sequence[Key]) -> Callable[[], Any]:
    turns = cycle(keys)

    def read() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(_POINT, [ORGANISATION, PROJECT, *next(turns)])
            return cursor.fetchone()

    return read


def _traces(before: datetime) -> list[Key]:
    """Return the roots of agents' traces, two to eight spans each, of the hours before an instant."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT ts, trace_id, span_id FROM llm_traces
            WHERE organisation_id = %(organisation)s AND project_id = %(project)s AND ts < %(before)s
                AND ts >= %(before)s - interval '1 day' AND operation_name = 'invoke_agent'
            ORDER BY ts DESC LIMIT %(most)s
            """,
            {"organisation": ORGANISATION, "project": PROJECT, "before": before, "most": TRACES},
        )
        found: list[Key] = cursor.fetchall()
    return found
