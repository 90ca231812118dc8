"""Which days are in the columnstore, which are due for it, and bringing them there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import connection

from analytics.storage.engines.detection import engine, has_hypertables, server
from analytics.storage.engines.interface import RELATIONS, NotOnThisEngineError, State, StoredDay
from analytics.storage.exclusive import exclusively

LEAST_DAYS, MOST_DAYS = 1, 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One day that was moved into the columnstore, its rows, bytes with indexes before and after, how many are left."""

    relation: str
    day: date
    rows: int
    bytes_before: int
    bytes_after: int
    left: int


def after_days() -> int:
    """Return how old in days a day is when the columnstore takes it over: as set by the operator, else the setting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT after_days FROM compression_policy")
        row = cursor.fetchone()
    limit: int = row[0] if row else settings.COMPRESS_AFTER_DAYS
    return limit


def set_after_days(days: int) -> None:
    """Keep `days` as the age at which the columnstore takes a day over."""
    require_columnstore()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO compression_policy (after_days) VALUES (%s)
            ON CONFLICT (only_one) DO UPDATE SET after_days = excluded.after_days, changed_at = clock_timestamp()
            """,
            [days],
        )


def require_columnstore() -> None:
    """Raise `NotOnThisEngineError` with the reason where days cannot be compressed."""
    if not has_hypertables(connection):
        lacks = server(connection).lacks or "The spans are still in partitions: run `migrate_engine` first."
        raise NotOnThisEngineError(f"{lacks} Compression needs the TimescaleDB engine.")


def stored_days() -> list[StoredDay]:
    """Return the days of both relations, oldest first."""
    require_columnstore()
    found = [stored for relation in RELATIONS for stored in engine().days(relation)]
    return sorted(found, key=lambda stored: (stored.day, stored.relation))


def due(*, today: date, after: int) -> list[StoredDay]:
    """Return the days that ended more than `after` days before `today` and have rows outside the columnstore."""
    newest = today - timedelta(days=after)
    return [stored for stored in stored_days() if stored.state is not State.COLUMNS and stored.day < newest]


def compress_due(
    *,
    today: date,
    report: Callable[[Packed], None] = lambda _packed: None,
    prepare: Callable[[StoredDay], None] = lambda _stored: None,
) -> int:
    """Move every due day into the columnstore, each in a transaction of its own; return how many there were.

    `prepare` is called with each before.

    Raises `BusyError` when another process does the same.
    """
    with exclusively("compression"):
        waiting = due(today=today, after=after_days())
        for number, stored in enumerate(waiting, start=1):
            prepare(stored)
            engine().compress_day(stored.relation, stored.day)
            report(_packed(stored, left=len(waiting) - number))
    return len(waiting)


def _packed(stored: StoredDay, *, left: int) -> Packed:
    sizes = {one.day: one.bytes for one in engine().days(stored.relation)}
    return Packed(
        relation=stored.relation,
        day=stored.day,
        rows=engine().rows(stored.relation, stored.day),
        bytes_before=stored.bytes,
        bytes_after=sizes.get(stored.day, 0),
        left=left,
    )
