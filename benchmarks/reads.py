"""Figures through the domain calls of their routes, over the same months of spans that the storage is measured on."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise
from time import perf_counter, process_time

from django.db import connection

from analytics.queries.plans import Question
from analytics.queries.reports.performance import PERFORMANCE, performance
from analytics.queries.reports.tables import Fill, metrics_table
from analytics.queries.sources import Segment
from analytics.queries.statements import Statements
from analytics.queries.timerange import TimeRange
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import FIGURES
from analytics.scope import Scope
from benchmarks.endpoints import BY_USER, Call, calls
from benchmarks.figures import CPU_PASSES, Figure, median_seconds, seconds
from benchmarks.filled import JUDGED_FROM, Filled, filled
from benchmarks.run import Run
from errors.json import dumps

PROJECT = 1  # the busiest: three spans of ten
LEAST, MOST, LONG_SECONDS = 7, 20, 0.5  # repetitions, fewer of what takes long
GROWTH_TARGET, ROW_TARGET_US, SPANS_TARGET = 1.5, 15.0, 30.0
REPETITIONS = 9


def measure(run: Run) -> Iterator[Figure]:
    """Yield each call's p95 at every size and how much it grows to the next; what figures cost against raw spans."""
    for server in run.servers:
        stores = [filled(server, spans) for spans in sorted(run.sizes)]
        yield from _endpoints(stores)
        for store in stores:
            with store.store.chosen():
                yield from _of_figures(store)


def _figure(
    of: Filled, name: str, value: float, unit: str, target: float | None = None, *, at_least: bool = False
) -> Figure:
    return Figure(
        figure=f"reads.{name}",
        value=value,
        unit=unit,
        rows=of.what.spans,
        target=target,
        direction="at_least" if at_least else "at_most",
        engine=of.store.engine,
    )


def _endpoints(stores: Sequence[Filled]) -> Iterator[Figure]:
    known = [calls(one.what) for one in stores]
    for name in known[0]:
        times = _p95_turn_by_turn(stores, [of_store[name] for of_store in known])
        for one, took in zip(stores, times, strict=True):
            yield _figure(one, f"{name}_p95", took * 1000, "ms")
        for (smaller, larger), (short, long) in zip(pairwise(stores), pairwise(times), strict=True):
            allowed = GROWTH_TARGET
            if name in BY_USER:
                allowed = max(allowed, round(_rows(larger, BY_USER[name]) / _rows(smaller, BY_USER[name]), 2))
            judged = smaller.what.spans >= JUDGED_FROM
            yield _figure(larger, f"{name}_p95.growth", long / short, "x", allowed if judged else None)


def _p95_turn_by_turn(stores: Sequence[Filled], asked: Sequence[Call]) -> list[float]:
    """Return the 95th percentile of each call. They take turns, so that noise meets all sizes alike."""
    turns: list[list[float]] = [[] for _ in asked]
    longest = 0.0
    while len(turns[0]) < (LEAST if longest > LONG_SECONDS else MOST) + 1:
        for store, call, times in zip(stores, asked, turns, strict=True):
            with store.store.chosen():
                times.append(seconds(call, clock=perf_counter))
        longest = max(times[-1] for times in turns)
    return [_p95(times[1:]) for times in turns]  # the first is there to be warm


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[-(-95 * len(times) // 100) - 1]


def _rows(store: Filled, table: str) -> int:
    with store.store.chosen(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        counted: int = cursor.fetchone()[0]
    return counted


def _of_figures(store: Filled) -> Iterator[Figure]:
    scope = store.what.scope(PROJECT)
    month = TimeRange(start=store.what.end - timedelta(days=30), end=store.what.end)
    asked = partial(performance, scope=scope, where=month, grain=GRAINS["1hour"])
    every = median_seconds(asked, repetitions=REPETITIONS)
    two = median_seconds(partial(asked, wanted=PERFORMANCE.chosen(["request_count", "error_rate"])), repetitions=9)
    judged = store.what.spans >= JUDGED_FROM
    yield _figure(store, "performance_30d_by_hour", every * 1000, "ms")
    exact = seconds(partial(_percentiles_of_spans, scope, month))
    yield _figure(
        store,
        "percentile_cont_of_spans_vs_performance",
        exact / every,
        "x",
        SPANS_TARGET if store.what.spans > JUDGED_FROM else None,
        at_least=True,
    )
    yield _figure(store, "two_fields_vs_all", two / every, "x", 1.0 if judged else None)
    yield _figure(store, "python_per_row", _cpu_per_row(store, month), "us", ROW_TARGET_US)


def _percentiles_of_spans(scope: Scope, where: TimeRange) -> None:
    """Ask what performance tells of latencies by hour, of spans alone and without sketches."""
    question = Question(scope=scope, range=where, figures=())
    whole = Statements(question=question, segments=[Segment(rollup=None, start=where.start, end=where.end)])
    tables, condition, parameters = whole.spans()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT date_bin('1 hour', s.ts, TIMESTAMPTZ '1970-01-01 00:00Z') AS hour, count(*),
                percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY s.duration_ms)
            FROM {tables} WHERE {condition} AND s.call_counted GROUP BY 1 ORDER BY 1
            """,
            parameters,
        )
        cursor.fetchall()


def _cpu_per_row(store: Filled, month: TimeRange) -> float:
    """Return the processor time of this process between rows and bytes, in microseconds a row."""
    question = Question(
        scope=store.what.scope(PROJECT),
        range=TimeRange(start=month.end - timedelta(days=6), end=month.end),
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
    return min(seconds(table, clock=process_time) for _ in range(CPU_PASSES)) / max(rows, 1) * 1_000_000
