"""PostgreSQL takes no writes, has no connection left, is restarted, has no disk: each is told, and nothing is lost.

Killed is in `tests/e2e/test_durability.py`.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from observatory.supervisor.roles import DATABASE, SERVICE
from tests.faults.conftest import TRACES

pytestmark = pytest.mark.e2e
AWAY = (503, 1601, "5")


@contextmanager
def read_only(faults):
    with faults.superuser() as server:
        server.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        server.execute("SELECT pg_reload_conf()")
        yield
        server.execute("SET default_transaction_read_only = off")
        server.execute("ALTER SYSTEM RESET default_transaction_read_only")
        server.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def while_read_only(faults):
    return faults.meet(read_only(faults), refused=True)


def test_a_database_that_takes_no_writes_refuses_spans_for_now(while_read_only):
    assert while_read_only.refusals() == {(503, "1600", "5")}


@pytest.mark.parametrize("route", [TRACES, "unknown key", "/health/ready"])
def test_a_database_that_takes_no_writes_is_read_from(while_read_only, route):
    assert while_read_only.during[route].status_code == 200


@pytest.mark.parametrize("write", ["write", "token"])
def test_what_must_write_says_to_come_again(while_read_only, write):
    assert while_read_only.answer(write) == (503, 1600, "5")


def test_spans_are_stored_once_across_a_time_without_writes(faults, while_read_only):
    assert (while_read_only.after["write"].status_code, faults.stored_once()) == (201, True)


@contextmanager
def no_connection_left(faults):
    with faults.superuser() as server:
        server.execute(f"ALTER ROLE {SERVICE} CONNECTION LIMIT 0")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [SERVICE])
        yield
        server.execute(f"ALTER ROLE {SERVICE} CONNECTION LIMIT -1")


@pytest.fixture(scope="module")
def without_connections(faults, while_read_only):
    return faults.meet(no_connection_left(faults), refused=True)


def test_a_server_without_a_free_connection_refuses_spans_for_now(without_connections):
    assert without_connections.refusals() == {(503, "1601", "5")}


@pytest.mark.parametrize("route", [TRACES, "write"])
def test_routes_without_a_connection_say_that_the_database_is_away(without_connections, route):
    assert without_connections.answer(route) == AWAY


def test_health_tells_of_missing_connections(without_connections):
    statuses = {
        path: without_connections.during[path].status_code for path in ("/health", "/health/ready", "/health/live")
    }

    assert statuses == {"/health": 503, "/health/ready": 503, "/health/live": 200}


def test_spans_are_stored_once_across_a_time_without_connections(faults, without_connections):
    assert (without_connections.after[TRACES].status_code, faults.stored_once()) == (200, True)


@contextmanager
def stopped_in_order(faults):
    faults.stores.postgres.stop()
    yield
    faults.stores.postgres.start()


@pytest.fixture(scope="module")
def restarted(faults, without_connections):
    return faults.meet(stopped_in_order(faults), refused=True)


def test_a_server_that_is_restarted_refuses_spans_for_now(restarted):
    assert restarted.refusals() == {(503, "1601", "5")}


def test_routes_say_that_the_restarted_server_is_away(restarted):
    assert {restarted.answer(route) for route in (TRACES, "write")} == {AWAY}


def test_spans_are_stored_once_across_a_restart(faults, restarted):
    assert (restarted.after["write"].status_code, faults.stored_once()) == (201, True)


@contextmanager
def small_disk(faults):
    """Give the day that is written to a disk of its own, which has no room left."""
    home = Path(tempfile.mkdtemp(prefix="llmo-disk-"))
    home.chmod(0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", home], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        home.rmdir()
        sys.__stderr__.write("\nNOT TESTED: a disk that is full, since only root may mount a small one.\n")
        pytest.skip("only root may mount a small disk")
    place = home / "data"
    place.mkdir()
    os.chown(place, faults.stores.postgres.program().folder.stat().st_uid, -1)
    with psycopg.connect(faults.stores.postgres.superuser_url, dbname=DATABASE, autocommit=True) as server:
        server.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        largest = "SELECT relid::regclass::text FROM pg_partition_tree('llm_contents') WHERE isleaf ORDER BY pg_relation_size(relid) DESC"
        (day,) = server.execute(largest).fetchone()
        server.execute(f"ALTER TABLE {day} SET TABLESPACE small")
        try:
            fill(home / "ballast")
            yield
        finally:
            (home / "ballast").unlink()
            server.execute(f"ALTER TABLE {day} SET TABLESPACE pg_default")
            server.execute("DROP TABLESPACE small")
            server.execute("CHECKPOINT")
            subprocess.run(["umount", "--lazy", home], check=True)
            home.rmdir()


def fill(ballast):
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


@pytest.fixture(scope="module")
def without_disk(faults, restarted):
    return faults.meet(small_disk(faults), refused=True)


def test_a_server_without_disk_refuses_spans_for_now(without_disk):
    assert without_disk.refusals() == {(503, "1600", "5")}


def test_a_server_without_disk_is_read_from(without_disk):
    assert without_disk.during[TRACES].status_code == 200


def test_spans_are_stored_once_across_a_time_without_disk(faults, without_disk):
    assert (without_disk.after["write"].status_code, faults.stored_once()) == (201, True)


def test_rollups_equal_a_rebuild_after_all_of_it(faults, restarted):
    assert faults.rollups_differ() == []
