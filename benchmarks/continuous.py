"""A continuous aggregate of TimescaleDB beside the table it would replace: sums of `llm_metrics_1hour`, no sketches.

ADR 11 was decided by these figures.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import connection, connections, transaction

from analytics.registry.facts import FACTS, FACTS_BY_KEY
from analytics.registry.rollups import BY_TABLE, DAY, HOUR
from analytics.storage.making import rebuild
from benchmarks.figures import Figure, medians, seconds
from benchmarks.filled import Filled
from benchmarks.keeping import ingest
from benchmarks.loading import ORGANISATION, PROJECTS
from benchmarks.processor import busy_clock
from benchmarks.stores import Server

_ROLLUP = BY_TABLE["llm_metrics_1hour"]
_SUMS = replace(_ROLLUP, sketches=())
_VIEW = "benchmark_aggregate"
MOST_SPANS = 1_000_000  # the store is copied, and of more the view is made for a long time
_ROUNDS, _INGESTED, _REPETITIONS, _AT_ONCE = 3, 4000, 5, 5
_QUESTION = """
    SELECT provider, model, sum({cost}), sum(request_count) FROM {table} AS r
    WHERE organisation_id = 1 AND project_id = 1 AND bucket >= %s AND bucket < %s GROUP BY 1, 2"""


def beside_table(server: Server, rows: Filled) -> Iterator[Figure]:
    """Yield how many times more a continuous aggregate takes: to ask, to refresh a day, at ingest, and in bytes."""
    store = server.copy(rows.store, name=f"{rows.store.name}_aggregates")
    try:
        with store.chosen():
            clock = busy_clock()
            plain, watched = [], []
            for _ in range(_ROUNDS):
                plain.append(ingest(_INGESTED, rows.what.spans, clock))
                _make_view()
                watched.append(ingest(_INGESTED, rows.what.spans, clock))
                _on_owner(f"DROP MATERIALIZED VIEW {_VIEW}")
            _make_view()
            _refresh_view(rows.what.start - DAY, rows.what.end + DAY)
            cost = FACTS_BY_KEY["total_cost_nanousd"]
            both = {_VIEW: f"r.{cost.key}", _ROLLUP.table: _ROLLUP.read(cost, "r")}
            for name in both:
                _on_owner(f"ANALYZE {name}")
            month = [rows.what.end - timedelta(days=30), rows.what.end]
            questions = (
                partial(_ask, _QUESTION.format(table=name, cost=column), month) for name, column in both.items()
            )
            view, table = medians(*questions, repetitions=_REPETITIONS, clock=clock, at_once=_AT_ONCE)
            sizes = _sizes()
            day = rows.what.end.replace(hour=0, minute=0) - DAY
            _touch(day)
            of_view = seconds(partial(_refresh_view, day, day + DAY), clock=clock)
            of_table = seconds(partial(_rebuild, day), clock=clock)
    finally:
        server.drop(store)
    yield rows.figure("continuous_aggregate.query_vs_table", view / table, "x")
    yield rows.figure("continuous_aggregate.refresh_cpu_vs_table", of_view / of_table, "x")
    yield rows.figure("continuous_aggregate.ingest_cpu_vs_none", min(watched) / min(plain), "x")
    yield rows.figure("continuous_aggregate.bytes_vs_table_with_sketches", sizes[0] / sizes[1], "x")


def _make_view() -> None:
    labels = ", ".join(f"coalesce(s.{label}, '') AS {label}" for label in _ROLLUP.labels)
    facts = ", ".join(f"{fact.over_spans} AS {fact.key}" for fact in FACTS)
    places = ", ".join(str(place + 1) for place in range(len(_ROLLUP.keys)))
    _on_owner(
        f"""
        CREATE MATERIALIZED VIEW {_VIEW} WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
        SELECT s.organisation_id, s.project_id, time_bucket('1 hour', s.ts) AS bucket, {labels}, {facts}
        FROM llm_traces AS s GROUP BY {places} WITH NO DATA
        """
    )


def _refresh_view(start: datetime, end: datetime) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"CALL refresh_continuous_aggregate('{_VIEW}', %s::timestamptz, %s::timestamptz)", [start, end])


def _touch(day: datetime) -> None:
    """Write one span of every hour and project once more: these are the hours that are made anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE llm_traces SET ingested_at = ingested_at FROM (
                SELECT DISTINCT ON (project_id, date_bin('1 hour', ts, 'epoch')) project_id, ts, trace_id, span_id
                FROM llm_traces WHERE organisation_id = %(organisation)s AND ts >= %(start)s AND ts < %(end)s
            ) AS one
            WHERE llm_traces.organisation_id = %(organisation)s AND llm_traces.project_id = one.project_id
                AND llm_traces.ts = one.ts AND llm_traces.trace_id = one.trace_id
                AND llm_traces.span_id = one.span_id AND llm_traces.ts >= %(start)s AND llm_traces.ts < %(end)s
            """,
            {"organisation": ORGANISATION, "start": day, "end": day + DAY},
        )


def _rebuild(day: datetime) -> None:
    """Make the sums of the day's hours anew as the worker does, without their sketches."""
    hours = int(DAY / HOUR)
    buckets = [(ORGANISATION, project, day + number * HOUR) for number in range(hours) for project in PROJECTS]
    with transaction.atomic():
        rebuild(_SUMS, buckets)


def _ask(sql: str, parameters: list[datetime]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        cursor.fetchall()


def _sizes() -> tuple[int, int]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"SELECT hypertable_size('{_VIEW}'), pg_total_relation_size('{_ROLLUP.table}')")
        view, table = cursor.fetchone()
    return view, table


def _on_owner(sql: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql)
