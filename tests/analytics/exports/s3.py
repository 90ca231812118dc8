"""A server that speaks S3 over HTTP, in a process of its own, and a way to it that breaks."""

import os
import socket
import socketserver
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select
from urllib.parse import urlsplit

from tests.analytics.alerts.receivers import running

_START_SECONDS = 60
_BLOCK_BYTES = 65_536


@contextmanager
def s3_server() -> Iterator[str]:
    """Run moto's server; yield its address, or that of the server which OBSERVATORY_TEST_S3_URL names."""
    if (named := os.environ.get("OBSERVATORY_TEST_S3_URL")) is not None:
        yield named
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError("The server of S3 did not start.")


class Way:
    """Connections to a server, which break off, and cannot be made, once so many octets have gone up or down."""

    def __init__(self, server: str) -> None:
        address = urlsplit(server)
        self._server = (address.hostname, address.port)
        self.url = ""
        self.mend()

    def mend(self) -> None:
        self.breaks()

    def breaks(self, *, up: float = float("inf"), down: float = float("inf")) -> None:
        """Let so many more octets pass to the server, and from it."""
        self._left = {"up": up, "down": down}

    def go(self, client: socket.socket) -> None:
        """Carry octets both ways until one side has gone, or no more of them pass."""
        with suppress(OSError), socket.create_connection(self._server) as server:
            ways = {client: ("up", server), server: ("down", client)}
            while min(self._left.values()) > 0:
                for one in select(ways, [], [])[0]:
                    direction, other = ways[one]
                    octets = one.recv(_BLOCK_BYTES)
                    passing = octets[: int(min(self._left[direction], len(octets)))]
                    self._left[direction] -= len(passing)
                    other.sendall(passing)
                    if not octets or len(passing) < len(octets):
                        return


@contextmanager
def way_to(server: str) -> Iterator[Way]:
    """Carry connections to a server."""
    way = Way(server)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            way.go(self.request)

    with running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        way.url = f"http://127.0.0.1:{port}"
        yield way
