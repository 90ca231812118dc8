"""A contender that runs: it gets spans, is asked, killed and started again, and nothing of it stays behind."""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from threading import Lock, Thread

import psycopg
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from benchmarks.peers.contenders import Contender, Question
from benchmarks.service import free_port, proportional_kb, wait_until_ready
from observatory.env import BASE_DIR

CONNECTIONS = 4
QUIET_SECONDS, LONGEST_WAIT = 3.0, 300.0
_OK, _BUSY = 200, (429, 503)
_MARK = "OBSERVATORY_BENCHMARK_RUN"


@dataclass(slots=True, kw_only=True)
class Subject:
    """A contender, its home, and a connection to the server that its database is on."""

    contender: Contender
    home: Path
    database: psycopg.Connection
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    port: int = 0
    refused: int = 0  # requests that were to be sent again, as OTLP has it

    def start(self) -> None:
        """Start it on a port that is free now, which that of before need not be, and return once it is ready."""
        self.port = free_port()
        command, variables = self.contender.start(self.home, self.port)
        environment = {"PATH": os.defpath, "HOME": str(self.home), **variables, _MARK: self.mark}
        log = self.home.with_suffix(".log")
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  commands of ours
                command, cwd=BASE_DIR, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        wait_until_ready(process, self.port, log, path=self.contender.ready)

    def kill(self) -> None:
        """End every process of it at once, as losing the machine would."""
        deadline = time.monotonic() + LONGEST_WAIT
        while (living := processes(self.mark)) and time.monotonic() < deadline:
            for process in living:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.05)

    def memory_mb(self) -> float:
        """Return what its processes hold of memory; what they share is counted once."""
        return sum(map(proportional_kb, processes(self.mark))) / 1024

    def committed(self) -> int:
        """Return how many spans are committed."""
        row = self.database.execute(self.contender.spans.encode()).fetchone()
        return int(row[0]) if row else 0

    def size(self) -> int:
        """Return the size of its database."""
        row = self.database.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def wait_for(self, count: int) -> float:
        """Return the moment at which a look began that found `count` spans."""
        deadline = time.monotonic() + LONGEST_WAIT
        while time.monotonic() < deadline:
            looked = time.perf_counter()
            found = self.committed()
            if found >= count:
                return looked
            time.sleep(0.01)
        raise RuntimeError(f"{self.contender.name} has {found:,} of {count:,} spans after {LONGEST_WAIT:.0f} s")

    def wait_until_quiet(self) -> int:
        """Return how many spans are committed once neither they nor the size of the database change any more."""
        deadline = time.monotonic() + LONGEST_WAIT
        before, since = (-1, -1), time.monotonic()
        while time.monotonic() < min(deadline, since + QUIET_SECONDS):
            now = (self.committed(), self.size())
            if now != before:
                before, since = now, time.monotonic()
            time.sleep(0.2)
        return before[0]

    def send(self, requests: Sequence[bytes]) -> float:
        """Send export requests over four connections and return the moment of the last acknowledgement."""
        waiting, lock = iter(requests), Lock()
        failures: list[Exception] = []

        def work() -> None:
            client = HTTPConnection("127.0.0.1", self.port, timeout=120)
            try:
                while not failures:
                    with lock:
                        body = next(waiting, None)
                    if body is None:
                        return
                    self._post(client, body)
            except (OSError, RuntimeError) as problem:
                failures.append(problem)
            finally:
                client.close()

        threads = [Thread(target=work) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return time.perf_counter()

    def _post(self, client: HTTPConnection, body: bytes) -> None:
        kind = {"Content-Type": "application/x-protobuf"}
        headers = {**kind, **self.contender.headers, **self.contender.otlp_headers}
        while True:
            client.request("POST", "/v1/traces", body, headers)
            reply = client.getresponse()
            told = reply.read()
            if reply.status == _OK:
                if rejected := _rejected(reply.headers.get_content_type(), told):
                    raise RuntimeError(f"{self.contender.name} took a request and rejected {rejected} of its spans")
                return
            if reply.status not in _BUSY:
                raise RuntimeError(f"{self.contender.name} answered {reply.status}: {told[:200]!r}")
            self.refused += 1
            time.sleep(0.1)

    def ask(self, question: Question) -> float:
        """Return the seconds until the answer was read. Raises `RuntimeError` when it does not say what it has to."""
        method, path, body = question.sent
        client = HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_WAIT)
        begun = time.perf_counter()
        client.request(method, path, body, {"Content-Type": "application/json", **self.contender.headers})
        reply = client.getresponse()
        told = reply.read()
        taken = time.perf_counter() - begun
        client.close()
        if reply.status != _OK or question.has not in told:
            raise RuntimeError(f"{self.contender.name} answered {path} with {reply.status}: {told[:500]!r}")
        return taken

    def wait_for_answer(self, question: Question) -> float:
        """Return the seconds until it first says what it has to: words may be made searchable behind the spans."""
        begun = time.perf_counter()
        while True:
            try:
                self.ask(question)
            except RuntimeError:
                if time.perf_counter() - begun > LONGEST_WAIT:
                    raise
                time.sleep(0.2)
            else:
                return time.perf_counter() - begun


@contextlib.contextmanager
def running(contender: Contender, folder: Path, url: str) -> Iterator[Subject]:
    """Run a contender whose database is on the server of a superuser's `url`; it is killed afterwards."""
    home = folder / contender.name
    home.mkdir(parents=True)
    with psycopg.connect(url, dbname=contender.database, autocommit=True) as database:
        subject = Subject(contender=contender, home=home, database=database)
        try:
            subject.start()
            yield subject
        finally:
            subject.kill()


def processes(mark: str) -> list[int]:
    """Return the living processes that were started with this mark, however they are related."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found


def _rejected(kind: str, told: bytes) -> int:
    """Return how many spans a reply says are not stored; peers may answer with something else, which says nothing."""
    if kind != "application/x-protobuf":
        return 0
    return ExportTraceServiceResponse.FromString(told).partial_success.rejected_spans
