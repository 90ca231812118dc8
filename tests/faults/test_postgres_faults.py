"""PostgreSQL takes no writes, has no connection or no disk left, is restarted, dies: each is told, nothing is lost.

Killed and started again is in `tests/e2e/test_durability.py`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread

import httpx
import psycopg
import pytest

from observatory.supervisor.roles import DATABASE, OWNER, SERVICE
from tests.e2e.sending import request_of
from tests.e2e.stores import kill_store
from tests.e2e.tenants import eventually
from tests.faults.conftest import TRACES
from tests.standbys import Standby

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
    return faults.meet(read_only, refused=True)


def test_a_database_that_takes_no_writes_refuses_spans_for_now(while_read_only):
    assert while_read_only.refusals() == {(503, "1600", "5")}


@pytest.mark.parametrize("route", [TRACES, "/health/ready"])
def test_a_database_that_takes_no_writes_is_read_from(while_read_only, route):
    assert while_read_only.during[route].status_code == 200


@pytest.mark.parametrize("write", ["write", "token"])
def test_what_must_write_says_to_come_again(while_read_only, write):
    assert while_read_only.answer(write) == (503, 1600, "5")


def test_spans_are_stored_once_across_a_time_without_writes(faults, while_read_only):
    assert (while_read_only.after["write"].status_code, faults.stored_once()) == (201, True)


@contextmanager
def no_connection_left(faults):
    """Take every connection that the server has for others than superusers."""
    connected = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    with faults.superuser() as server, ExitStack() as taken:
        # The service stays out until all are taken, else whoever is faster would have one.
        server.execute(f"ALTER ROLE {SERVICE} CONNECTION LIMIT 0")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [SERVICE])
        assert eventually(lambda: server.execute(connected, [SERVICE]).fetchone() == (0,))
        postgres = faults.stores.postgres
        url = postgres.url(DATABASE, OWNER, postgres.password(OWNER))
        with suppress(psycopg.OperationalError):  # there are no more
            while True:
                taken.enter_context(psycopg.connect(url))
        server.execute(f"ALTER ROLE {SERVICE} CONNECTION LIMIT -1")
        yield


@pytest.fixture(scope="module")
def without_connections(faults, while_read_only):
    return faults.meet(no_connection_left, refused=True)


def test_a_server_without_a_free_connection_refuses_spans_for_now(without_connections):
    assert without_connections.refusals() == {(503, "1601", "5")}


@pytest.mark.parametrize("route", [TRACES, "write", "token"])
def test_routes_without_a_connection_say_that_the_database_is_away(without_connections, route):
    assert without_connections.answer(route) == AWAY


def test_health_tells_of_missing_connections(without_connections):
    routes = ("/health", "/health/ready", "/health/live")
    statuses = {route: without_connections.during[route].status_code for route in routes}

    assert statuses == {"/health": 503, "/health/ready": 503, "/health/live": 200}


def test_spans_are_stored_once_across_a_time_without_connections(faults, without_connections):
    assert (without_connections.after["write"].status_code, faults.stored_once()) == (201, True)


@contextmanager
def stopped_in_order(faults):
    faults.stores.postgres.stop()
    yield
    faults.stores.postgres.start()


@pytest.fixture(scope="module")
def restarted(faults, without_connections):
    return faults.meet(stopped_in_order, refused=True)


def test_a_server_that_is_restarted_refuses_spans_for_now(restarted):
    assert restarted.refusals() == {(503, "1601", "5")}


def test_routes_say_that_the_restarted_server_is_away(restarted):
    assert {restarted.answer(route) for route in (TRACES, "write")} == {AWAY}


def test_spans_are_stored_once_across_a_restart(faults, restarted):
    assert (restarted.after["write"].status_code, faults.stored_once()) == (201, True)


@contextmanager
def full_disk(faults):
    """Give the day that is written to a disk of its own, which has no room left."""
    disk = Path(tempfile.mkdtemp(prefix="llmo-disk-"))
    disk.chmod(0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode != 0:
        disk.rmdir()
        sys.__stderr__.write("\nNOT TESTED: a disk that is full, since nobody but root may mount a small one.\n")
        pytest.skip("nobody but root may mount a small disk")
    place = disk / "data"
    place.mkdir()
    owner = faults.stores.postgres.program().folder.stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    with faults.superuser(DATABASE) as server:
        server.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        days = "FROM pg_partition_tree('llm_contents') WHERE isleaf ORDER BY pg_table_size(relid) DESC"
        (day,) = server.execute(f"SELECT relid::regclass::text {days}").fetchone()
        server.execute(f"ALTER TABLE {day} SET TABLESPACE small")
        try:
            assert eventually(lambda: is_full(disk))  # what is written meanwhile has to fit
            yield
        finally:
            bound(disk, 0)
            server.execute(f"ALTER TABLE {day} SET TABLESPACE pg_default")
            server.execute("DROP TABLESPACE small")
            subprocess.run(["umount", "--lazy", disk], check=True)
            disk.rmdir()


def is_full(disk):
    """Leave a disk no room but what is used; return whether that was still so when it was done."""
    try:
        bound(disk, shutil.disk_usage(disk).used)
    except subprocess.CalledProcessError:
        return False
    return True


def bound(disk, size):
    """Let a disk hold `size` octets, or any number for 0."""
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


@pytest.fixture(scope="module")
def without_disk(faults, restarted):
    return faults.meet(full_disk, refused=True)


def test_a_server_without_disk_refuses_spans_for_now(without_disk):
    assert without_disk.refusals() == {(503, "1600", "5")}


@pytest.mark.parametrize("route", [TRACES, "/health/ready"])
def test_a_server_without_disk_is_read_from(without_disk, route):
    assert without_disk.during[route].status_code == 200


def test_spans_are_stored_once_across_a_time_without_disk(faults, without_disk):
    assert (without_disk.after["write"].status_code, faults.stored_once()) == (201, True)


@contextmanager
def died(faults):
    """Kill the server, whose commits wait for a standby, for good; the standby takes its place and its address."""
    first = faults.stores.postgres
    standby = Standby(faults.home / "standby", primary=faults.home / "home", primary_url=first.superuser_url).start()
    with faults.superuser() as server:
        server.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        server.execute("SELECT pg_reload_conf()")
        followed = "SELECT sync_state FROM pg_stat_replication"
        assert eventually(lambda: server.execute(followed).fetchone() == ("sync",))
    kill_store(first)
    yield
    with psycopg.connect(standby.superuser_url, autocommit=True) as server:
        assert server.execute("SELECT pg_promote()").fetchone() == (True,)
    sockets = folder_of(first)
    sockets.rename(sockets.with_name("dead"))
    sockets.symlink_to(folder_of(standby))
    faults.stores.postgres = standby


def folder_of(server):
    return Path(psycopg.conninfo.conninfo_to_dict(server.superuser_url)["host"])


@pytest.fixture(scope="module")
def failed_over(faults, restarted):
    return faults.meet(died, refused=True)


def test_a_server_that_died_refuses_spans_until_another_has_its_place(failed_over):
    assert failed_over.refusals() == {(503, "1601", "5")}


def test_routes_say_that_the_dead_server_is_away(failed_over):
    assert {failed_over.answer(route) for route in (TRACES, "write")} == {AWAY}


def test_every_acknowledged_span_is_on_the_standby_once(faults, failed_over):
    assert (failed_over.after["write"].status_code, faults.stored_once()) == (201, True)


def test_rollups_equal_a_rebuild_after_all_of_it(faults, failed_over):
    assert faults.rollups_differ() == []


EXPORTERS, AT_ONCE, WEB_PROCESSES = 12, 3, 2  # of the four threads of a web process one is left for reads


@pytest.fixture(scope="module")
def while_writes_wait(faults):
    """What exporters and a reader are told while a lock holds up every write, and the statuses once it is gone."""
    age_ns = 3 * 86_400_000_000_000
    requests = [request_of(9_000 + number, 0, start_ns=time.time_ns() - age_ns) for number in range(EXPORTERS)]
    headers = {"Authorization": f"Bearer {faults.service.key}", "Content-Type": "application/json"}
    told = []

    def send(body):
        with httpx.Client(base_url=faults.service.up.base_url, headers=headers, timeout=60) as client:
            told.append(client.post("/v1/traces", content=body))
            eventually(lambda: client.post("/v1/traces", content=body).status_code == 200)

    senders = [Thread(target=send, args=(body,)) for body, _ in requests]
    with faults.superuser(DATABASE) as server, server.transaction():
        server.execute("LOCK TABLE trace_index IN SHARE MODE")
        for sender in senders:
            sender.start()
        enough = eventually(lambda: len(told) >= EXPORTERS - WEB_PROCESSES * AT_ONCE)
        refused = list(told)
        with faults.service.client as client:
            read = client.get(TRACES, headers={"Cache-Control": "no-cache"}).status_code
    for sender in senders:
        sender.join()
    faults.acknowledged |= set().union(*(ids for _, ids in requests))
    return enough, refused, read


def test_exporters_too_many_are_told_at_once_to_come_again_while_writes_wait(while_writes_wait):
    enough, refused, _ = while_writes_wait

    assert enough
    assert {(one.status_code, one.json()["message"][:6], one.headers["Retry-After"]) for one in refused} == {
        (503, "[1605]", "1")
    }


def test_reads_are_answered_while_writes_wait(while_writes_wait):
    _, _, read = while_writes_wait

    assert read == 200


@pytest.mark.usefixtures("while_writes_wait")
def test_what_waited_or_came_again_is_stored_once(faults):
    assert faults.stored_once()
