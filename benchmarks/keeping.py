"""What keeping rollups fresh costs: processor time against that of taking the same spans in, and how far it lags."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.registry.rollups import DAY, HOUR, MINUTE, SLICES
from analytics.scope import Scope, ScopedProject
from analytics.storage.rollups import refresh
from benchmarks.figures import Figure, seconds
from benchmarks.filled import Filled
from benchmarks.loading import ORGANISATION, PROJECTS, Loaded, load_ten_minutes, mark, refresh_all, tidy
from benchmarks.processor import busy_clock
from benchmarks.requests import SPANS_A_REQUEST, bodies
from benchmarks.stores import Store

COST_TARGET, LAG_TARGET = 0.25, 60.0
MOST_INGESTED = 6_000
WARM_REQUESTS = 8
SPANS_A_SECOND = 2000
TEN_MINUTES = 10 * MINUTE
SPANS_OF_TEN_MINUTES = SPANS_A_SECOND * int(TEN_MINUTES.total_seconds())
TIMER_SECONDS = 15.0  # between two passes of the worker


def refreshing(filled: Filled, scratch: Store) -> Iterator[Figure]:
    """Yield processor time of taking a span in and of its share in a refresh, and their ratio."""
    spans = filled.what.spans
    with filled.store.chosen():
        refreshed = _refresh_of_a_day(filled.what, busy_clock())
    with scratch.chosen():
        taken = ingest(min(spans, MOST_INGESTED), spans, busy_clock())
    yield filled.figure("ingest_cpu", taken * 1_000_000, "us/span")
    yield filled.figure("refresh_cpu", refreshed * 1_000_000, "us/span")
    yield filled.figure("refresh_vs_ingest_cpu", refreshed / taken, "x", COST_TARGET)


def lagging(filled: Filled, scratch: Store) -> Iterator[Figure]:
    """Yield how far the hour lags behind a busy stream of spans; `filled` only says how many are worth the time."""
    with scratch.chosen():
        lag = _lag(min(filled.what.spans, SPANS_OF_TEN_MINUTES), busy_clock())
    yield filled.figure("lag_at_2000_spans_a_second", lag, "s", LAG_TARGET)


def _refresh_of_a_day(what: Loaded, clock: Callable[[], float]) -> float:
    """Return the seconds a span of refreshing a whole day, from its minutes to its day; the day is left as it was.

    What the undone refresh wrote is vacuumed away, or the server would do it while something else is measured.
    """
    start = what.end.replace(hour=0, minute=0) - DAY
    with transaction.atomic():
        spans = mark(start, start + DAY)
        spent = seconds(lambda: refresh_all(what), clock=clock)
        transaction.set_rollback(True)
    tidy()
    return spent / spans


def ingest(spans: int, density: int, clock: Callable[[], float]) -> float:
    """Return the seconds a span of taking requests in, for one project after the other, as dense as the store."""
    step_ns = int(30 * DAY.total_seconds()) * 1_000_000_000 // density
    now = datetime.now(UTC)
    warm = WARM_REQUESTS * SPANS_A_REQUEST
    requests = bodies(spans=spans + warm, end_ns=int(now.timestamp()) * 1_000_000_000, step_ns=step_ns)

    def take(body: bytes, project: int) -> None:
        scope = Scope(
            projects={project: ScopedProject(organisation_id=ORGANISATION, public_id=UUID(int=project))},
            permissions=frozenset(),
        )
        receive(scope=scope, spans=decode(body, json=False).spans, received_at=now)

    def take_all(some: Any) -> None:
        for number, request in enumerate(some):
            take(request.protobuf, PROJECTS[number % len(PROJECTS)])

    take_all(requests[:WARM_REQUESTS])
    return seconds(lambda: take_all(requests[WARM_REQUESTS:]), clock=clock) / spans


def _make_empty_slices(start: datetime, end: datetime) -> None:
    """Leave slices between two instants that say their spans are none; without them the refresh looks for spans."""
    given: dict[str, Any] = {
        "organisation": ORGANISATION,
        "projects": list(PROJECTS),
        "start": start,
        "last": end - MINUTE,
        "width": MINUTE,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH minutes AS (
                INSERT INTO llm_metrics_1min (organisation_id, project_id, bucket)
                SELECT %(organisation)s, project, bucket
                FROM unnest(%(projects)s::int[]) AS project, generate_series(%(start)s, %(last)s, %(width)s) AS bucket
                RETURNING organisation_id, project_id, bucket
            )
            INSERT INTO {SLICES["llm_distinct_1hour"].table} (organisation_id, project_id, bucket, span_count)
            SELECT organisation_id, project_id, bucket, 0 FROM minutes
            """,
            given,
        )


def _lag(spans: int, clock: Callable[[], float]) -> float:
    """Return how old the oldest stale bucket gets: the worker's timer, and the pass that makes an hour when it ends.

    What the worker makes while the hour runs was made before: all but the last minute with its slice, the last five
    minutes, and the hour of its slices. Ten slices stand for sixty: the fifty before them are there, and empty.
    Processor time stands for time, since a pass is one connection's work. Of fewer spans than ten minutes have at that
    rate the pass is taken to be as much shorter.
    """
    what = load_ten_minutes(spans=spans, day=(datetime.now(UTC) - timedelta(days=10)).date())
    refresh_all(replace(what, end=what.end - MINUTE))
    _make_empty_slices(what.end - HOUR, what.end - TEN_MINUTES)

    def last_minutes() -> None:
        refresh("1min", before=what.end)
        refresh("5min", before=what.end)

    of_minutes = seconds(last_minutes, clock=clock)
    of_hour = seconds(lambda: refresh_all(what), clock=clock) * int(HOUR / TEN_MINUTES)
    return TIMER_SECONDS + (of_minutes + of_hour) * SPANS_OF_TEN_MINUTES / spans
