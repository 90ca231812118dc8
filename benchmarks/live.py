"""Streams: how soon events arrive at 500 listeners with filters, and what ingest loses by them."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import IO, Any
from urllib.parse import urlencode

from django_redis import get_redis_connection

from benchmarks.figures import Figure
from benchmarks.ingest import WARM_REQUESTS, load, requests_without_end
from benchmarks.requests import SPANS_A_REQUEST
from benchmarks.service import service
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create
from observatory.env import BASE_DIR

LISTENERS, LISTENERS_A_KEY = 500, 20
EVENTS_A_SECOND, PACED_SECONDS = 1000, 10
MEDIAN_TARGET_MS, SHARE_TARGET = 100.0, 0.9
ROUNDS = 2
# One in two listens to a user's calls, the others to slow calls of one model: a fiftieth of all.
_MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5")
_SLOW_MS = 7500
_LEAVING_SECONDS = 30


def measure(spans: int) -> list[Figure]:
    """Return how long events take to their listeners, and the rate of ingest beside them over that without any."""
    organisation = Organisation.objects.create(slug="bench-live", name="Bench")
    project = Project.objects.create(organisation=organisation, slug="main", name="Main")
    make = partial(
        api_key_create, organisation=organisation, name="bench", projects=[project], permissions=["*"], tier="admin"
    )
    keys = [make().secret for _ in range(LISTENERS // LISTENERS_A_KEY)]
    wanted = [(keys[number // LISTENERS_A_KEY], _query(number)) for number in range(LISTENERS)]
    stream, requests = requests_without_end(), max(WARM_REQUESTS, spans // SPANS_A_REQUEST // ROUNDS)
    alone: list[float] = []
    beside: list[float] = []
    with service() as running:
        send = partial(load, running, make().secret)
        send(islice(stream, WARM_REQUESTS))
        arrived: Counter[int] = Counter()
        for _ in range(ROUNDS):
            _until_nobody_listens()
            alone.append(send(islice(stream, requests)).seconds)
            with _listeners(running.live_port, wanted) as listeners:
                count = EVENTS_A_SECOND * PACED_SECONDS // SPANS_A_REQUEST // ROUNDS
                send(islice(stream, count), every=SPANS_A_REQUEST / EVENTS_A_SECOND)
                arrived.update(listeners.arrived())
                beside.append(send(islice(stream, requests)).seconds)
    figure = partial(Figure, rows=requests * SPANS_A_REQUEST * ROUNDS)
    return [
        figure(figure="live.delivery_p50", value=_percentile(arrived, 0.5), unit="ms", target=MEDIAN_TARGET_MS),
        figure(figure="live.delivery_p99", value=_percentile(arrived, 0.99), unit="ms"),
        figure(figure="live.deliveries", value=arrived.total() / PACED_SECONDS, unit="events/s", direction="at_least"),
        figure(
            figure="live.ingest_beside_vs_alone",
            value=sum(alone) / sum(beside),
            unit="x",
            target=SHARE_TARGET,
            direction="at_least",
        ),
    ]


class _Listeners:
    def __init__(self, into: IO[str], out: IO[str]) -> None:
        self._into, self._out = into, out

    def ask(self, what: object) -> Any:
        self._into.write(json.dumps(what) + "\n")
        self._into.flush()
        return json.loads(self._out.readline() or '"The listeners have ended."')

    def arrived(self) -> Mapping[int, int]:
        """Return how many events have arrived since the last time, by milliseconds they took."""
        return {int(took): count for took, count in self.ask("arrived").items()}


@contextmanager
def _listeners(port: int, wanted: Sequence[tuple[str, str]]) -> Iterator[_Listeners]:
    command = [sys.executable, "-m", "benchmarks.listeners", str(port)]
    with subprocess.Popen(  # noqa: S603  our own command
        command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        listeners = _Listeners(process.stdin, process.stdout)
        listeners.ask(wanted)
        try:
            yield listeners
        finally:
            process.terminate()


def _until_nobody_listens() -> None:
    """Wait until the streams of the round before have given their places back."""
    deadline = time.monotonic() + _LEAVING_SECONDS
    while any(get_redis_connection("default").scan_iter("llmo:streams:*")):
        if time.monotonic() > deadline:
            raise RuntimeError("The listeners of the round before have gone, their streams have not.")
        time.sleep(0.1)


def _query(number: int) -> str:
    asked: dict[str, Any] = {"events": "trace_created"}
    if number % 2:
        return urlencode(asked | {"user_id": f"user-{number}"})
    return urlencode(asked | {"model": _MODELS[number // 2 % len(_MODELS)], "min_duration_ms": _SLOW_MS})


def _percentile(arrived: Mapping[int, int], share: float) -> float:
    """Return the nearest-rank percentile of values by how often they were met."""
    left = share * sum(arrived.values())
    for took in sorted(arrived):
        left -= arrived[took]
        if left <= 0:
            return float(took)
    raise RuntimeError("No event arrived.")
