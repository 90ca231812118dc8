"""Streams: how soon events arrive at 500 listeners with filters, and what ingest loses by them.

Ingest runs as fast as it goes, over four connections, without listeners and beside them, in two mixes:

* `live.ingest_beside_vs_alone`, which has the target: 1,000 spans a second, as many as the target names, are of the
  listeners' project, the others of another organisation to which nobody listens.
* `live.ingest_beside_vs_alone_all_listened`: every span is of the listeners' project, so that three to four times as
  many events happen as the target names. It tells what is lost where all that a busy machine takes is listened to.

Both are the median seconds of a portion of spans without listeners over those beside them. A round measures both mixes
both ways; the second begins with the listeners, so that neither way has the larger database. The listeners are a
process of the same machine, and what they take of it is in the figures.
"""

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import islice
from statistics import median
from typing import IO, Any
from urllib.parse import urlencode

from django_redis import get_redis_connection

from benchmarks.figures import Figure
from benchmarks.ingest import WARM_REQUESTS, load_of_several, requests_without_end
from benchmarks.requests import SPANS_A_REQUEST
from benchmarks.service import service
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create
from observatory.env import BASE_DIR

LISTENERS, LISTENERS_A_KEY = 500, 20
EVENTS_A_SECOND, PACED_SECONDS = 1000, 10
MEDIAN_TARGET_MS, SHARE_TARGET = 100.0, 0.9
ROUNDS = 2
PORTION_REQUESTS = 20  # about a second: a checkpoint or a neighbour slows some portions, not the median
# One in two listens to a user's calls, the others to slow calls of one model: a fiftieth of all.
_MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5")
_SLOW_MS = 7500
_LEAVING_SECONDS = 30


def measure(spans: int) -> list[Figure]:
    """Return how long events take to their listeners, and the rates of ingest beside them over those without any."""
    heard, unheard = _project("bench-live"), _project("bench-unheard")
    keys = [_key(heard) for _ in range(LISTENERS // LISTENERS_A_KEY)]
    wanted = [(keys[number // LISTENERS_A_KEY], _query(number)) for number in range(LISTENERS)]
    some, every = partial(_some_heard, _key(heard), _key(unheard)), partial(_all_heard, _key(heard))
    stream, portions = requests_without_end(), max(2, spans // SPANS_A_REQUEST // PORTION_REQUESTS)
    paced = EVENTS_A_SECOND * PACED_SECONDS // SPANS_A_REQUEST // ROUNDS
    seconds = defaultdict[tuple[str, bool], list[float]](list)
    calm: Counter[int] = Counter()
    busy: Counter[int] = Counter()
    with service() as running:
        send = partial(load_of_several, running)
        send(some(islice(stream, 5 * WARM_REQUESTS)))

        def send_portions(requests: Iterator[tuple[str, bytes]]) -> list[float]:
            return [send(islice(requests, PORTION_REQUESTS)).seconds for _ in range(portions)]

        for number in range(ROUNDS):
            for beside in (False, True) if number % 2 == 0 else (True, False):
                _until_nobody_listens()
                with _listeners(running.live_port, wanted) if beside else nullcontext() as listeners:
                    if listeners is not None:
                        send(every(islice(stream, paced)), every=SPANS_A_REQUEST / EVENTS_A_SECOND)
                        calm.update(listeners.arrived())
                    seconds["some", beside] += send_portions(some(stream))
                    if listeners is not None:
                        busy.update(listeners.arrived())
                    seconds["every", beside] += send_portions(every(stream))
    figure = partial(Figure, rows=portions * PORTION_REQUESTS * SPANS_A_REQUEST * ROUNDS)
    share = partial(figure, unit="x", direction="at_least")
    return [
        figure(figure="live.delivery_p50", value=_percentile(calm, 0.5), unit="ms", target=MEDIAN_TARGET_MS),
        figure(figure="live.delivery_p99", value=_percentile(calm, 0.99), unit="ms"),
        figure(figure="live.deliveries", value=calm.total() / PACED_SECONDS, unit="events/s", direction="at_least"),
        figure(figure="live.delivery_p50_beside_full_ingest", value=_percentile(busy, 0.5), unit="ms"),
        share(
            figure="live.ingest_beside_vs_alone",
            value=median(seconds["some", False]) / median(seconds["some", True]),
            target=SHARE_TARGET,
        ),
        share(
            figure="live.ingest_beside_vs_alone_all_listened",
            value=median(seconds["every", False]) / median(seconds["every", True]),
        ),
    ]


def _project(slug: str) -> Project:
    organisation = Organisation.objects.create(slug=slug, name="Bench")
    return Project.objects.create(organisation=organisation, slug="main", name="Main")


def _key(project: Project) -> str:
    return api_key_create(
        organisation=project.organisation, name="bench", projects=[project], permissions=["*"], tier="admin"
    ).secret


def _all_heard(heard: str, requests: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield requests with the key of the listeners' project."""
    return ((heard, body) for body in requests)


def _some_heard(heard: str, unheard: str, requests: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield requests with the key of the listeners' project as often as the target says, the others with nobody's."""
    begun, told = time.monotonic(), 0
    for body in requests:
        if told <= (time.monotonic() - begun) * EVENTS_A_SECOND:
            told += SPANS_A_REQUEST
            yield heard, body
        else:
            yield unheard, body


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
