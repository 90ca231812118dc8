"""The whole service on servers of the benchmark: web processes, worker and all that `up` starts."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

from observatory.env import BASE_DIR

WEB_PROCESSES = 2
_START_SECONDS, _STOP_SECONDS, _LOOK_SECONDS = 180.0, 60.0, 0.02
_SERVERS = {"DATABASE_URL", "DATABASE_MIGRATION_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}  # `up` finds these itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service that answers on `port` of this machine."""

    home: Path
    port: int
    supervisor: int
    ready_after: float  # seconds from its start until the web processes said so

    @property
    def live_port(self) -> int:
        return self.port + 1

    def process(self, program: str) -> int:
        """Return the id of the first process of a program: web, live or worker."""
        return int((self.home / "run" / f"{program}.pid").read_text())

    @property
    def web_processes(self) -> list[int]:
        """Ids of the processes that answer requests."""
        return children(self.process("web"))

    def kilobytes(self, kind: str) -> list[int]:
        """Return a line of /proc/<process>/status of every web process, such as VmRSS (now) or VmHWM (most ever)."""
        found = []
        for process in self.web_processes:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            found.append(next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")))
        return found


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def proportional_kb(process: int) -> int:
    """Return what a process holds of memory, its share of what others use too; 0 of one that is gone."""
    with suppress(OSError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return 0


def free_port() -> int:
    """Return a free port whose successor, which the live process takes, is free as well."""
    while True:
        with socket.socket() as probe, socket.socket() as next_to_it:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            with suppress(OSError, OverflowError):
                next_to_it.bind(("127.0.0.1", port + 1))
                return port


@contextmanager
def service(*, new: bool = False) -> Iterator[Running]:
    """Run the service on the servers that the environment names; it is stopped afterwards.

    A `new` one has an empty data folder and servers of its own, which it makes first.
    """
    folder = Path(os.environ["OBSERVATORY_HOME"])
    home, log, port = folder / ("new" if new else "up"), folder / "up.log", free_port()
    kept = {name: value for name, value in os.environ.items() if not (new and name in _SERVERS)}
    environment = kept | {"OBSERVATORY_HOME": str(home), "DRAIN_DELAY_SECONDS": "0"}
    with log.open("wb") as output, started(command(home, port), environment, output) as (process, begun):
        wait_until_ready(process, port, log)
        ready_after = time.perf_counter() - begun
        wait_until_ready(process, port + 1, log)
        yield Running(home=home, port=port, supervisor=process.pid, ready_after=ready_after)


@contextmanager
def started(
    words: Sequence[str], environment: Mapping[str, str], output: IO[bytes]
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Start a program of this checkout; give it and when that was (`perf_counter`), and stop it afterwards."""
    begun = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603  our own command
        words, cwd=BASE_DIR, env=dict(environment), stdout=output, stderr=output
    )
    try:
        yield process, begun
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def command(home: Path, port: int) -> list[str]:
    """Return the command that runs the service on `port`, its live process on the next one."""
    where = ["--data-dir", str(home), "--host", "127.0.0.1", "--port", str(port), "--workers", str(WEB_PROCESSES)]
    return [sys.executable, "manage.py", "up", *where]


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path, *, path: str = "/health/ready") -> None:
    """Return once `path` is answered with 200. Raises `RuntimeError`, with the end of the log, when it never is."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:  # noqa: PLR2004  OK
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_LOOK_SECONDS)
    raise RuntimeError(f"The service did not start:\n{log.read_text()[-2000:]}")
