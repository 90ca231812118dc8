"""The addresses of web and live process: that they can be had, and that the service answers on them."""

import errno
import http.client
import socket
import time
from collections.abc import Callable

from observatory.supervisor.failure import CannotStart

POLL_SECONDS = 0.05
READY_SECONDS = 60.0
READY_PATH = "/health/ready"
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared, not bound
ANOTHER_PORT, ANOTHER_LIVE_PORT = "--port (`make run PORT=9000`)", "LIVE_PORT"


def claim_address(host: str, port: int, *, cure: str = ANOTHER_PORT) -> str:
    """Return the IP address that `host` stands for; raise `CannotStart` if `port` cannot be listened on there.

    `cure` is how another port is chosen.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise CannotStart(
            f"--host {host} is no address: choose 127.0.0.1 for this machine only or 0.0.0.0 for every network."
        ) from None
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)  # IPv4 first: `localhost` is both
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections that a stopped service left in TIME_WAIT do not keep the next one from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except OSError as problem:
            raise CannotStart(_why_not(host, port, problem, cure)) from None
    return str(address[0])


def wait_ready(address: str, port: int, *, check_alive: Callable[[], None], pause: Callable[[float], None]) -> None:
    """Wait until readiness is 200; `check_alive` raises when waiting has become pointless."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        check_alive()
        answer = _readiness(_EVERY_ADDRESS.get(address, address), port)
        if answer == "200":
            return
        if time.monotonic() > deadline:
            raise CannotStart(
                f"The service is not ready after {READY_SECONDS:.0f} s ({READY_PATH}: {answer}): "
                "its messages above say why."
            )
        pause(POLL_SECONDS)


def _readiness(address: str, port: int) -> str:
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", READY_PATH)
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as problem:
        return f"no answer, {type(problem).__name__}"
    finally:
        connection.close()


def _why_not(host: str, port: int, problem: OSError, cure: str) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is taken on {host}: stop what listens there, or choose another one with {cure}."
    if problem.errno == errno.EACCES:
        return f"Port {port} needs root: choose one above 1023 with {cure}."
    return f"{host} is no address of this machine: choose 127.0.0.1 or 0.0.0.0 with --host."
