"""`up` on servers that the operator named: it uses them, starts none of its own, and leaves them running."""

import os
from contextlib import contextmanager

import httpx
import psycopg
import pytest
import redis

from observatory.supervisor.processes import is_alive

pytestmark = pytest.mark.e2e
NAME = "named_by_operator"


@contextmanager
def named_servers(name):
    """Give the addresses of a fresh database, as an owner that may make roles, and of a Redis."""
    superuser_url = os.environ["TEST_SUPERUSER_URL"]
    with psycopg.connect(superuser_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{name}'")
        server.execute(f"CREATE DATABASE {name} OWNER {name}")
    query = superuser_url.partition("?")[2]
    yield {
        "DATABASE_URL": f"postgresql://{name}:{name}@/{name}?{query}",
        "REDIS_URL": os.environ["TEST_REDIS_URL"].replace("db=0", "db=15"),
    }
    with psycopg.connect(superuser_url, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.execute(f"DROP ROLE {name}_service")
        server.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def named():
    with named_servers(NAME) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def running(start_up, named):
    return start_up(**named).wait_until_ready()


def test_it_starts_no_server_of_its_own(running):
    assert [name for name in ("postgres", "valkey") if is_alive(running.home / "run" / f"{name}.pid")] == []


def test_it_is_healthy_on_them(running):
    answer = httpx.get(f"{running.base_url}/health", timeout=10).json()

    assert (answer["database"], answer["redis"]) == ("healthy", "healthy")


def test_requests_are_answered_as_a_role_that_row_security_binds(running, named):
    with psycopg.connect(named["DATABASE_URL"]) as owner:
        users = owner.execute(
            "SELECT DISTINCT usename, rolsuper OR rolbypassrls FROM pg_stat_activity JOIN pg_roles ON rolname = usename "
            "WHERE datname = %s AND pid <> pg_backend_pid()",
            [NAME],
        ).fetchall()

    assert users == [(f"{NAME}_service", False)]


def test_a_failed_preparation_ends_the_start_and_is_told_by_its_own_words_only(start_up):
    with named_servers(f"{NAME}_broken") as addresses:
        with psycopg.connect(addresses["DATABASE_URL"], autocommit=True) as owner:
            owner.execute("CREATE TABLE django_migrations (somebody_elses int)")
        begun = start_up(**addresses)
        status = begun.process.wait(60)

    assert (status, "does not exist" in begun.said, "CommandError" in begun.said) == (1, True, False)


def test_stopping_leaves_the_servers_running(running, named):
    assert running.stop() == 0
    with psycopg.connect(named["DATABASE_URL"]) as owner, redis.Redis.from_url(named["REDIS_URL"]) as client:
        answers = owner.execute("SELECT 1").fetchone(), client.ping()

    assert answers == ((1,), True)
