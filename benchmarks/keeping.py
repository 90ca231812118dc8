"""What keeping rollups fresh costs: processor time against that of taking the same spans in, and how far it lags."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.registry.rollups import DAY
from analytics.scope import Scope, ScopedProject
from benchmarks.figures import Figure, seconds
from benchmarks.filled import Filled
from benchmarks.loading import ORGANISATION, PROJECTS, Loaded, load_hour, mark, refresh_all
from benchmarks.processor import busy_clock
from benchmarks.requests import SPANS_A_REQUEST, bodies
from benchmarks.stores import Store

COST_TARGET, LAG_TARGET = 0.25, 60.0
MOST_INGESTED = 6_000
WARM_REQUESTS = 8
SPANS_A_SECOND = 2000
AN_HOUR = SPANS_A_SECOND * 3600
MOST_OF_AN_HOUR = 200_000  # of more spans a pass costs as much per span
TIMER_SECONDS = 30.0  # between two passes of the worker


def refreshing_and_lagging(filled: Filled, scratch: Store) -> Iterator[Figure]:
    """Yield processor time of taking a span in and of its share in a refresh, their ratio, and a busy hour's lag."""
    spans = filled.what.spans
    with filled.store.chosen():
        clock = busy_clock()
        refreshed = _refresh_of_a_day(filled.what, clock)
    with scratch.chosen():
        clock = busy_clock()
        taken = ingest(min(spans, MOST_INGESTED), spans, clock)
        lag = _lag(min(spans, MOST_OF_AN_HOUR), clock)
    yield filled.figure("ingest_cpu", taken * 1_000_000, "us/span")
    yield filled.figure("refresh_cpu", refreshed * 1_000_000, "us/span")
    yield filled.figure("refresh_vs_ingest_cpu", refreshed / taken, "x", COST_TARGET)
    yield filled.figure("lag_at_2000_spans_a_second", lag, "s", LAG_TARGET)


def _refresh_of_a_day(what: Loaded, clock: Callable[[], float]) -> float:
    """Return the seconds a span of refreshing a whole day, from its minutes to its day; the day is left as it was."""
    start = what.end.replace(hour=0, minute=0) - DAY
    with transaction.atomic():
        spans = mark(start, start + DAY)
        spent = seconds(lambda: refresh_all(what), clock=clock)
        transaction.set_rollback(True)
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


def _lag(spans: int, clock: Callable[[], float]) -> float:
    """Return how old the oldest stale bucket gets: the worker's timer, and a pass over the hour that has just ended.

    Processor time stands for time, since a pass is one connection's work. Of fewer spans than the hour has at that
    rate the pass is taken to be as much shorter.
    """
    what = load_hour(spans=spans, day=(datetime.now(UTC) - timedelta(days=10)).date())
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM bucket_change WHERE grain = '1min' AND bucket < %s", [what.end - timedelta(minutes=1)]
        )
    return TIMER_SECONDS + seconds(lambda: refresh_all(what), clock=clock) * AN_HOUR / spans
