"""PostgreSQL takes no writes, or is restarted: each is told, and nothing is lost.

Killed is in `tests/e2e/test_durability.py`.
"""

from contextlib import contextmanager

import pytest

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


@pytest.mark.parametrize("route", [TRACES, "/health/ready"])
def test_a_database_that_takes_no_writes_is_read_from(while_read_only, route):
    assert while_read_only.during[route].status_code == 200


@pytest.mark.parametrize("write", ["write", "token"])
def test_what_must_write_says_to_come_again(while_read_only, write):
    assert while_read_only.answer(write) == (503, 1600, "5")


def test_spans_are_stored_once_across_a_time_without_writes(faults, while_read_only):
    assert (while_read_only.after["write"].status_code, faults.stored_once()) == (201, True)


@contextmanager
def stopped_in_order(faults):
    faults.stores.postgres.stop()
    yield
    faults.stores.postgres.start()


@pytest.fixture(scope="module")
def restarted(faults, while_read_only):
    return faults.meet(stopped_in_order(faults), refused=True)


def test_a_server_that_is_restarted_refuses_spans_for_now(restarted):
    assert restarted.refusals() == {(503, "1601", "5")}


def test_routes_say_that_the_restarted_server_is_away(restarted):
    assert {restarted.answer(route) for route in (TRACES, "write")} == {AWAY}


def test_spans_are_stored_once_across_a_restart(faults, restarted):
    assert (restarted.after["write"].status_code, faults.stored_once()) == (201, True)


def test_rollups_equal_a_rebuild_after_all_of_it(faults, restarted):
    assert faults.rollups_differ() == []
