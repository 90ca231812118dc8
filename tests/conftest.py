"""The database of a test process, and the smallest tenant a test can need."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.test import Client, client
from whitenoise.middleware import WhiteNoiseMiddleware

from observatory.accounts import generation
from observatory.accounts.models import Membership, Organisation, Project
from observatory.accounts.services import api_key_create, member_create
from ratelimit.backend import backend
from tests import served, servers, timescale

# What is there from the start, and what the queue of the worker notes for itself; other rows were left by a test.
_FILLED = [
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "model_prices",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
]
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s)
ORDER BY relname
"""
_made: list[str] = []
_left: set[str] = set()
_look_for_static_files = WhiteNoiseMiddleware.add_files_from_finders
_static_files: dict[str, dict[str, Any]] = {}


def _have_static_files(middleware: WhiteNoiseMiddleware) -> None:
    """Give the middleware of each test's client what that of the first has found: looking takes as long as ten requests."""
    found = _static_files.get(middleware.static_prefix)
    if found is None:
        _look_for_static_files(middleware)
        _static_files[middleware.static_prefix] = dict(middleware.files)
    else:
        middleware.files.update(found)


WhiteNoiseMiddleware.add_files_from_finders = _have_static_files  # type: ignore[method-assign]
client.ClientHandler = served.Handler  # type: ignore[misc]  # requests of tests go the way of a server's


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """Clone the migrated database for this process; the first process to come migrates it."""
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(1)")
        migrated = Path(os.environ["OBSERVATORY_HOME"]) / "migrated"
        if not migrated.exists():
            subprocess.run(
                [sys.executable, "manage.py", "prepare"],
                check=True,
                env=servers.unmeasured()
                | {
                    "DATABASE_URL": os.environ["TEST_SERVICE_URL"],
                    "DATABASE_MIGRATION_URL": os.environ["TEST_OWNER_URL"],
                    "DJANGO_SETTINGS_MODULE": "tests.settings",
                },
            )
            migrated.touch()
        with timescale.left_alone(server):
            server.execute(f"CREATE DATABASE {servers.DATABASE} TEMPLATE observatory OWNER observatory_owner")
        server.execute("SELECT pg_advisory_unlock(1)")
    _made.append(servers.DATABASE)


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """A file that commits rows takes them out again: the files after it, which differ from run to run, count rows."""
    yield
    if _made:
        with psycopg.connect(os.environ["DATABASE_MIGRATION_URL"]) as owner:
            names = [name for (name,) in owner.execute(_TABLES, [_FILLED])]
            filled = {name for name in names if owner.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()}
        left = filled - _left  # what an earlier file left is told once, as its own failure
        _left.update(left)
        assert not left, f"rows were left in {', '.join(sorted(left))}"


@pytest.fixture(autouse=True)
def _fresh_redis(request: pytest.FixtureRequest) -> Iterator[None]:
    """Limits and cached values of one test never reach the next."""
    yield
    backend._breaker.succeeded()  # a test may have ended while Redis was away
    while generation._debt._is_seen_to:
        time.sleep(0.01)
    if "db" in request.fixturenames:
        # Not through the cache: its client gives up after the limiter's 50 ms.
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            client.flushdb()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation with its projects, and what asks and sends in its name."""

    organisation: Organisation
    projects: list[Project]
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture
def make_tenant(db: None) -> Callable[..., Tenant]:
    """Return a function that makes an organisation with projects and a key that may do everything."""

    def make(slug: str = "acme", *, projects: tuple[str, ...] = ("main",), **key: Any) -> Tenant:
        organisation = Organisation.objects.create(slug=slug, name=slug.title())
        made = [Project.objects.create(organisation=organisation, slug=name, name=name) for name in projects]
        given = {"permissions": ["*"], "tier": "developer", "projects": made} | key
        secret = api_key_create(organisation=organisation, name="test", **given).secret
        return Tenant(organisation=organisation, projects=made, key=secret)

    return make


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture
def member(tenant: Tenant) -> Callable[..., Membership]:
    """Return a function that makes a member of `tenant` with the password `correct horse battery`."""

    def make(role: str, username: str = "") -> Membership:
        return member_create(
            organisation=tenant.organisation,
            username=username or role,
            password="correct horse battery",
            role=role,
            projects=tenant.projects,
        )

    return make


@pytest.fixture
def api(tenant: Tenant) -> Client:
    """A client that sends `tenant`'s key."""
    return Client(headers=tenant.headers, raise_request_exception=False)
