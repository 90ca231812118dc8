"""People who look at spans while spans arrive: what each route takes, what is refused, what caches save, what waits."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.scope import Scope, ScopedProject
from analytics.storage.rollups import refresh
from analytics.storage.searches import make_vectors
from analytics.storage.sizes import lag_by_grain
from benchmarks.environments import environment
from benchmarks.figures import Figure
from benchmarks.ingest import Load, load, requests_without_end
from benchmarks.loading import tidy
from benchmarks.peers.contenders import COMMON, RARE
from benchmarks.requests import SPANS_A_REQUEST, bodies
from benchmarks.run import Run
from benchmarks.service import Running, service
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create

PACKAGES = ("locust",)
SPANS_A_SECOND, HISTORY_DAYS = 500, 29
EVERY_SECONDS = 2.0  # queues are looked at
TARGETS_MS = {"p50": 100.0, "p95": 500.0, "p99": 2000.0}
HITS_TARGET, RATE_TARGET = 0.7, 1000.0
_SCRIPT = Path(__file__).with_name("users.py")
_UNLIMITED = 100_000_000


@dataclass(slots=True, kw_only=True)
class Waiting:
    """The longest queues that were seen."""

    marks: int = 0
    jobs: int = 0
    lag_seconds: float = 0.0
    unsearchable: int = 0

    def look(self) -> None:
        """Take in how long they are now."""
        grains = lag_by_grain(now=timezone.now()).values()
        self.marks = max(self.marks, sum(one.marked for one in grains))
        self.lag_seconds = max(self.lag_seconds, *(one.lag.total_seconds() for one in grains))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL")
            self.jobs = max(self.jobs, cursor.fetchone()[0])
            cursor.execute("SELECT count(*) FROM llm_contents WHERE search_vector IS NULL AND input_text IS NOT NULL")
            self.unsearchable = max(self.unsearchable, cursor.fetchone()[0])


@dataclass(slots=True, kw_only=True)
class Beside:
    """What happened beside a phase."""

    ingest: Load = field(default_factory=Load)
    waiting: Waiting = field(default_factory=Waiting)
    growth_mb: float = 0.0


def measure(run: Run) -> Iterator[Figure]:
    """Yield the mixed scenario, the ramp, and the soak if one is wanted, with each number of spans of history."""
    programs = environment(run.environments / "load", PACKAGES)
    for number, spans in enumerate(run.sizes):
        keys = _tenant(f"bench-load-{number}", spans, users=run.users)
        seconds = {"mixed": run.minutes * 60, "ramp": 0.0, "soak": run.soak_minutes * 60}
        with _without_limits(), service() as running:
            for phase in ("mixed", "ramp", *(["soak"] if run.soak_minutes else [])):
                wanted = {"name": phase, "users": run.users, "seconds": seconds[phase]}
                with _beside(running, keys[0]) as beside:
                    met = _people(programs, running, keys, wanted)
                yield from (_ramp_figures if phase == "ramp" else partial(_figures, phase))(met, beside, spans)


def hits(met: Mapping[str, int]) -> float:
    """Return the share of reads that were answered from the cache or with 304; 0 of none."""
    return met.get("kept", 0) / max(1, sum(met.values()))


def _people(programs: Path, running: Running, keys: list[str], phase: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {"host": f"http://127.0.0.1:{running.port}", "keys": keys, "phases": [phase]}
    done = subprocess.run(  # noqa: S603  our own script
        [programs / "python", _SCRIPT, json.dumps(wanted)], stdout=subprocess.PIPE, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _figures(phase: str, met: Mapping[str, Any], beside: Beside, spans: int) -> Iterator[Figure]:
    """Yield the figures of people who pause."""
    figure = partial(Figure, rows=spans)
    prefix = "load" if phase == "mixed" else f"load.{phase}"
    for part, target in TARGETS_MS.items():
        yield figure(figure=f"{prefix}.{part}", value=met["all"][part], unit="ms", target=target)
    yield figure(figure=f"{prefix}.failed", value=met["failed"], unit="of requests", target=0)
    yield figure(
        figure=f"{prefix}.cache_hits",
        value=hits(met["met"]),
        unit="of reads",
        target=HITS_TARGET,
        direction="at_least",
    )
    yield figure(figure=f"{prefix}.requests", value=met["rate"], unit="/s", direction="at_least")
    for route, percentiles in sorted(met["routes"].items()):
        for part, value in percentiles.items():
            yield figure(figure=f"{prefix}.{route}.{part}", value=value, unit="ms")
    arrived = len(beside.ingest.latencies)
    if arrived:
        slowest = sorted(beside.ingest.latencies)[int(arrived * 0.95)]
        yield figure(figure=f"{prefix}.ingest.p95", value=slowest * 1000, unit="ms")
        rate = arrived * SPANS_A_REQUEST / beside.ingest.seconds
        yield figure(figure=f"{prefix}.ingest", value=rate, unit="spans/s", direction="at_least")
    yield figure(figure=f"{prefix}.queue.jobs", value=beside.waiting.jobs, unit="jobs at most")
    yield figure(figure=f"{prefix}.queue.marks", value=beside.waiting.marks, unit="buckets at most")
    yield figure(figure=f"{prefix}.queue.lag", value=beside.waiting.lag_seconds, unit="s at most")
    without_vector = beside.waiting.unsearchable
    yield figure(figure=f"{prefix}.queue.without_search_vector", value=without_vector, unit="spans at most")
    yield figure(figure=f"{prefix}.memory_growth", value=beside.growth_mb, unit="MB")


def _ramp_figures(met: Mapping[str, Any], _beside: Beside, spans: int) -> Iterator[Figure]:
    """Yield the figures of as many people without pauses as bring the most answers."""
    figure = partial(Figure, rows=spans)
    rate: float = met["rate"]
    yield figure(figure="load.ramp.requests", value=rate, unit="/s", target=RATE_TARGET, direction="at_least")
    yield figure(figure="load.ramp.users", value=met["users"], unit="users")
    for part, value in met["all"].items():
        yield figure(figure=f"load.ramp.{part}", value=value, unit="ms")
    yield figure(figure="load.ramp.failed", value=met["failed"], unit="of requests", target=0)


@contextmanager
def _beside(running: Running, key: str) -> Iterator[Beside]:
    """Let spans arrive and watch the queues until the context ends."""
    beside, ended = Beside(), threading.Event()
    before = sum(running.kilobytes("VmRSS"))

    def arriving() -> Iterator[bytes]:
        for body in requests_without_end():
            if ended.is_set():
                return
            yield body

    def send() -> None:
        beside.ingest = load(running, key, arriving(), every=SPANS_A_REQUEST / SPANS_A_SECOND)

    def watch() -> None:
        try:
            while not ended.wait(EVERY_SECONDS):
                beside.waiting.look()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for work in (send, watch)]
    for thread in threads:
        thread.start()
    try:
        yield beside
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        beside.growth_mb = (sum(running.kilobytes("VmRSS")) - before) / 1024


def _tenant(slug: str, spans: int, *, users: int) -> list[str]:
    """Return a key for each of the users of a project that has `spans` spans of a month."""
    organisation = Organisation.objects.create(slug=slug, name="Bench")
    project = Project.objects.create(organisation=organisation, slug="main", name="Main")
    scope = Scope(
        projects={project.id: ScopedProject(organisation_id=organisation.id, public_id=project.public_id)},
        permissions=frozenset(),
    )
    end = datetime.now(UTC) - timedelta(minutes=5)
    step_ns = int(timedelta(days=HISTORY_DAYS).total_seconds()) * 1_000_000_000 // spans
    for request in bodies(spans=spans, end_ns=int(end.timestamp()) * 1_000_000_000, step_ns=step_ns):
        body = request.protobuf.replace(COMMON, RARE.encode(), 1)  # what people search for, in a span of each request
        receive(scope=scope, spans=decode(body, json=False).spans, received_at=datetime.now(UTC))
    for grain in GRAIN_WIDTHS:  # as the worker did while the month went by
        while refresh(grain, before=datetime.now(UTC)).more:
            pass
    while make_vectors():
        pass
    tidy()
    make = partial(api_key_create, organisation=organisation, projects=[project], permissions=["*"], tier="admin")
    return [make(name=f"user {number}").secret for number in range(users)]


@contextmanager
def _without_limits() -> Iterator[None]:
    """Start the service with limits that are charged and never reached: what is measured is not how it refuses."""
    given = {
        f"RATE_LIMIT_{name}": str(_UNLIMITED)
        for name in ("ADMIN", "INGEST", "CLASS_QUERY", "CLASS_SEARCH", "ANONYMOUS")
    }
    os.environ |= given
    try:
        yield
    finally:
        for name in given:
            del os.environ[name]
