"""Reads over a filled project: the first page of the trace list, and figures over the whole range."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from time import process_time
from typing import Any
from uuid import UUID

from django.db import connection

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.queries.plans import Question
from analytics.queries.reports.comparison import comparison
from analytics.queries.reports.cost_summary import cost_summary
from analytics.queries.reports.costs import (
    cost_analytics,
    cost_attribution,
    cost_breakdown,
    costs_unpriced,
)
from analytics.queries.reports.optimization import optimization
from analytics.queries.reports.performance import PERFORMANCE, performance
from analytics.queries.reports.quality import quality
from analytics.queries.reports.summary import summary
from analytics.queries.reports.tables import Fill, metrics_table
from analytics.queries.selection import DEFAULT_SELECTION
from analytics.queries.spans import SpanList, Spans, list_spans, list_statement
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import FIGURES
from analytics.scope import Scope, ScopedProject
from benchmarks.figures import Figure, median_seconds, seconds
from benchmarks.requests import bodies
from errors.json import dumps

PROJECT = 3
DAYS, PAGE = 3, 50
REPETITIONS = 101
REPORTS = 20
ROW_TARGET_US = 15.0
PAGE_TARGET = 5.0
SCOPE = Scope(
    projects={PROJECT: ScopedProject(organisation_id=1, public_id=UUID(int=PROJECT))}, permissions=frozenset()
)


def measure(spans: int) -> list[Figure]:
    """Return the first page over reading its rows by key, and figures over counting the spans they are made of."""
    now = datetime.now(UTC)
    where = TimeRange(start=now - timedelta(days=DAYS), end=now)
    _fill(spans, now)
    page = SpanList(spans=Spans(scope=SCOPE, range=where), selection=DEFAULT_SELECTION, limit=PAGE, clock=now)
    figures = partial(performance, scope=SCOPE, where=where, grain=GRAINS["1hour"])
    listed = median_seconds(partial(list_spans, page), repetitions=REPETITIONS)
    by_key = median_seconds(partial(_run, *_by_key(page)), repetitions=REPETITIONS)
    asked = median_seconds(figures, repetitions=REPETITIONS // 10)
    counted = median_seconds(partial(_run, *_count(where)), repetitions=REPETITIONS // 10)
    two = PERFORMANCE.chosen(["request_count", "error_rate"])
    selected = median_seconds(partial(figures, wanted=two), repetitions=REPETITIONS // 10)
    figure = partial(Figure, rows=spans)
    return [
        *_reports(figure, where),
        figure(figure="reads.two_fields_vs_all", value=selected / asked, unit="x", target=1.0),
        figure(figure="reads.python_per_row", value=_cpu_per_row(where), unit="us", target=ROW_TARGET_US),
        figure(figure="reads.first_page", value=listed * 1000, unit="ms"),
        figure(figure="reads.first_page_vs_primary_key", value=listed / by_key, unit="x", target=PAGE_TARGET),
        figure(figure="reads.performance", value=asked * 1000, unit="ms"),
        figure(figure="reads.performance_vs_count", value=asked / counted, unit="x"),
    ]


def _reports(figure: Callable[..., Figure], where: TimeRange) -> list[Figure]:
    """Return the 95th percentile of each route's domain call with its default parameters."""
    hour = GRAINS["1hour"]
    asked: dict[str, Any] = {"scope": SCOPE, "where": where}
    calls: dict[str, Callable[[], object]] = {
        "performance": partial(performance, grain=hour, **asked),
        "quality": partial(quality, grain=hour, **asked),
        "summary": partial(summary, **asked),
        "compare": partial(comparison, models=["gpt-4o", "gpt-4o-mini"], **asked),
        "optimization": partial(optimization, **asked),
        "costs_summary": partial(cost_summary, **asked),
        "costs_attribution": partial(
            cost_attribution, dimension=DIMENSIONS["user_id"], name="user", limit=100, **asked
        ),
        "costs_analytics": partial(cost_analytics, grain=hour, **asked),
        "costs_breakdown": partial(cost_breakdown, grain=hour, **asked),
        "costs_unpriced": partial(costs_unpriced, **asked),
    }
    found = []
    for name, call in calls.items():
        call()
        times = sorted(seconds(call) for _ in range(REPORTS))
        value = times[-(-95 * len(times) // 100) - 1] * 1000
        found.append(figure(figure=f"reads.{name}_p95", value=value, unit="ms"))
    return found


def _cpu_per_row(where: TimeRange) -> float:
    """Return the processor time of this process between rows and bytes, in microseconds a row."""
    question = Question(
        scope=SCOPE,
        range=where,
        figures=[FIGURES[key] for key in ("request_count", "avg_latency_ms", "total_cost", "error_rate")],
        grain=GRAINS["1min"],
        limit=10_000,
    )
    rows = 0

    def table() -> None:
        nonlocal rows
        body = metrics_table(question=question, names=[], fill=Fill.NONE)
        dumps(body)
        rows = len(body["data"])

    table()
    return min(seconds(table, clock=process_time) for _ in range(REPORTS)) / max(rows, 1) * 1_000_000


def _fill(spans: int, now: datetime) -> None:
    end_ns = time.time_ns()
    step_ns = int(timedelta(days=DAYS).total_seconds()) * 1_000_000_000 // spans
    for request in bodies(spans=spans, end_ns=end_ns, step_ns=step_ns, seed=PROJECT):
        receive(scope=SCOPE, spans=decode(request.protobuf, json=False).spans, received_at=now)


def _by_key(page: SpanList) -> tuple[str, dict[str, Any]]:
    """Return a statement that reads the columns of `page` for the keys that it holds, known beforehand."""
    keys = [row[1:4] for row in _run(*list_statement(page))][:PAGE]
    columns = ", ".join(member.field.sql for member in page.selection.members)
    sql = f"""
        SELECT {columns}
        FROM unnest(%(ts)s::timestamptz[], %(traces)s::bytea[], %(spans)s::bytea[]) AS key (ts, trace_id, span_id)
        JOIN llm_traces AS s ON s.organisation_id = 1 AND s.project_id = %(project)s
            AND s.ts = key.ts AND s.trace_id = key.trace_id AND s.span_id = key.span_id
            AND s.ts BETWEEN %(first)s AND %(last)s
        JOIN llm_contents AS c ON c.organisation_id = 1 AND c.project_id = %(project)s
            AND c.ts = key.ts AND c.trace_id = key.trace_id AND c.span_id = key.span_id
            AND c.ts BETWEEN %(first)s AND %(last)s
    """
    starts, traces, spans = (list(values) for values in zip(*keys, strict=True))
    return sql, {
        "project": PROJECT,
        "ts": starts,
        "traces": [bytes(trace) for trace in traces],
        "spans": [bytes(span) for span in spans],
        "first": min(starts),
        "last": max(starts),
    }


def _count(where: TimeRange) -> tuple[str, dict[str, Any]]:
    """Return the cheapest statement that looks at every span of the range."""
    sql = """
        SELECT count(s.duration_ms) FROM llm_traces AS s
        WHERE s.organisation_id = 1 AND s.project_id = %(project)s AND s.ts >= %(start)s AND s.ts < %(end)s
    """
    return sql, {"project": PROJECT, "start": where.start, "end": where.end}


def _run(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
