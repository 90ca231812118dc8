"""One bucket, many clients on many processes: each request is decided as an ideal bucket would decide it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

PROCESSES, CLIENTS_EACH, REQUESTS_EACH = 4, 16, 60
CAPACITY, PER_MINUTE = 200, 600
# A process as one of granian's is: its own connections, and threads that share them.
CLIENT = """
import sys
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from ratelimit.decision import Bucket
from ratelimit.limiter import Limiter
from ratelimit.policies import Policy

capacity, per_minute, clients, requests = map(int, sys.argv[1:])
bucket = Bucket(
    key="llmo:rl:{exact}:principal", policy=Policy(capacity=capacity, units_per_us=per_minute), cost=1, name="principal"
)
limiter = Limiter()
sys.stdin.readline()
def ask(_):
    return [limiter.charge([bucket]) for _ in range(requests)]
with ThreadPoolExecutor(clients) as threads:
    decisions = [one for several in threads.map(ask, range(clients)) for one in several]
for one in decisions:
    print(int(one.admitted), one.now_us, one.states[0].units, int(one.degraded))
"""


@pytest.fixture
def decisions(redis, shared_valkey, monkeypatch) -> Iterator[list[tuple[int, ...]]]:
    """Every decision in the order of the deciding clock: admitted, microsecond, units left, degraded."""
    for name, value in {
        "REDIS_URL": shared_valkey.url, "RATE_LIMIT_TIMEOUT_MS": "10000", "DJANGO_SETTINGS_MODULE": "tests.settings"
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    given = map(str, (CAPACITY, PER_MINUTE, CLIENTS_EACH, REQUESTS_EACH))
    command = [sys.executable, "-c", CLIENT, *given]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    for one in processes:
        one.stdin.write("go\n")
        one.stdin.flush()
    lines = [line for one in processes for line in one.communicate()[0].splitlines()]
    # Of decisions in one microsecond those that found more came first; a refusal leaves what it finds.
    return sorted((tuple(map(int, line.split())) for line in lines), key=lambda one: (one[1], -one[2], -one[0]))


def ideally(moments: list[int]) -> Iterator[tuple[int, int]]:
    """Yield what an ideal bucket, full at first, answers at these microseconds: 1 for admitted, and units left.

    A process that was ready before the others finds the bucket full again: what overflows is nobody's.
    """
    token = 60_000_000
    units, since = CAPACITY * token, moments[0]
    for now in moments:
        units, since = min(CAPACITY * token, units + (now - since) * PER_MINUTE), now
        admitted = units >= token
        units -= token * admitted
        yield int(admitted), units


def test_64_clients_of_four_processes_are_decided_each_as_by_an_ideal_bucket(decisions):
    assert len(decisions) == PROCESSES * CLIENTS_EACH * REQUESTS_EACH
    assert not any(degraded for *_, degraded in decisions)
    assert [(admitted, units) for admitted, _, units, _ in decisions] == list(
        ideally([now for _, now, *_ in decisions])
    )
