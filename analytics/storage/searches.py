"""Search vectors: made behind, in batches, of rows that have none yet; and the days where that is still to be done."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from analytics.storage.engines import StoredDay, engine
from analytics.storage.transactions import retried

BATCH_ROWS = 500
_WAITING = "search_vector IS NULL AND (input_text IS NOT NULL OR output_text IS NOT NULL)"
_DAY = timedelta(days=1)
_READING = "llm-observatory search"  # a lock that all share: nobody waits for it, and everybody sees that it is held
_SWITCH = """
    SELECT set_config('timescaledb.enable_transparent_decompression', %s, true),
        set_config('timescaledb.enable_dml_decompression', %s, true)
"""
# The key is a row's own; its start is also given as bounds, which prune partitions and chunks when planned.
_MAKE = """
    UPDATE llm_contents AS stored
    SET search_vector = observatory_document(stored.project_id, stored.input_text, stored.output_text)
    FROM unnest(%(organisations)s::int[], %(projects)s::int[], %(ts)s::timestamptz[], %(traces)s::bytea[],
        %(spans)s::bytea[]) AS given (organisation_id, project_id, ts, trace_id, span_id)
    WHERE stored.organisation_id = given.organisation_id AND stored.project_id = given.project_id
        AND stored.ts = given.ts AND stored.trace_id = given.trace_id AND stored.span_id = given.span_id
        AND stored.ts BETWEEN %(first)s AND %(last)s
"""


@contextmanager
def rows_alone(cursor: CursorWrapper) -> Iterator[None]:
    """Let statements within the open transaction see rows in row storage alone: those in the columnstore have vectors.

    The days of the backlog are the exception. On an engine without a columnstore this does nothing.
    """
    if engine().name != "timescaledb":
        yield
        return
    cursor.execute(_SWITCH, ["off", "off"])
    yield
    cursor.execute(_SWITCH, ["on", "on"])


def backlog() -> list[tuple[datetime, datetime]]:
    """Return the days, first and last moment, whose columnstore has rows without a vector."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT day FROM search_backlog ORDER BY day")
        return [(_midnight(day), _midnight(day + _DAY) - timedelta(microseconds=1)) for (day,) in cursor.fetchall()]


def make_vectors(*, of: date | None = None) -> int:
    """Make the vectors of at most 500 rows, the newest first, in one transaction; return of how many.

    Most searches are of the newest: behind a month that is being imported they would read a growing tail of texts.

    With `of` only rows of that UTC day are looked at. It can be interrupted and repeated, and run beside itself.
    """
    return retried(lambda: _make(of))


def _make(of: date | None) -> int:
    bounds = "" if of is None else "AND ts >= %(start)s AND ts < %(end)s"
    given = {"rows": BATCH_ROWS} | ({} if of is None else {"start": _midnight(of), "end": _midnight(of + _DAY)})
    with connection.cursor() as cursor, rows_alone(cursor):
        cursor.execute(
            f"""
            SELECT organisation_id, project_id, ts, trace_id, span_id FROM llm_contents
            WHERE {_WAITING} {bounds} ORDER BY ts DESC LIMIT %(rows)s FOR UPDATE SKIP LOCKED
            """,
            given,
        )
        return _update(cursor, cursor.fetchall())


def _update(cursor: CursorWrapper, rows: list[tuple[int, int, datetime, bytes, bytes]]) -> int:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        names = ("organisations", "projects", "ts", "traces", "spans")
        given = dict(zip(names, columns, strict=True))
        cursor.execute(_MAKE, given | {"first": min(columns[2]), "last": max(columns[2])})
    return len(rows)


def tell_of_reading() -> None:
    """Let other sessions see until the transaction ends that it searches texts for want of their vectors."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext(%s), 0)", [_READING])


def are_read() -> bool:
    """Whether a search reads texts at this moment on this server, for want of their vectors."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = hashtext(%s)::oid AND objid = 0
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            )
            """,
            [_READING],
        )
        found: bool = cursor.fetchone()[0]
    return found


def make_vectors_of(stored: StoredDay) -> None:
    """Make what vectors a day of content lacks: in the columnstore they could only be made by unpacking it."""
    if stored.relation == "llm_contents":
        while make_vectors(of=stored.day):
            pass


def make_vectors_of_backlog() -> int:
    """Make the vectors of one day that was in the columnstore before there were any; return of how many rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(day) FROM search_backlog")
        (day,) = cursor.fetchone()
    if day is None:
        return 0
    return retried(lambda: _make_day(day))


def _make_day(day: date) -> int:
    engine().unpack_freely()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE llm_contents SET search_vector = observatory_document(project_id, input_text, output_text)
            WHERE {_WAITING} AND ts >= %s AND ts < %s
            """,
            [_midnight(day), _midnight(day + _DAY)],
        )
        made: int = cursor.rowcount
        cursor.execute("DELETE FROM search_backlog WHERE day = %s", [day])
    return made


def oldest_unsearchable() -> datetime | None:
    """Return the start of the oldest row that waits for its vector."""
    with transaction.atomic(), connection.cursor() as cursor, rows_alone(cursor):
        cursor.execute(f"SELECT min(ts) FROM llm_contents WHERE {_WAITING}")
        oldest: datetime | None = cursor.fetchone()[0]
    return oldest


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
