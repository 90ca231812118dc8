"""A plain installation whose server got TimescaleDB is moved with every row, while it is written to."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from analytics.storage import ddl
from analytics.storage.engines.detection import has_hypertables, with_timescale
from analytics.storage.engines.moving import Copied, MovePlan, Table, move, plan, run_file
from analytics.storage.engines.timescale import Timescale
from analytics.storage.exclusive import BusyError, RefusedError

SQL_FILES = sorted((Path(ddl.__file__).parent / "sql").glob("*.up.sql"))
FIRST = date(2001, 5, 1)
DAYS, ROWS_A_DAY = 3, 100
ALIAS = "moving"


@pytest.fixture
def installation(django_db_setup: None, django_db_blocker) -> Iterator[BaseDatabaseWrapper]:
    """The owner's connection to a plain installation of three days of spans, on a server that offers TimescaleDB."""
    name = f"moving_{os.getpid()}"
    url = os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{name}?")
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER observatory_owner")
        try:
            with psycopg.connect(url, autocommit=True) as owner:
                for path in SQL_FILES:
                    owner.execute(path.read_text())
                fill(owner)
            connections.databases[ALIAS] = connections.databases["owner"] | {"NAME": name}
            with django_db_blocker.unblock():
                assert with_timescale(connections[ALIAS]).lacks is None
                yield connections[ALIAS]
                connections[ALIAS].close()
        finally:
            del connections[ALIAS]
            del connections.databases[ALIAS]
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fill(owner: psycopg.Connection) -> None:
    owner.execute("SELECT observatory_ensure_partitions(%s, %s)", [FIRST, FIRST + timedelta(days=DAYS - 1)])
    for day in range(DAYS):
        write(owner, FIRST + timedelta(days=day), ROWS_A_DAY)


def write(owner, day: date, count: int, *, first: int = 0) -> None:
    owner.execute(
        """
        INSERT INTO llm_traces (organisation_id, project_id, ts, trace_id, span_id, ingested_at, duration_ms,
            usage_counted, call_counted, span_name, span_kind, status_code)
        SELECT 1, 1, %(day)s::date::timestamp AT TIME ZONE 'UTC' + n * interval '1 second', '\\x01',
            decode(lpad(to_hex(n), 16, '0'), 'hex'), now(), n, true, true, 'chat', 'client', 'OK'
        FROM generate_series(%(first)s::int, %(first)s + %(count)s - 1) AS n
        """,
        {"day": day, "count": count, "first": first},
    )
    owner.execute(
        "INSERT INTO llm_contents (organisation_id, project_id, ts, trace_id, span_id, input_text)"
        " SELECT organisation_id, project_id, ts, trace_id, span_id, 'hello' FROM llm_traces ON CONFLICT DO NOTHING"
    )


def rows(connection: BaseDatabaseWrapper, relation: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {relation} ORDER BY ts, span_id")
        return [tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in cursor.fetchall()]


def indexes(connection: BaseDatabaseWrapper) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, replace(indexdef, 'ON ONLY', 'ON') FROM pg_indexes"
            " WHERE schemaname = 'public' AND tablename IN ('llm_traces', 'llm_contents') ORDER BY 1"
        )
        return cursor.fetchall()


def test_every_row_and_every_index_is_the_same_after_a_move(installation):
    def everything():
        return [rows(installation, "llm_traces"), rows(installation, "llm_contents"), indexes(installation)]

    before = everything()

    assert move(installation) == 2 * DAYS * ROWS_A_DAY
    assert has_hypertables(installation)
    assert everything() == before


def test_a_plan_tells_what_is_there(installation):
    tables = plan(installation).tables

    assert [(table.relation, table.days, table.rows) for table in tables] == [
        ("llm_traces", DAYS, DAYS * ROWS_A_DAY),
        ("llm_contents", DAYS, DAYS * ROWS_A_DAY),
    ]


def test_a_plan_takes_its_time_from_the_larger_relation():
    assert plan_of(12_000, 24_000) == 2


def plan_of(*counts: int) -> int:
    return MovePlan(tables=tuple(Table(relation="x", days=1, rows=rows, bytes=1) for rows in counts)).seconds


def test_what_is_written_while_days_are_copied_is_moved_too(installation):
    with owner_of(installation) as owner:

        def late(copied: Copied) -> None:
            if copied.relation == "llm_contents" and copied.day == FIRST + timedelta(days=1) and not told:
                told.append(copied)
                write(owner, FIRST, 5, first=ROWS_A_DAY)
                owner.execute("UPDATE llm_traces SET usage_counted = false WHERE duration_ms = 7")
                owner.execute("DELETE FROM llm_contents WHERE ts = %s", [datetime(2001, 5, 1, tzinfo=UTC)])

        told: list[Copied] = []
        move(installation, report=late)

    assert len(told) == 1
    assert len(rows(installation, "llm_traces")) == DAYS * ROWS_A_DAY + 5
    assert len(rows(installation, "llm_contents")) == DAYS * ROWS_A_DAY + 5 - 1
    with installation.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM llm_traces WHERE NOT usage_counted")
        assert cursor.fetchone() == (DAYS,)


def test_a_day_that_retention_drops_meanwhile_stays_dropped(installation):
    with owner_of(installation) as owner:

        def drop(copied: Copied) -> None:
            if copied.day == FIRST + timedelta(days=1):
                for relation in ("llm_traces", "llm_contents"):
                    owner.execute(f"DROP TABLE IF EXISTS {relation}_{FIRST:%Y%m%d}")

        move(installation, report=drop)

    assert [stored.day for stored in Timescale(alias=ALIAS).days("llm_traces")] == [
        FIRST + timedelta(days=1),
        FIRST + timedelta(days=2),
    ]


def test_an_interrupted_move_goes_on_where_it_was(installation):
    def interrupt(copied: Copied) -> None:
        if copied.day == FIRST + timedelta(days=1):
            raise InterruptedError

    before = rows(installation, "llm_traces")
    with pytest.raises(InterruptedError):
        move(installation, report=interrupt)
    assert not has_hypertables(installation)

    assert move(installation) == 3 * ROWS_A_DAY
    assert rows(installation, "llm_traces") == before


def test_a_second_move_at_the_same_time_is_refused(installation):
    with owner_of(installation) as owner:
        owner.execute("SELECT pg_advisory_lock(hashtext('llm-observatory migrate_engine'))")
        with pytest.raises(BusyError):
            move(installation)


def test_a_table_with_what_a_move_would_lose_is_refused(installation):
    with installation.cursor() as cursor:
        cursor.execute("CREATE POLICY mine ON llm_traces USING (true)")
    with pytest.raises(RefusedError, match="policy mine"):
        move(installation)


def test_the_way_back_leaves_the_plain_installation_as_it_was(installation):
    with owner_of(installation) as owner:  # as on the way back of what came later
        owner.execute("DROP INDEX llm_contents_by_words, llm_contents_unsearchable")
        owner.execute("DROP INDEX llm_traces_failed, llm_traces_failures")
        owner.execute("DROP INDEX llm_traces_by_cost, llm_traces_by_session, llm_traces_by_user")
    before = [rows(installation, "llm_traces"), rows(installation, "llm_contents"), indexes(installation)]
    move(installation)
    run_file(installation, "0004_engines.down.sql")

    assert not has_hypertables(installation)
    assert [rows(installation, "llm_traces"), rows(installation, "llm_contents"), indexes(installation)] == before


def test_the_way_back_brings_texts_out_of_the_columnstore_as_they_were(installation):
    with owner_of(installation) as owner:
        owner.execute("UPDATE llm_traces SET span_name = 'invoke_workflow ' || repeat('answer ', duration_ms::int % 7)")
        owner.execute("UPDATE llm_traces SET model = 'text-embedding-3-small' WHERE duration_ms % 2 = 0")
        before = rows(installation, "llm_traces")
        move(installation)
        for day in range(DAYS):
            owner.execute("SELECT observatory_compress_day('llm_traces', %s)", [FIRST + timedelta(days=day)])
    run_file(installation, "0004_engines.down.sql")

    assert rows(installation, "llm_traces") == before


def owner_of(installation: BaseDatabaseWrapper) -> psycopg.Connection:
    url = os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{installation.settings_dict['NAME']}?")
    return psycopg.connect(url, autocommit=True)
