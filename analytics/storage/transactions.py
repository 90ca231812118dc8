"""Write transactions that are tried again when the server says that trying again is the cure."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from django.db import DatabaseError, connection, transaction

from analytics.storage.deadline import statement_ms

R = TypeVar("R")
TRIES = 3
SERIALISATION_FAILURE, DEADLOCK = "40001", "40P01"
_SNAPSHOT, _LIMIT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET LOCAL statement_timeout = "
# TimescaleDB hands bounds of a table on to those that are joined with it. Ours are given to each, and meant to differ.
# To other servers it is a setting that nobody reads.
OWN_BOUNDS = "set_config('timescaledb.enable_qual_propagation', 'off', true)"
NO_PARTITION = "23514"  # a row fits no partition; there is no state of its own
_in_snapshot: ContextVar[bool] = ContextVar("in_snapshot", default=False)


def sqlstate(problem: BaseException) -> str | None:
    """Return the SQLSTATE behind Django's wrapper, `None` when the server said none (it could not be reached)."""
    state: str | None = getattr(problem.__cause__, "sqlstate", None)
    return state


def told(problem: DatabaseError) -> str:
    """Return one sentence about what the server refused, without its details: they may hold values of rows."""
    lines = str(problem).strip().splitlines()
    return f"The database refused: {lines[0] if lines else type(problem).__name__}"


def retried(
    work: Callable[[], R],
    *,
    states: frozenset[str] = frozenset({SERIALISATION_FAILURE, DEADLOCK}),
    before: Callable[[int], None] = lambda _attempt: None,
    snapshot: bool = False,
) -> R:
    """Run `work` in one transaction, three times at most while it fails with one of `states`.

    `before` runs ahead of each attempt, outside its transaction, and is told the attempt's number from 1. With
    `snapshot` all statements see the database as it was at the first (repeatable read), unless a caller's transaction
    is open already: then its isolation holds. Within a request an attempt ends with it: 504/1800.
    """
    if snapshot and _in_snapshot.get():
        return work()  # a part of what sees that snapshot, and is tried again with the whole
    nested = connection.in_atomic_block
    for attempt in range(1, TRIES + 1):
        before(attempt)
        longest = statement_ms()
        try:
            with transaction.atomic():
                if snapshot and not nested:
                    with connection.cursor() as cursor:
                        cursor.execute(_SNAPSHOT if longest is None else f"{_SNAPSHOT}; {_LIMIT}{longest}")
                return _seeing(work) if snapshot else work()
        except DatabaseError as problem:
            if attempt == TRIES or sqlstate(problem) not in states:
                raise
    raise AssertionError("the loop returns or raises")


def _seeing(work: Callable[[], R]) -> R:
    token = _in_snapshot.set(True)
    try:
        return work()
    finally:
        _in_snapshot.reset(token)
