"""One service on stores of its own, which the tests of this folder break one after another, always under load."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
import redis

from tests.e2e.conftest import start_up  # noqa: F401  a fixture
from tests.e2e.sending import Sent, sending
from tests.e2e.stores import Stores, own_stores
from tests.e2e.tenants import eventually, manage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

SENDERS = 2
AGE_SECONDS = 3 * 86_400  # the worker makes a rollup's bucket once that has ended
TRACES, KEYS = "/api/v1/traces", "/api/v1/keys"
NEW_KEY = {"name": "made", "projects": ["main"], "permissions": ["traces:read"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What clients met while something was broken, and senders before, during and after."""

    during: dict[str, httpx.Response]
    after: dict[str, httpx.Response]
    sent: Sent

    def refusals(self) -> set[tuple[int, str, str | None]]:
        """Return what senders were refused with: status, code of the catalogue, Retry-After."""
        return {(status, body.partition("[")[2][:4], wait) for status, body, wait in self.sent.refusals}

    def answer(self, name: str) -> tuple[int, int | None, str | None]:
        """Return status, code of the catalogue and Retry-After of an answer during the fault."""
        reply = self.during[name]
        code = reply.json()["error"]["code"] if reply.is_error and "error" in reply.json() else None
        return reply.status_code, code, reply.headers.get("Retry-After")


@dataclass(slots=True, kw_only=True)
class Faults:
    """The service, all that it ever acknowledged, and how to break it."""

    stores: Stores
    home: Path
    clock: "Clock | None"
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    met: int = 0
    recovered: dict[str, float] = field(default_factory=dict)

    @property
    def service(self):
        return self.stores.service

    def superuser(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.stores.postgres.superuser_url, dbname=database, autocommit=True)

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.stores.valkey.url)

    def ask(self) -> dict[str, httpx.Response]:
        """Ask one route of each kind."""
        with self.service.client as client:
            # What is kept may be told for some seconds without the database.
            fresh = {"Cache-Control": "no-cache"}
            answers = {
                path: client.get(path, headers=fresh) for path in (TRACES, "/health", "/health/ready", "/health/live")
            }
            answers["write"] = client.post(KEYS, json=NEW_KEY)
            answers["token"] = client.post("/auth/token", data=SIGN_IN)
        return answers

    def meet(self, fault: "Callable[[Faults], AbstractContextManager[object]]", *, refused: bool) -> Met:
        """Send, break something until senders have noticed (are `refused`) or have gone on, mend it, and send on."""
        self.met += 1
        base_url, key = self.service.up.base_url, self.service.key
        sends = sending(base_url, key, senders=SENDERS, first=self.met * SENDERS, age_seconds=AGE_SECONDS)
        with self._noting(sends) as sent:
            gets_further(sent)
            with fault(self):
                if refused:
                    assert eventually(lambda: bool(sent.refusals))
                during = self.ask()
                if not refused:
                    gets_further(sent)
            mended_at = time.monotonic()
            gets_further(sent)
            self.recovered[fault.__name__] = time.monotonic() - mended_at
            self.service.wait_until_ready()
            after = self.ask()
        return Met(during=during, after=after, sent=sent)

    @contextmanager
    def _noting(self, sends: "AbstractContextManager[Sent]") -> Iterator[Sent]:
        """Note what was acknowledged however it ends: what fails here must not look like a loss to those behind it."""
        known: list[Sent] = []
        try:
            with sends as sent:
                known.append(sent)
                yield sent
        finally:
            self.acknowledged |= set().union(*(one.acknowledged for one in known))

    def stored_once(self) -> bool:
        """Return whether what is stored is what was acknowledged, no more and no less."""
        kept = sorted(self.acknowledged)
        return self.service.stored("llm_traces") == kept and self.service.stored("llm_contents") == kept

    def rollups_differ(self) -> list[object]:
        """Wait until the worker has made the rollups of all that was sent; return where they differ from the spans."""
        with psycopg.connect(self.service.database_url, autocommit=True) as database:
            marked = "SELECT count(*) FROM bucket_change WHERE bucket < now() - interval '36 hours'"
            assert eventually(lambda: database.execute(marked).fetchone() == (0,)), self.service.up.said
        today = datetime.now(UTC).date()
        window = ("--from", f"{today - timedelta(days=4)}", "--to", f"{today - timedelta(days=1)}")
        found = json.loads(manage(self.service.up, "aggregates", "verify", *window, "--json"))
        assert min(found["compared"].values()) > 0
        assert set(found["waiting"].values()) == {0}
        return found["differences"]


SIGN_IN = {"grant_type": "password", "username": "nobody", "password": "nothing"}


def gets_further(sent: Sent) -> None:
    """Wait until a few more spans are acknowledged."""
    before = len(sent.acknowledged)
    assert eventually(lambda: len(sent.acknowledged) > before), sent.refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The clock of the service's own processes; its stores keep the right time."""

    library: Path
    ahead: Path

    @classmethod
    def build(cls, folder: Path) -> "Clock | None":
        """Return a clock that can be stepped; `None` where there is no compiler of C."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            return None
        clock = cls(library=folder / "clock.so", ahead=folder / "ahead")
        source = Path(__file__).with_name("clock.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", clock.library, source, "-ldl"], check=True)
        clock.step(timedelta())
        return clock

    def step(self, ahead: timedelta) -> None:
        """Let the processes believe that it is so much later than it is."""
        nanoseconds = ahead // timedelta(microseconds=1) * 1000
        with self.ahead.open("r+b" if self.ahead.exists() else "wb") as file:
            file.write(nanoseconds.to_bytes(8, sys.byteorder, signed=True))

    def variables(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "STEPPED_CLOCK": str(self.ahead)}


@pytest.fixture(scope="package")
def faults(start_up: Callable) -> Iterator[Faults]:  # noqa: F811
    # Not below pytest's own folder: another run of pytest would close that to PostgreSQL's user.
    home = Path(tempfile.mkdtemp(prefix="llmo-faults-"))
    home.chmod(0o755)
    clock = Clock.build(home)
    # On a busy machine a Valkey that is there may take longer than the limiter's 50 ms.
    given = {"DATABASE_POOL_SIZE": "8", "RATE_LIMIT_TIMEOUT_MS": "500"} | (clock.variables() if clock else {})
    with own_stores(start_up, home / "home", **given) as stores:
        made = Faults(stores=stores, home=home, clock=clock)
        yield made
    told = "".join(f"{name}: spans are taken again after {took:.1f} s\n" for name, took in made.recovered.items())
    sys.stdout.write(f"\n{told}")  # for `pytest -s`
    shutil.rmtree(home, ignore_errors=True)
