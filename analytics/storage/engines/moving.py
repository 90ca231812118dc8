"""Moving a plain installation to TimescaleDB: day by day beside the running service, then one swap of names.

While it runs, every write to the old tables appends the days it touched to `engine_move`. A day is copied in one
snapshot after its entries were taken, so what is written meanwhile leaves an entry, and the day is copied once more.
What is left at the end is copied while writers wait. An interrupted move goes on where it was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from analytics.storage.engines.days import OF_DAY
from analytics.storage.engines.detection import engine
from analytics.storage.engines.interface import RELATIONS
from analytics.storage.engines.plain import Plain
from analytics.storage.engines.timescale import Timescale
from analytics.storage.exclusive import BusyError, RefusedError

# A guess from what COPY reaches on two cores with content; it is told to the operator and never relied on.
ROWS_A_SECOND = 12_000
_LOCK = "llm-observatory migrate_engine"
# The day that is being written is behind again as soon as it was copied, in both relations.
_FEW_DAYS, _PASSES = 2, 5
_SQL = Path(__file__).parent.parent / "sql" / "timescale"
# A tenant's question reads its own segments, newest first; a trace is found by its time, and skipped to by its filter.
_HYPERTABLE = (
    "SELECT create_hypertable('{table}', by_range('ts', INTERVAL '1 day'), create_default_indexes => false)",
    """
    ALTER TABLE {table} SET (
        timescaledb.enable_columnstore,
        timescaledb.segmentby = 'organisation_id, project_id',
        timescaledb.orderby = 'ts DESC',
        timescaledb.sparse_index = 'bloom(trace_id)'
    )
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A relation to move; `rows` is an estimate of the server."""

    relation: str
    days: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """What a move would do."""

    tables: tuple[Table, ...]

    @property
    def seconds(self) -> int:
        """About how long it takes: a row of both relations at a time."""
        return round(max(table.rows for table in self.tables) / ROWS_A_SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One day that was copied, and how many are left."""

    relation: str
    day: date
    rows: int
    left: int


def plan(connection: BaseDatabaseWrapper) -> MovePlan:
    """Return what is there to move."""
    return MovePlan(tables=tuple(_table(connection, relation) for relation in RELATIONS))


def move(connection: BaseDatabaseWrapper, *, report: Callable[[Copied], None] = lambda _copied: None) -> int:
    """Move both relations into hypertables; return the number of rows this run copied. `connection` is the owner's.

    Raises `RefusedError` when another move runs, when a table has what would not be carried over, or when not as many
    rows arrived as there are.
    """
    with _alone(connection):
        for relation in RELATIONS:
            _refuse_what_is_not_carried_over(connection, relation)
        with transaction.atomic(using=connection.alias):
            _begin(connection)
        copied: dict[tuple[str, date], int] = {}
        for number in range(_PASSES):
            waiting = _waiting(connection)
            if number and len(waiting) <= _FEW_DAYS:
                break
            _copy(connection, waiting, copied, report)
        with transaction.atomic(using=connection.alias):
            _wait_for_writers(connection)
            _copy(connection, _waiting(connection), copied, report)
            _swap_names(connection)
    engine.cache_clear()
    return sum(copied.values())


def run_file(connection: BaseDatabaseWrapper, name: str) -> None:
    """Run one of the frozen files for TimescaleDB; part of the caller's transaction."""
    # Rows that are decompressed in bulk and go straight into partitions arrive with broken texts (TimescaleDB 2.29.2).
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL timescaledb.enable_bulk_decompression = off;\n{(_SQL / name).read_text()}")


def _table(connection: BaseDatabaseWrapper, relation: str) -> Table:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
                coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, count(*) FILTER (WHERE c.reltuples < 0)
            FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass
            """,
            [relation],
        )
        days, size, rows, unknown = cursor.fetchone()
        if unknown:  # a partition without statistics is small or new
            cursor.execute(f"SELECT count(*) FROM {relation}")
            rows = cursor.fetchone()[0]
    return Table(relation=relation, days=days, rows=rows, bytes=size)


@contextmanager
def _alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [_LOCK])
        if not cursor.fetchone()[0]:
            raise BusyError("Another migrate_engine is at work on this database: wait until it has ended.")
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [_LOCK])


def _refuse_what_is_not_carried_over(connection: BaseDatabaseWrapper, relation: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT format('policy %%s', polname) FROM pg_policy WHERE polrelid = %(relation)s::regclass
            UNION ALL SELECT format('trigger %%s', tgname) FROM pg_trigger
            WHERE tgrelid = %(relation)s::regclass AND NOT tgisinternal AND tgname NOT LIKE 'engine_move%%'
            """,
            {"relation": relation},
        )
        if found := [name for (name,) in cursor.fetchall()]:
            raise RefusedError(f"{relation} has {', '.join(found)}, which a move would lose: drop it first.")


def _begin(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('engine_move') IS NOT NULL")
        if cursor.fetchone()[0]:
            return  # an interrupted move
        cursor.execute(
            """
            CREATE TABLE engine_move (relation text NOT NULL, day date NOT NULL);
            CREATE FUNCTION engine_move() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            BEGIN
                INSERT INTO engine_move SELECT DISTINCT TG_ARGV[0], (ts AT TIME ZONE 'UTC')::date FROM changed;
                RETURN NULL;
            END $$
            """
        )
        for relation in RELATIONS:
            for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
                cursor.execute(
                    f"""
                    CREATE TRIGGER engine_move_{event.lower()} AFTER {event} ON {relation}
                    REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION engine_move('{relation}')
                    """
                )
            cursor.execute(f"CREATE TABLE {relation}_moving (LIKE {relation} INCLUDING ALL)")
            for statement in _HYPERTABLE:
                cursor.execute(statement.format(table=f"{relation}_moving"))
            for stored in Plain(alias=connection.alias).days(relation):
                cursor.execute("INSERT INTO engine_move VALUES (%s, %s)", [relation, stored.day])


def _waiting(connection: BaseDatabaseWrapper) -> list[tuple[str, date]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT relation, day FROM engine_move ORDER BY day, relation DESC")
        found: list[tuple[str, date]] = cursor.fetchall()
    return found


def _copied(connection: BaseDatabaseWrapper, relation: str, day: date) -> Copied:
    """Copy one day as it is in one snapshot, and see that as many rows arrived as there are."""
    nested = connection.in_atomic_block
    given: dict[str, Any] = {"relation": relation, "day": day}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if not nested:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("DELETE FROM engine_move WHERE relation = %(relation)s AND day = %(day)s", given)
        cursor.execute(f"DELETE FROM {relation}_moving WHERE {OF_DAY}", given)
        cursor.execute(f"INSERT INTO {relation}_moving SELECT * FROM {relation} WHERE {OF_DAY}", given)
        counts = []
        for table in (relation, f"{relation}_moving"):
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {OF_DAY}", given)
            counts.append(cursor.fetchone()[0])
        if counts[0] != counts[1]:
            raise RefusedError(f"{relation} of {day} has {counts[0]} rows, and {counts[1]} arrived.")
        cursor.execute("SELECT count(DISTINCT (relation, day)) FROM engine_move")
        return Copied(relation=relation, day=day, rows=counts[1], left=cursor.fetchone()[0])


def _copy(
    connection: BaseDatabaseWrapper,
    waiting: list[tuple[str, date]],
    copied: dict[tuple[str, date], int],
    report: Callable[[Copied], None],
) -> None:
    for relation, day in waiting:
        done = _copied(connection, relation, day)
        copied[relation, day] = done.rows
        report(done)


def _wait_for_writers(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(RELATIONS)} IN ACCESS EXCLUSIVE MODE")


def _swap_names(connection: BaseDatabaseWrapper) -> None:
    for relation in RELATIONS:
        _drop_what_retention_dropped(connection, relation)
        indexes, moving = _indexes(connection, relation), _indexes(connection, f"{relation}_moving")
        if [columns for _, columns in indexes] != [columns for _, columns in moving]:
            raise RefusedError(f"The indexes of {relation} changed while it was moved: drop {relation}_moving.")
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {relation}")
            cursor.execute(f"ALTER TABLE {relation}_moving RENAME TO {relation}")
            for (name, _), (made, _) in zip(indexes, moving, strict=True):
                cursor.execute(f'ALTER INDEX "{made}" RENAME TO "{name}"')
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION engine_move(); DROP TABLE engine_move")
    run_file(connection, "0004_engines.up.sql")


def _drop_what_retention_dropped(connection: BaseDatabaseWrapper, relation: str) -> None:
    kept = {stored.day for stored in Plain(alias=connection.alias).days(relation)}
    with connection.cursor() as cursor:
        for stored in Timescale(alias=connection.alias).days(f"{relation}_moving"):
            if stored.day not in kept:
                cursor.execute(f"DROP TABLE {stored.table}")


def _indexes(connection: BaseDatabaseWrapper, table: str) -> list[tuple[str, str]]:
    """Return names and columns of a table's indexes, in the order in which they were made and copied."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, pg_get_indexdef(i.indexrelid)
            FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
            WHERE i.indrelid = %s::regclass ORDER BY i.indexrelid
            """,
            [table],
        )
        return [(name, definition.partition(" USING ")[2]) for name, definition in cursor.fetchall()]
