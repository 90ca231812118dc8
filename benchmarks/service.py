"""The whole service on servers of the benchmark: web processes, worker and all that `up` starts."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from observatory.env import BASE_DIR

WEB_PROCESSES = 2
_START_SECONDS, _STOP_SECONDS = 180.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service that answers on `port` of this machine."""

    home: Path
    port: int

    @property
    def live_port(self) -> int:
        return self.port + 1

    @property
    def web_processes(self) -> list[int]:
        """Ids of the processes that answer requests."""
        parent = (self.home / "run" / "web.pid").read_text()
        return [int(number) for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]

    def kilobytes(self, kind: str) -> list[int]:
        """Return a line of /proc/<process>/status of every web process, such as VmRSS (now) or VmHWM (most ever)."""
        found = []
        for process in self.web_processes:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            found.append(next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")))
        return found


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
def service() -> Iterator[Running]:
    """Run the service on the servers that the environment names; it is stopped afterwards."""
    home, port = Path(os.environ["OBSERVATORY_HOME"]) / "up", free_port()
    environment = os.environ | {"OBSERVATORY_HOME": str(home), "DRAIN_DELAY_SECONDS": "0"}
    log = Path(os.environ["OBSERVATORY_HOME"]) / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  our own command
            command(home, port), cwd=BASE_DIR, env=environment, stdout=output, stderr=output
        )
        try:
            for one in (port, port + 1):
                wait_until_ready(process, one, log)
            yield Running(home=home, port=port)
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
        time.sleep(0.2)
    raise RuntimeError(f"The service did not start:\n{log.read_text()[-2000:]}")
