"""Positions in the database's log: what was committed up to one can be read where the log has been replayed to it."""

from collections.abc import Callable
from enum import Enum
from time import monotonic, sleep

from django.db import DEFAULT_DB_ALIAS, connections

from analytics.storage import reading

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.1


class Wait(Enum):
    """How waiting for a position ended. `AHEAD`: the primary itself has not written so far, so it never was one."""

    REACHED = "reached"
    TOO_LONG = "too long"
    AHEAD = "ahead"


def written() -> int:
    """Return the position up to which the log is on disk; every commit that this connection made lies before it."""
    return _ask("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint", DEFAULT_DB_ALIAS)


def wait_for(position: int, *, seconds: float, pause: Callable[[float], None] = sleep) -> Wait:
    """Wait until reads see everything up to `position`, `seconds` at most."""
    given_up_at = monotonic() + seconds
    pause_seconds = _FIRST_PAUSE_SECONDS
    if _readable() >= position:
        return Wait.REACHED
    if position > written():
        return Wait.AHEAD
    while (left := given_up_at - monotonic()) > 0:
        pause(min(pause_seconds, left))
        if _readable() >= position:
            return Wait.REACHED
        pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
    return Wait.TOO_LONG


def _readable() -> int:
    return _ask(
        """
        SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END
            - '0/0')::bigint
        """,
        reading.alias(),
    )


def _ask(sql: str, alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        position: int = cursor.fetchone()[0]
    return position
