"""What the processes of the service cost: time from their start to the first answers, memory before and after work.

A bare Django application, served by the same server in the same way, stands beside it.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from django.db import connection
from django.utils import timezone

from analytics.storage.sizes import lag_by_grain
from benchmarks.figures import Figure, seconds
from benchmarks.ingest import CONNECTIONS, load, post
from benchmarks.polling import READS
from benchmarks.requests import SPANS_A_REQUEST, bodies
from benchmarks.service import (
    WEB_PROCESSES,
    Running,
    children,
    free_port,
    proportional_kb,
    service,
    started,
    wait_until_ready,
)
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create
from observatory.env import BASE_DIR
from observatory.supervisor.options import Arguments, read_options
from observatory.supervisor.programs import service_programs

STARTS, ROUNDS = 2, 10
BARE, OWN = "benchmarks.hello", "observatory.wsgi"
# Two days old: every rollup of them can be made.
_AGE_NS, _DAY_NS = 2 * 86_400_000_000_000, 86_400_000_000_000
_WORKED_OFF_SECONDS = 120.0
_LEFT = """
    SELECT NOT EXISTS (SELECT FROM procrastinate_workers)
        OR EXISTS (SELECT FROM llm_contents WHERE search_vector IS NULL AND input_text IS NOT NULL)
"""
Memory = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """The bare application: seconds from its start to its first answer, and MB of one of its web processes."""

    ready: float
    memory: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Seconds of a start until the service was ready, then of the first question and export and of a second of each."""

    ready: float
    answers: tuple[float, float]
    ingests: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was measured; memory is in MB of one process of each kind, pages that several use divided among them."""

    bare: list[Bare]
    starts: list[Begun]
    imports: Mapping[str, float]
    first_start: float
    ready: Memory
    loaded: Memory


def measure(spans: int) -> list[Figure]:
    """Return what starting takes and what processes hold, beside a bare Django application."""
    organisation = Organisation.objects.create(slug="bench-processes", name="Bench")
    project = Project.objects.create(organisation=organisation, slug="main", name="Main")
    key = api_key_create(
        organisation=organisation, name="bench", projects=[project], permissions=["*"], tier="admin"
    ).secret
    end_ns = time.time_ns() - _AGE_NS
    requests = [one.protobuf for one in bodies(spans=spans, end_ns=end_ns, step_ns=_DAY_NS // spans)]
    bare, starts, imports = [], [], []
    for turn in range(STARTS):
        imports.append({module: _import_seconds(module) for module in (BARE, OWN)})
        bare.append(_bare())
        with service() as running:
            starts.append(_begun(running, key, end_ns, seed=turn + 2))
            if turn == STARTS - 1:
                _wait_until_worked_off()
                ready = memory(running)
                _work(running, key, requests)
                loaded = memory(running)
    with service(new=True) as running:
        first_start = running.ready_after
    return figures(
        Found(
            bare=bare,
            starts=starts,
            imports={module: statistics.median(one[module] for one in imports) for module in (BARE, OWN)},
            first_start=first_start,
            ready=ready,
            loaded=loaded,
        ),
        spans=spans,
    )


def figures(found: Found, *, spans: int) -> list[Figure]:
    """Return the figures of what was found, ratios first."""

    def median(of: Iterator[float]) -> float:
        return statistics.median(of)

    bare_ready, bare_memory = (median(getattr(one, name) for one in found.bare) for name in ("ready", "memory"))
    ready = median(one.ready for one in found.starts)
    answered = median(one.ready + one.answers[0] for one in found.starts)
    ingested = median(one.ready + one.ingests[0] for one in found.starts)
    ratios = {
        "ready_vs_hello": ready / bare_ready,
        "imports_vs_hello": found.imports[OWN] / found.imports[BARE],
        "first_answer_vs_second": median(one.answers[0] / one.answers[1] for one in found.starts),
        "first_ingest_vs_second": median(one.ingests[0] / one.ingests[1] for one in found.starts),
        "web_memory_vs_hello": found.ready["web"] / bare_memory,
        "web_memory_after_load_vs_hello": found.loaded["web"] / bare_memory,
    }
    taken = {
        "hello.ready": bare_ready,
        "hello.imports": found.imports[BARE],
        "imports": found.imports[OWN],
        "ready": ready,
        "first_answer": answered,
        "first_ingest": ingested,
        "first_start": found.first_start,
    }
    held = {"hello.memory": bare_memory}
    for kind, before in found.ready.items():
        after = found.loaded[kind]
        held |= {f"{kind}.memory": before, f"{kind}.memory_after_load": after, f"{kind}.memory_growth": after - before}
    return [
        Figure(figure=f"processes.{name}", value=value, unit=unit, rows=spans)
        for unit, group in (("x", ratios), ("s", taken), ("MB", held))
        for name, value in group.items()
    ]


def memory(running: Running) -> dict[str, float]:
    """Return the MB of the supervisor, the server's own process, a web process, the live process and the worker."""
    kinds = {
        "supervisor": [running.supervisor],
        "server": [running.process("web")],
        "web": running.web_processes,
        "live": [running.process("live")],
        "worker": [running.process("worker")],
    }
    return {kind: statistics.mean(map(proportional_kb, them)) / 1024 for kind, them in kinds.items()}


def _import_seconds(module: str) -> float:
    """Return how long a new Python takes to import the application."""
    command = [sys.executable, "-W", "ignore", "-c", f"import {module}"]
    return seconds(partial(subprocess.run, command, cwd=BASE_DIR, env=os.environ, check=True))


def _bare() -> Bare:
    """Start the bare application as the service starts its own."""
    folder, port = Path(os.environ["OBSERVATORY_HOME"]), free_port()
    log = folder / "bare.log"
    given = Arguments(data_dir=str(folder / "bare"), host="127.0.0.1", port=port, workers=WEB_PROCESSES)
    web = service_programs(read_options(given, os.environ), {}, "127.0.0.1")["web"]
    words = (*web.command[:-1], f"{BARE}:application")
    with log.open("wb") as output, started(words, web.environment, output) as (process, begun):
        wait_until_ready(process, port, log, path="/hello")
        ready = time.perf_counter() - begun
        return Bare(ready=ready, memory=statistics.mean(map(proportional_kb, children(process.pid))) / 1024)


def _begun(running: Running, key: str, end_ns: int, *, seed: int) -> Begun:
    """Ask and send at once what was never asked of these processes, and again on the same connection."""
    client = HTTPConnection("127.0.0.1", running.port, timeout=60)
    answers = [seconds(partial(_ask, client, key, READS[0])) for _ in range(2)]
    sent = bodies(spans=2 * SPANS_A_REQUEST, end_ns=end_ns, step_ns=1_000_000, seed=seed)
    ingests = [seconds(partial(post, client, key, one.protobuf)) for one in sent]
    client.close()
    return Begun(ready=running.ready_after, answers=(answers[0], answers[1]), ingests=(ingests[0], ingests[1]))


def _work(running: Running, key: str, requests: Sequence[bytes]) -> None:
    """Let spans arrive while people ask, and wait until the worker has nothing left to do."""

    def read() -> None:
        client = HTTPConnection("127.0.0.1", running.port, timeout=60)
        for path in READS * ROUNDS:
            _ask(client, key, path)
        client.close()

    with ThreadPoolExecutor(CONNECTIONS) as readers:
        reading = [readers.submit(read) for _ in range(CONNECTIONS)]
        load(running, key, iter(requests))
        for one in reading:
            one.result()
    _wait_until_worked_off()


def _ask(client: HTTPConnection, key: str, path: str) -> None:
    client.request("GET", path, headers={"X-API-Key": key, "Cache-Control": "no-cache"})
    reply = client.getresponse()
    told = reply.read()
    if reply.status != 200:  # noqa: PLR2004  OK
        raise RuntimeError(f"{path} was answered {reply.status}: {told[:200]!r}")


def _wait_until_worked_off() -> None:
    """Wait until a worker works, and has made every rollup and search vector that there can be."""
    deadline = time.monotonic() + _WORKED_OFF_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(_LEFT)
            (left,) = cursor.fetchone()
        marked = sum(one.marked for one in lag_by_grain(now=timezone.now()).values())
        if not left and not marked:
            return
        time.sleep(0.2)
    raise RuntimeError("The worker does not come to an end.")
