"""Two real connections write spans of the same traces at the same time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction

from analytics.ingest.service import Received, receive
from analytics.ingest.wire import RawSpan
from analytics.registry import rollups
from analytics.scope import Scope
from analytics.storage import slices, transactions
from analytics.storage.partitions import ensure_days
from tests.analytics.storage.conftest import DAY, NOON, NOON_NS

PATIENCE_SECONDS = 20
ROUNDS = 25
COUNTED, NOT_COUNTED = (True, True), (False, False)


def raw(number: int, *, trace: int = 1, parent: int = 0) -> RawSpan:
    """Return span `number` of trace `trace`: a model call with usage."""
    return RawSpan(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name="chat",
        start_ns=NOON_NS,
        end_ns=NOON_NS + 1_000_000,
        attributes={"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 10},
    )


PARENT, CHILD = raw(1), raw(2, parent=1)


@pytest.fixture
def send(committed: Scope, drop_day: Any) -> Callable[..., tuple[int, int]]:
    """Return a function that stores spans in a transaction that commits; it gives the numbers stored and dropped."""
    ensure_days([DAY])

    def store(*spans: RawSpan) -> tuple[int, int]:
        received: Received = receive(scope=committed, spans=spans, received_at=NOON)
        return received.stored, received.duplicates

    return store


@pytest.fixture
def overlap(send: Callable[..., tuple[int, int]], owner: psycopg.Connection) -> Callable[..., tuple[Any, Any]]:
    """Return a function that writes `first`, begins to write `second` before that is committed, and lets both end."""

    def run(first: list[RawSpan], second: list[RawSpan]) -> tuple[Any, Any]:
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                done = send(*first)
                later = pool.submit(on_its_own_connection, send, *second)
                wait_until_blocked(owner, later)
            return done, later.result(PATIENCE_SECONDS)

    return run


@pytest.fixture
def marks(committed: Scope, owner: psycopg.Connection) -> Callable[[], list[tuple[int, int, tuple[bool, bool]]]]:
    """Return a function that reads trace, span and its marks (usage, call) of every stored row."""

    def read() -> list[tuple[int, int, tuple[bool, bool]]]:
        rows = owner.execute(
            "SELECT trace_id, span_id, usage_counted, call_counted FROM llm_traces WHERE organisation_id = ANY(%s)",
            [list(committed.projects)],
        )
        return sorted((int.from_bytes(row[0], "big"), int.from_bytes(row[1], "big"), row[2:]) for row in rows)

    return read


def on_its_own_connection(work: Callable[..., Any], *given: Any) -> Any:
    try:
        return work(*given)
    finally:
        connections.close_all()


def wait_until_blocked(owner: psycopg.Connection, writer: Future[Any]) -> None:
    """Return when a connection of this database waits for another one's transaction."""
    waiting = """
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND locktype IN ('transactionid', 'advisory') AND datname = current_database()
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while owner.execute(waiting).fetchone() == (0,):
        assert not writer.done(), "the second writer did not wait for the first"
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(("first", "second"), [(PARENT, CHILD), (CHILD, PARENT)], ids=["parent first", "child first"])
def test_parent_and_child_written_at_the_same_time_are_counted_once(overlap, marks, first, second):
    assert overlap([first], [second]) == ((1, 0), (1, 0))
    assert marks() == [(1, 1, NOT_COUNTED), (1, 2, COUNTED)]


def test_a_child_and_its_grandparent_meet_the_span_between_them_that_another_connection_wrote(send, overlap, marks):
    send(raw(3, parent=2))
    overlap([raw(2, parent=1)], [raw(1)])

    assert marks() == [(1, 1, NOT_COUNTED), (1, 2, NOT_COUNTED), (1, 3, COUNTED)]


def test_the_same_spans_sent_at_the_same_time_are_stored_once(overlap, marks):
    assert overlap([PARENT, CHILD], [CHILD, PARENT]) == ((2, 0), (0, 2))
    assert marks() == [(1, 1, NOT_COUNTED), (1, 2, COUNTED)]


def test_a_batch_that_knows_some_spans_of_another_adds_the_rest(overlap, marks):
    overlap([PARENT, raw(1, trace=2)], [raw(1, trace=2), raw(1, trace=3)])

    assert marks() == [(1, 1, COUNTED), (2, 1, COUNTED), (3, 1, COUNTED)]


def test_spans_of_a_transaction_that_is_undone_are_stored_by_the_one_that_waited(send, owner, marks):
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            send(PARENT, CHILD)
            later = pool.submit(on_its_own_connection, send, CHILD)
            wait_until_blocked(owner, later)
            transaction.set_rollback(True)
        assert later.result(PATIENCE_SECONDS) == (1, 0)

    assert marks() == [(1, 2, COUNTED)]


def test_slices_are_not_forgotten_while_something_is_made_of_them(committed, owner):
    (organisation,) = committed.projects
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            slices.made([(organisation, organisation, NOON)], rollups.HOUR)
            later = pool.submit(on_its_own_connection, slices.forget, [(organisation, organisation, NOON)], rollups.DAY)
            wait_until_blocked(owner, later)
        later.result(PATIENCE_SECONDS)


def test_batches_that_share_traces_in_different_orders_never_deadlock(send, marks, monkeypatch):
    monkeypatch.setattr(transactions, "TRIES", 1)  # a deadlock is an error here, not a reason to try again
    traces = range(1, 9)
    together = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def write(offset: int, order: list[int]) -> None:
        for number in range(ROUNDS):
            together.wait()
            send(*(raw(2 * number + offset, trace=trace) for trace in order))

    with ThreadPoolExecutor(2) as pool:
        writers = [
            pool.submit(on_its_own_connection, write, 1, [*traces]),
            pool.submit(on_its_own_connection, write, 2, [*reversed(traces)]),
        ]
        for writer in writers:
            writer.result(ROUNDS * PATIENCE_SECONDS)

    assert marks() == [(trace, span, COUNTED) for trace in traces for span in range(1, 2 * ROUNDS + 1)]
