"""Two versions at once across a migration: an older service runs, the database is migrated, this one starts beside it.

Takes up to two minutes, so it is asked for: `OBSERVATORY_OLDER` is a commit of the older version, or `newest` for that before the
newest migration.
"""

import itertools
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from observatory.env import BASE_DIR
from tests.e2e.conftest import Up
from tests.e2e.sending import Sent, request_of, sending
from tests.e2e.stores import own_stores
from tests.e2e.tenants import Service, manage
from tests.faults.conftest import AGE_SECONDS, KEYS, NEW_KEY, SENDERS, TRACES, Faults, gets_further

pytestmark = pytest.mark.e2e
CODE = ("manage.py", "observatory", "analytics", "ratelimit", "errors", "templates")
MIGRATIONS = ("analytics/migrations/0*.py", "observatory/accounts/migrations/0*.py")
OLD, NEW, LAST, BACK, SHARED = range(0, 500, 100)  # first numbers of the senders
ABOUT_THE_REPLY = ("as_of", "data_source")  # what was there when it was made: workers go on meanwhile
SAME = ("DATABASE_URL", "DATABASE_MIGRATION_URL", "REDIS_URL", "SECRET_KEY", "JWT_SECRET")
SHARED_REQUESTS, PAUSE_SECONDS = 10, 0.1
FRESH = {"Cache-Control": "no-cache"}
TODAY = datetime.now(UTC).date()
RANGE = f"start_time={TODAY - timedelta(days=5)}&end_time={TODAY - timedelta(days=1)}"
QUESTIONS = (
    f"/api/v1/traces?{RANGE}&limit=50",
    f"/api/v1/traces/stats?{RANGE}",
    f"/api/v1/metrics?{RANGE}&metrics=request_count,total_cost",
    f"/api/v1/metrics/performance?{RANGE}&granularity=1hour",
    f"/api/v1/metrics/summary?{RANGE}",
    f"/api/v1/metrics/quality?{RANGE}",
    f"/api/v1/costs/summary?{RANGE}",
    f"/api/v1/costs/breakdown?{RANGE}",
    f"/api/v1/costs/unpriced?{RANGE}",
    f"/api/v1/models/compare?{RANGE}&models=gpt-4o,gpt-4o-mini",
    "/api/v1/metrics/labels",
    "/api/v1/projects",
    "/api/v1/keys",
)


@dataclass(slots=True, kw_only=True)
class Told:
    """What was met while two versions ran: by senders, by readers of each, and what both say at the end."""

    faults: Faults
    sent: list[Sent] = field(default_factory=list)
    read: Counter[tuple[str, int]] = field(default_factory=Counter)
    shared: Counter[int] = field(default_factory=Counter)
    answers: dict[str, tuple[httpx.Response, ...]] = field(default_factory=dict)
    keys: list[int] = field(default_factory=list)

    @contextmanager
    def sending(self, service: Service, first: int) -> Iterator[Sent]:
        """Send to a service, and note what it acknowledged."""
        how = {"senders": SENDERS, "age_seconds": AGE_SECONDS, "pause_seconds": PAUSE_SECONDS}
        with sending(service.up.base_url, service.key, first=first, **how) as sent:
            self.sent.append(sent)
            yield sent
        self.faults.acknowledged |= sent.acknowledged

    @contextmanager
    def reading(self, service: Service, version: str) -> Iterator[None]:
        """Ask one question after another until the block ends."""
        enough = threading.Event()

        def read() -> None:
            with service.client as client:
                for path in itertools.cycle(QUESTIONS):
                    if enough.wait(PAUSE_SECONDS):
                        return
                    self.read[version, client.get(path, headers=FRESH).status_code] += 1

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield
        finally:
            enough.set()
            reader.join()


def _git(*words: str) -> bytes:
    git = shutil.which("git")
    assert git is not None, "git is not installed"
    done = subprocess.run([git, *words], cwd=BASE_DIR, check=False, capture_output=True)
    assert done.returncode == 0, f"The clone does not have it: {done.stderr.decode()}"
    return done.stdout


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the code before the newest migration."""
    commit = os.environ.get("OBSERVATORY_OLDER")
    if not commit:
        pytest.skip("OBSERVATORY_OLDER names no older version")
    if commit == "newest":
        added = _git("log", "-1", "--no-renames", "--diff-filter=A", "--format=%H", "--", *MIGRATIONS)
        commit = f"{added.decode().strip()}^"
    packed = _git("archive", "--format=tar", commit, *CODE)
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def told(start_up: Callable[..., Up], older: Path) -> Iterator[Told]:
    # Not below pytest's own folder: another run of pytest would close that to PostgreSQL's user.
    home = Path(tempfile.mkdtemp(prefix="llmo-versions-"))
    home.chmod(0o755)
    given = {"DATABASE_POOL_SIZE": "8", "RATE_LIMIT_TIMEOUT_MS": "500"}
    with own_stores(start_up, home / "home", code=older, **given) as stores:
        old = stores.service
        told = Told(faults=Faults(stores=stores, home=home, clock=None))
        with told.sending(old, OLD) as to_old, told.reading(old, "old"):
            gets_further(to_old)
            manage(old.up, "prepare", code=BASE_DIR)
            gets_further(to_old)
            shared = json.loads((old.up.home / "service.json").read_text())
            same = {name: value for name, value in shared.items() if name in SAME}
            new = replace(old, up=start_up(**same, **given).wait_until_ready())
            with told.sending(new, NEW) as to_new, told.reading(new, "new"):
                for sent in (to_old, to_new):
                    gets_further(sent)
                _send_to_both(told, old, new)
        _compare(told, old, new)
        stores.service = new
        with told.sending(new, LAST) as sent, told.reading(new, "new"):
            gets_further(sent)
            old.up.stop()
            gets_further(sent)
            again = replace(old, up=start_up(code=older, **same, **given).wait_until_ready())  # the way back
            with told.sending(again, BACK) as sent_back, told.reading(again, "old"):
                gets_further(sent_back)
            again.up.stop()
        yield told
        new.up.stop()
    shutil.rmtree(home, ignore_errors=True)


def _send_to_both(told: Told, old: Service, new: Service) -> None:
    """Send the same requests to both at once, and traces whose roots one gets and whose calls the other."""
    start_ns = time.time_ns() - AGE_SECONDS * 1_000_000_000
    with ThreadPoolExecutor(2) as pool, old.client as to_old, new.client as to_new:
        for number in range(SHARED_REQUESTS):
            body, ids = request_of(SHARED, number, start_ns=start_ns)
            parts = _halves(body) if number % 2 else (body, body)
            posted = [
                pool.submit(client.post, "/v1/traces", content=part, headers={"Content-Type": "application/json"})
                for client, part in zip((to_old, to_new), parts, strict=True)
            ]
            told.shared.update(one.result().status_code for one in posted)
            told.faults.acknowledged |= ids


def _halves(body: bytes) -> tuple[bytes, bytes]:
    """Return the calls of a request, and the roots."""
    (part,) = json.loads(body)["resourceSpans"]
    spans = part["scopeSpans"][0]["spans"]
    halves = ([one for one in spans if bool(one["parentSpanId"]) is wanted] for wanted in (True, False))
    calls, roots = (json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": half}]}]}).encode() for half in halves)
    return calls, roots


def _compare(told: Told, old: Service, new: Service) -> None:
    """Ask both the same, computed and kept, and let one revoke what the other has made."""
    with old.client as of_old, new.client as of_new:
        for path in QUESTIONS:
            fresh = [client.get(path, headers=FRESH) for client in (of_old, of_new)]
            kept = [client.get(path) for client in (of_old, of_new)]
            told.answers[path] = (*fresh, *kept)
        made = of_old.post(KEYS, json=NEW_KEY).json()
        told.keys = [_asked(new, made["key"])]
        told.keys.append(of_new.delete(f"{KEYS}/{made['id']}").status_code)
        told.keys += [_asked(one, made["key"]) for one in (new, old)]


def _asked(service: Service, secret: str) -> int:
    """Return how a key's question is answered."""
    return httpx.get(f"{service.up.base_url}{TRACES}", headers={"X-API-Key": secret}, timeout=10).status_code


def _told(reply: httpx.Response) -> Any:
    """Return what a reply says of the question; the rest of an envelope is about the reply."""
    body = reply.json()
    return body.get("data", body) if isinstance(body, dict) else body


def _missing(newer: Any, older: Any, place: str = "") -> Iterator[str]:
    """Yield what an answer does not say as the older one does; it may say more."""
    if isinstance(older, dict) and isinstance(newer, dict):
        for name, value in older.items():
            if name in ABOUT_THE_REPLY:
                continue
            yield from _missing(newer.get(name), value, f"{place}.{name}")
    elif isinstance(older, list) and isinstance(newer, list) and len(older) == len(newer):
        for number, (one, other) in enumerate(zip(newer, older, strict=True)):
            yield from _missing(one, other, f"{place}[{number}]")
    elif newer != older:
        yield f"{place}: {older!r}, not {newer!r}"


def test_senders_notice_nothing_of_a_migration_and_of_another_version(told):
    assert Counter(status for sent in told.sent for status in sent.statuses) == {200: 4}


def test_who_sends_to_both_versions_at_once_is_taken_by_both(told):
    assert told.shared == {200: 2 * SHARED_REQUESTS}


def test_readers_of_both_versions_are_answered_all_the_while(told):
    assert set(told.read) == {("old", 200), ("new", 200)}


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.partition("?")[0])
def test_both_versions_answer_alike_computed_and_kept(told, path):
    said, *others = (_told(reply) for reply in told.answers[path])

    assert said
    assert [list(_missing(other, said)) for other in others] == [[], [], []]


def test_a_key_of_one_version_opens_the_other_until_that_one_revokes_it(told):
    assert told.keys == [200, 204, 401, 401]


def test_every_span_that_either_version_acknowledged_is_stored_once(told):
    assert told.faults.stored_once()


def test_rollups_of_both_versions_equal_a_rebuild(told):
    assert told.faults.rollups_differ() == []
