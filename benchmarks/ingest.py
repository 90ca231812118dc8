"""The service under export requests, against copying the very same rows into the very same tables alone."""

import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from http.client import HTTPConnection
from itertools import chain, islice
from struct import Struct
from threading import Lock, Thread

import psycopg
from django.conf import settings
from django.db import connection
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from analytics.storage.rows import CONTENT_COLUMNS, SPAN_COLUMNS
from benchmarks.figures import Figure
from benchmarks.requests import SPANS_A_REQUEST, bodies
from benchmarks.service import Running, service
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create

CONNECTIONS = 4
STEP_NS = 1_000_000
WARM_REQUESTS = 20
PATTERNS = 25  # requests that are made; more are these with other trace ids
RATIO_TARGET, RATE_TARGET = 0.4, 3000.0
CALM_SHARE, TAIL_TARGET = 0.7, 10.0
GROWTH_TARGET_MB, PEAK_TARGET_MB = 32.0, 400.0
_TIME = Struct("<Q")  # fixed64 of protobuf
LARGE_BODY_BYTES = 64 * 1024 * 1024
COLUMNS = {
    "llm_traces": [column.name for column in SPAN_COLUMNS],
    "llm_contents": [column.name for column in CONTENT_COLUMNS],
}


def measure(spans: int) -> list[Figure]:
    """Return the rate of the service and of the copy, their ratio, the tail at 70 % of the rate, and memory."""
    organisation = Organisation.objects.create(slug="bench", name="Bench")
    project = Project.objects.create(organisation=organisation, slug="main", name="Main")
    key = api_key_create(
        organisation=organisation, name="bench", projects=[project], permissions=["*"], tier="admin"
    ).secret
    stream, requests = requests_without_end(), max(WARM_REQUESTS, spans // SPANS_A_REQUEST)
    with service() as running:
        send = partial(load, running, key)
        send(islice(stream, WARM_REQUESTS))
        begun = send(islice(stream, requests // 10))  # threads have met their largest request by then, and caches fill
        before_kb = running.kilobytes("VmRSS")
        fast = send(islice(stream, requests - requests // 10))
        growth_kb = sum(running.kilobytes("VmRSS")) - sum(before_kb)
        rate = requests * SPANS_A_REQUEST / (begun.seconds + fast.seconds)
        calm = send(islice(stream, max(WARM_REQUESTS, requests // 2)), every=SPANS_A_REQUEST / (CALM_SHARE * rate))
        peak_kb = _peak_of_a_large_body(running, key)
    copied = _copy_rate(project.id, WARM_REQUESTS + requests)
    tail = statistics.quantiles(calm.latencies, n=100)[98] / statistics.median(calm.latencies)
    figure = partial(Figure, rows=requests * SPANS_A_REQUEST)
    return [
        figure(figure="ingest.service", value=rate, unit="spans/s", target=RATE_TARGET, direction="at_least"),
        figure(figure="ingest.copy", value=copied, unit="spans/s", direction="at_least"),
        figure(
            figure="ingest.service_vs_copy", value=rate / copied, unit="x", target=RATIO_TARGET, direction="at_least"
        ),
        figure(figure="ingest.latency_p50_at_70pct", value=statistics.median(calm.latencies) * 1000, unit="ms"),
        figure(figure="ingest.latency_p99_vs_p50_at_70pct", value=tail, unit="x", target=TAIL_TARGET),
        figure(figure="ingest.memory_growth", value=growth_kb / 1024, unit="MB", target=GROWTH_TARGET_MB),
        figure(figure="ingest.memory_of_64mib", value=peak_kb / 1024, unit="MB", target=PEAK_TARGET_MB),
    ]


# --- requests ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A request cut at its trace ids and times: what is between them, and they. Putting it together costs little."""

    pieces: Sequence[bytes]
    cuts: Sequence[bytes]
    end_ns: int

    @classmethod
    def of(cls, body: bytes) -> "Pattern":
        """Return the pattern of a request."""
        message = ExportTraceServiceRequest.FromString(body)
        spans = [span for part in message.resource_spans for of_scope in part.scope_spans for span in of_scope.spans]
        times = {time for span in spans for time in (span.start_time_unix_nano, span.end_time_unix_nano)}
        cuts = {span.trace_id for span in spans} | {_TIME.pack(time) for time in times}
        cut = re.compile(b"|".join(map(re.escape, cuts)), re.DOTALL)
        return cls(pieces=cut.split(body), cuts=cut.findall(body), end_ns=max(times))

    def body(self, turn: int, *, end_ns: int) -> bytes:
        """Return the request with the trace ids of another turn, its last span ended at `end_ns`."""
        salt, later = turn.to_bytes(16), end_ns - self.end_ns
        renewed = {
            cut: _TIME.pack(_TIME.unpack(cut)[0] + later)
            if len(cut) == _TIME.size
            else blake2b(cut, digest_size=len(cut), salt=salt).digest()
            for cut in set(self.cuts)
        }
        told = chain.from_iterable(zip(self.pieces, (renewed[cut] for cut in self.cuts), strict=False))
        return b"".join((*told, self.pieces[-1]))


def requests_without_end() -> Iterator[bytes]:
    """Yield requests without end, whose last spans have just ended: a few patterns, their traces others each time."""
    made = bodies(spans=PATTERNS * SPANS_A_REQUEST, end_ns=time.time_ns(), step_ns=STEP_NS)
    patterns = [Pattern.of(one.protobuf) for one in made]
    for turn in range(1 << 30):
        for pattern in patterns:
            yield pattern.body(turn, end_ns=time.time_ns())


# --- load -------------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Load:
    """What senders met: seconds from when a request was due to its answer, and of the whole."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0


def load(running: Running, key: str, requests: Iterator[bytes], *, every: float = 0.0) -> Load:
    """Send `requests` over four connections, as fast as they are answered or one `every` so many seconds."""
    return load_of_several(running, ((key, body) for body in requests), every=every)


def load_of_several(running: Running, requests: Iterator[tuple[str, bytes]], *, every: float = 0.0) -> Load:
    """Do the same with requests that come each with the key of its sender."""
    load, lock = Load(), Lock()
    begun = time.perf_counter()
    numbered = enumerate(requests)

    def send() -> None:
        client = HTTPConnection("127.0.0.1", running.port, timeout=120)
        while True:
            with lock:
                number, (key, body) = next(numbered, (0, ("", b"")))
            if not body:
                break
            due = begun + number * every if every else time.perf_counter()
            time.sleep(max(0.0, due - time.perf_counter()))
            post(client, key, body)
            load.latencies.append(time.perf_counter() - due)
        client.close()

    _in_threads(send)
    load.seconds = time.perf_counter() - begun
    return load


def post(client: HTTPConnection, key: str, body: bytes) -> None:
    """Send an export request. Raises `RuntimeError` unless all of it was taken."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-protobuf"}
    client.request("POST", "/v1/traces", body, headers)
    reply = client.getresponse()
    told = reply.read()
    if reply.status != 200 or told:  # noqa: PLR2004  OK
        raise RuntimeError(f"An export request was answered {reply.status}: {told[:200]!r}")


def _in_threads(work: Callable[[], None]) -> None:
    failures: list[Exception] = []

    def guarded() -> None:
        try:
            work()
        except (OSError, RuntimeError, psycopg.Error) as problem:
            failures.append(problem)

    threads = [Thread(target=guarded) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _peak_of_a_large_body(running: Running, key: str) -> float:
    """Return by how many kilobytes one body of 64 MiB lifts the most that a web process ever held."""
    parts, size = [], 0
    for body in requests_without_end():
        if size + len(body) > LARGE_BODY_BYTES:
            break
        parts.append(body)  # messages of protobuf are joined by joining their bytes
        size += len(body)
    before = dict(zip(running.web_processes, running.kilobytes("VmRSS"), strict=True))
    client = HTTPConnection("127.0.0.1", running.port, timeout=600)
    post(client, key, b"".join(parts))
    client.close()
    after = dict(zip(running.web_processes, running.kilobytes("VmHWM"), strict=True))
    return max(after[process] - held for process, held in before.items())


# --- copy -------------------------------------------------------------------------------------------------------------
def _copy_rate(project: int, requests: int) -> float:
    """Return rows per second of copying stored rows as another project's: text made before, a commit a request."""
    batches = list(zip(*(_batches(table, project, requests) for table in COLUMNS), strict=True))
    waiting, lock = iter(batches[WARM_REQUESTS:]), Lock()
    url = settings.DATABASES["default"]
    target = {"host": url["HOST"], "port": url["PORT"], "user": url["USER"], "password": url["PASSWORD"]}

    def copy() -> None:
        with psycopg.connect(dbname=url["NAME"], **{k: v for k, v in target.items() if v}, **url["OPTIONS"]) as server:
            while True:
                with lock:
                    batch = next(waiting, None)
                if batch is None:
                    return
                with server.transaction(), server.cursor() as cursor:
                    for table, text in zip(COLUMNS, batch, strict=True):
                        with cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as into:
                            into.write(text)

    begun = time.perf_counter()
    _in_threads(copy)
    return (len(batches) - WARM_REQUESTS) * SPANS_A_REQUEST / (time.perf_counter() - begun)


def _batches(table: str, project: int, requests: int) -> list[bytes]:
    """Return the first stored rows of `project` in the order of their start, as COPY text of 200 rows each."""
    names = ", ".join(f"{project} + 1" if name == "project_id" else name for name in COLUMNS[table])
    found = f"""
        SELECT {names} FROM {table} WHERE project_id = %(project)s
        ORDER BY ts, trace_id, span_id LIMIT %(rows)s
    """
    given = {"project": project, "rows": requests * SPANS_A_REQUEST}
    with connection.cursor() as cursor, cursor.copy(f"COPY ({found}) TO STDOUT", given) as copy:
        lines = list(chain.from_iterable(bytes(block).splitlines(keepends=True) for block in copy))
    return [b"".join(lines[at : at + SPANS_A_REQUEST]) for at in range(0, len(lines), SPANS_A_REQUEST)]
