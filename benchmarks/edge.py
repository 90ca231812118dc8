"""What a request costs: processor time of a web process for each kind of reply, against a bare Django process.

Both run under granian with one worker, in turns, and only the processor time of the workers counts: what else runs on
the machine hardly moves it. A ratio is how many such requests a core answers for each hello-world.
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django_redis import get_redis_connection

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.scope import Scope, ScopedProject
from analytics.storage.rollups import refresh
from benchmarks.figures import Figure
from benchmarks.processor import busy_seconds
from benchmarks.requests import bodies
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create

ROUNDS, REQUESTS, WARM_UP = 5, 40, 10
_STARTED_WITHIN = 60.0
_PERFORMANCE = "/api/v1/metrics/performance"
OK, NOT_MODIFIED = 200, 304
CHECKS_TARGET_US = 450.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request and the status that it is answered with."""

    name: str
    path: str
    headers: Mapping[str, str]
    status: int = OK


@dataclass(slots=True, kw_only=True)
class Server:
    """A granian with one worker."""

    process: subprocess.Popen[bytes]
    port: int

    def cpu_seconds(self) -> float:
        """Return the processor time of granian and its worker so far."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(map(busy_seconds, pids))

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)


def measure(spans: int) -> list[Figure]:
    """Return requests a core answers, relative to hello-world, and microseconds of processor time."""
    key, day = _tenant(spans)
    headers = {"X-API-Key": key}
    closed = f"{_PERFORMANCE}?start_time={day:%Y-%m-%d}&end_time={day + timedelta(days=1):%Y-%m-%d}"
    environment = os.environ | {"RATE_LIMIT_VIEWER": "100000000", "PYTHONPATH": "."}
    with (
        _served("benchmarks.hello:application", environment) as bare,
        _served("observatory.wsgi:application", environment) as own,
    ):
        tag = _first_tag(own, closed, headers)
        kinds = {
            "hello": (bare, Kind(name="hello", path="/hello", headers={})),
            "drf": (bare, Kind(name="drf", path="/plain", headers={})),
            "cached": (own, Kind(name="cached", path=closed, headers=headers)),
            "not_modified": (
                own,
                Kind(name="not_modified", path=closed, headers={**headers, "If-None-Match": tag}, status=NOT_MODIFIED),
            ),
            "uncached": (own, Kind(name="uncached", path=closed, headers={**headers, "Cache-Control": "no-cache"})),
        }
        costs = _costs(kinds)
        trips = _round_trips(*kinds["not_modified"])
    targets = {"cached": 0.33, "not_modified": 0.40, "uncached": 0.15}
    figures = [
        Figure(
            figure=f"edge.{name}_vs_hello",
            value=costs["hello"] / costs[name],
            unit="x",
            target=target,
            direction="at_least",
            rows=spans,
        )
        for name, target in targets.items()
    ]
    # A 304 is all checks and nothing else: what it costs beyond hello-world is what they cost.
    checks = costs["not_modified"] - costs["hello"]
    figures.append(Figure(figure="edge.checks", value=checks, unit="us", target=CHECKS_TARGET_US, rows=spans))
    figures.append(Figure(figure="edge.redis_round_trips", value=trips, unit="a request", target=1, rows=spans))
    figures.append(Figure(figure="edge.drf_vs_hello", value=costs["hello"] / costs["drf"], unit="x", rows=spans))
    return figures + [Figure(figure=f"edge.{name}", value=cost, unit="us", rows=spans) for name, cost in costs.items()]


def _costs(kinds: Mapping[str, tuple[Server, Kind]]) -> dict[str, float]:
    """Return the median microseconds of processor time of a request of each kind, asked in turns."""
    rounds: dict[str, list[float]] = {name: [] for name in kinds}
    for server, kind in kinds.values():
        _ask(server, kind, times=WARM_UP)
    for _ in range(ROUNDS):
        for name, (server, kind) in kinds.items():
            before = server.cpu_seconds()
            _ask(server, kind, times=REQUESTS if name != "hello" else REQUESTS * 5)
            spent = server.cpu_seconds() - before
            rounds[name].append(spent / (REQUESTS if name != "hello" else REQUESTS * 5) * 1_000_000)
    return {name: statistics.median(values) for name, values in rounds.items()}


def _ask(server: Server, kind: Kind, *, times: int) -> None:
    connection = server.connect()
    for _ in range(times):
        connection.request("GET", kind.path, headers=dict(kind.headers))
        reply = connection.getresponse()
        reply.read()
        if reply.status != kind.status:
            raise AssertionError(f"{kind.name} was answered with {reply.status}")
    connection.close()


def _round_trips(server: Server, kind: Kind) -> float:
    """Return how often Redis reads from a connection for each request: commands sent in one piece are read once."""
    redis = get_redis_connection("default")
    before: int = redis.info("stats")["total_reads_processed"]
    _ask(server, kind, times=REQUESTS)
    after: int = redis.info("stats")["total_reads_processed"]
    asked_ourselves = 1
    return (after - before - asked_ourselves) / REQUESTS


def _first_tag(server: Server, path: str, headers: Mapping[str, str]) -> str:
    connection = server.connect()
    connection.request("GET", path, headers=dict(headers))
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply.headers["ETag"]


def _tenant(spans: int) -> tuple[str, datetime]:
    """Return a key and the day, yesterday, that its project's spans lie in."""
    organisation = Organisation.objects.create(slug="bench-edge", name="Bench")
    project = Project.objects.create(organisation=organisation, slug="bench", name="Bench")
    scope = Scope(
        projects={project.id: ScopedProject(organisation_id=organisation.id, public_id=project.public_id)},
        permissions=frozenset(),
    )
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end_ns = int(today.timestamp()) * 1_000_000_000
    step_ns = int(timedelta(days=1).total_seconds()) * 1_000_000_000 // spans
    for request in bodies(spans=spans, end_ns=end_ns, step_ns=step_ns):
        receive(scope=scope, spans=decode(request.protobuf, json=False).spans, received_at=datetime.now(UTC))
    for grain in GRAIN_WIDTHS:
        while refresh(grain, before=datetime.now(UTC)).more:  # as the worker would have done
            pass
    key = api_key_create(organisation=organisation, name="bench", projects=[project], permissions=["metrics:read"])
    return key.secret, today - timedelta(days=1)


@contextmanager
def _served(application: str, environment: Mapping[str, str]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command: Sequence[str] = (
        *(str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--workers", "1"),
        *("--blocking-threads", "1", "--blocking-threads-idle-timeout", "600"),
        *("--no-access-log", "--log-level", "critical"),
        *("--host", "127.0.0.1", "--port", str(port), application),
    )
    process = subprocess.Popen(command, env=dict(environment), stderr=subprocess.DEVNULL)  # noqa: S603  our own words
    try:
        _wait_until_open(port)
        yield Server(process=process, port=port)
    finally:
        process.terminate()
        process.wait()


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("granian did not start")


def _children(pid: int) -> list[int]:
    """Return the processes that `pid` has started, and those that they have."""
    found = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [grandchild for child in found for grandchild in _children(child)]
