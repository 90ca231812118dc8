"""A service with a tenant of its own, and what is stored of it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from tests.e2e.conftest import Up, clean_environment

LONGEST_ANSWER_SECONDS = 10.0
RECOVERY_SECONDS = 60.0
MAKE_TENANT = """
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create
organisation = Organisation.objects.create(slug="durable", name="Durable")
project = Project.objects.create(organisation=organisation, slug="main", name="Main")
print(api_key_create(organisation=organisation, name="test", projects=[project], permissions=["*"], tier="admin").secret)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service with a tenant, and its database as the owner."""

    up: Up
    key: str
    database_url: str

    @property
    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.up.base_url, headers=headers, timeout=LONGEST_ANSWER_SECONDS)

    def stored(self, table: str) -> list[tuple[str, str]]:
        """Return (trace id, span id) of every row."""
        with psycopg.connect(self.database_url) as database:
            rows = database.execute(f"SELECT encode(trace_id, 'hex'), encode(span_id, 'hex') FROM {table}").fetchall()
        return sorted(rows)

    def wait_until_ready(self) -> None:
        assert eventually(lambda: healthy(self.up)), self.up.said


def with_tenant(up: Up) -> Service:
    variables = json.loads((up.home / "service.json").read_text())
    key = manage(up, "shell", "--no-imports", "-c", MAKE_TENANT).strip()
    return Service(up=up, key=key, database_url=variables["DATABASE_MIGRATION_URL"])


def manage(up: Up, *arguments: str, status: int = 0, code: Path | None = None) -> str:
    """Run a command of `manage.py` on a service; return what it printed when it ended as is expected.

    The command is the service's own, or that of other `code`.
    """
    environment = clean_environment(
        measured=False, OBSERVATORY_HOME=str(up.home), DJANGO_SETTINGS_MODULE="observatory.settings.service"
    )
    ended = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=code or up.code,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == status, ended.stderr
    return ended.stdout


def healthy(up: Up) -> bool:
    try:
        return httpx.get(f"{up.base_url}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def eventually(condition: Callable[[], bool], seconds: float = RECOVERY_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
