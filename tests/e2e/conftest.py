"""The whole service, started as `make run` does, on a folder and a port of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from observatory.env import BASE_DIR
from observatory.env_table import SETTINGS
from tests.servers import unmeasured

START_SECONDS = 600  # with the demo data, while coverage is measured, on a machine that does other work too
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """One running `manage.py up` of the code in a folder."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int
    log: Path
    code: Path = BASE_DIR

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def live_url(self) -> str:
        return f"http://localhost:{self.port + 1}"

    @property
    def credentials(self) -> dict[str, Any]:
        return json.loads((self.home / "credentials.json").read_text())

    @property
    def said(self) -> str:
        """What `up` and the processes below it have written."""
        return self.log.read_text()

    def pid(self, program: str) -> int:
        return int((self.home / "run" / f"{program}.pid").read_text() or 0)

    def wait_until_ready(self) -> "Up":
        self.wait_for("LLM Observatory is ready")
        return self

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def free_port() -> int:
    """Return a free port whose successor, which the live process takes, is free as well."""
    while True:
        with socket.socket() as probe, socket.socket() as next_to_it:
            probe.bind(("127.0.0.1", 0))
            with suppress(OSError, OverflowError):
                next_to_it.bind(("127.0.0.1", probe.getsockname()[1] + 1))
                return probe.getsockname()[1]


def clean_environment(*, measured: bool = True, **given: str) -> dict[str, str]:
    """Return our environment without what the suite has set for its own servers."""
    inherited = os.environ if measured else unmeasured()
    ours = {setting.name for setting in SETTINGS} | {"DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in inherited.items() if name not in ours and not name.startswith("TEST_")}
    return kept | {"DRAIN_DELAY_SECONDS": "0"} | given


@pytest.fixture(scope="package")
def start_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Up]]:
    """Return a function that begins an `up` and does not wait; all are stopped at the end.

    `measured` ones count for the coverage and take twice the time.
    """
    begun: list[Up] = []

    def start(
        *arguments: str, home: Path | None = None, code: Path = BASE_DIR, measured: bool = False, **environment: str
    ) -> Up:
        folder = home or tmp_path_factory.mktemp("up") / "home"
        log = tmp_path_factory.mktemp("log") / "up.log"
        port = free_port()
        command = [sys.executable, "manage.py", "up", "--data-dir", str(folder), "--host", "127.0.0.1"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--port", str(port), "--workers", "2", *arguments],
                cwd=code,
                env=clean_environment(measured=measured, **environment),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        begun.append(Up(process=process, home=folder, port=port, log=log, code=code))
        return begun[-1]

    yield start
    for up in begun:
        if up.process.poll() is None:
            up.stop()


@pytest.fixture(scope="package")
def service(start_up: Callable[..., Up]) -> Up:
    """The service with its demo data; tests that break it start one of their own."""
    return start_up("--demo").wait_until_ready()
