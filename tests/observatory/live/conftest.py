"""The live process, started as `up` does, and a tenant that it can see: what tests write here is committed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import redis
from django.db import connections
from django.test import Client

from observatory.accounts.models import Organisation, Project, RevokedToken, User
from observatory.accounts.services import api_key_create, member_create
from observatory.env import BASE_DIR
from tests import servers
from tests.analytics.api.payloads import request
from tests.observatory.accounts.credentials import PASSWORD, token_of

START_SECONDS, STOP_SECONDS = 60, 30
_TABLES = (
    "llm_traces",
    "llm_contents",
    "trace_index",
    "bucket_change",
    "data_version",
    "trace_feedback",
    "trace_evaluations",
)


@dataclass(slots=True, kw_only=True)
class Live:
    """A live process on a port of its own."""

    port: int
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def said(self) -> str:
        return self.log.read_text()

    def start(self) -> "Live":
        command = [sys.executable, "manage.py", "live", "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=BASE_DIR, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(STOP_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def start_live(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Callable[..., Live]]:
    """Return a function that starts a live process with the given variables; all are stopped at the end."""
    started: list[Live] = []

    def start(**environment: str) -> Live:
        given = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | environment
        log = tmp_path_factory.mktemp("live") / "live.log"
        started.append(Live(port=free_port(), environment=given, log=log))
        return started[-1].start()

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def live(start_live: Callable[..., Live]) -> Live:
    """A live process that tests leave as it is."""
    return start_live()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A committed organisation with two projects."""

    organisation: Organisation
    projects: list[Project]

    def key(self, *permissions: str, **given: Any) -> str:
        """Return a new key, for everything in every project unless said otherwise."""
        given = {"projects": self.projects, "tier": "developer", "name": "test"} | given
        return api_key_create(organisation=self.organisation, permissions=list(permissions) or ["*"], **given).secret

    def token(self, role: str = "developer") -> str:
        name = f"{role}-{uuid4().hex[:8]}"
        member_create(
            organisation=self.organisation, username=name, password=PASSWORD, role=role, projects=self.projects
        )
        return token_of(name)

    def send(self, *spans: dict[str, Any], project: int = 0) -> None:
        """Store spans as an exporter sends them."""
        client = Client(headers=bearer(self.key(projects=[self.projects[project]])))
        reply = client.post("/v1/traces", request(*spans), content_type="application/json")
        assert reply.status_code == 200, reply.content


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


@pytest.fixture
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[Callable[[], Tenant]]:
    """Return a function that makes tenants; they, and what they stored, are gone afterwards."""
    made: list[Organisation] = []

    def make() -> Tenant:
        slug = f"live-{uuid4().hex[:8]}"
        organisation = Organisation.objects.create(slug=slug, name=slug)
        made.append(organisation)
        projects = [
            Project.objects.create(organisation=organisation, slug=name, name=name) for name in ("main", "side")
        ]
        return Tenant(organisation=organisation, projects=projects)

    with django_db_blocker.unblock():
        yield make
        connections.close_all()
    url = os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{servers.DATABASE}?")
    with psycopg.connect(url, autocommit=True) as owner:
        numbers = [one.pk for one in made]
        for table in _TABLES:
            owner.execute(f"DELETE FROM {table} WHERE organisation_id = ANY(%s)", [numbers])
        owner.execute("TRUNCATE audit_log, cost_runs, cost_run_spans, cost_run_differences")  # no less is taken out
    with django_db_blocker.unblock():
        User.objects.filter(memberships__organisation__in=made).delete()  # with their tokens: other tests count them
        RevokedToken.objects.all().delete()
        for one in made:
            one.delete()
        connections.close_all()
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()


@pytest.fixture
def tenant(world: Callable[[], Tenant]) -> Tenant:
    return world()
