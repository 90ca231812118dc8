"""Dashboards that ask every five seconds while spans arrive: the share of reads that cost no analytic statement."""

import http.client
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

from benchmarks.figures import Figure
from benchmarks.ingest import WARM_REQUESTS, load, requests_without_end
from benchmarks.requests import SPANS_A_REQUEST
from benchmarks.service import Running, service
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create

DASHBOARDS, PROJECTS, EVERY_SECONDS, FEWEST_POLLS = 20, 3, 5.0, 4
SPANS_A_SECOND = 500
TARGET = 0.8
# What one dashboard shows: figures of a day, of a week by day, the cost of a month, the newest calls.
READS = (
    "/api/v1/metrics/performance?start_time=now-24h",
    "/api/v1/metrics/performance?start_time=now-7d&granularity=1day",
    "/api/v1/metrics/summary?start_time=now-24h",
    "/api/v1/costs/summary?start_time=now-30d",
    "/api/v1/costs/breakdown?start_time=now-7d",
    "/api/v1/traces?limit=20",
)
_OK, _NOT_MODIFIED = 200, 304


def measure(spans: int) -> list[Figure]:
    """Return the share of reads that were answered from the cache or with 304 while `spans` arrived."""
    polls = max(FEWEST_POLLS, int(spans / SPANS_A_SECOND / EVERY_SECONDS))
    organisation = Organisation.objects.create(slug="bench-polling", name="Bench")
    projects = [Project.objects.create(organisation=organisation, slug=f"p{n}", name="P") for n in range(PROJECTS)]
    make = partial(api_key_create, organisation=organisation, name="bench", permissions=["*"], tier="admin")
    keys = [make(projects=[one]).secret for one in projects]
    stream = requests_without_end()
    answers: Counter[str] = Counter()
    with service() as running, ThreadPoolExecutor(DASHBOARDS + PROJECTS) as pool:
        for key in keys:
            load(running, key, islice(stream, WARM_REQUESTS))
        begin = time.monotonic() + EVERY_SECONDS
        seconds = EVERY_SECONDS * polls
        each = int(SPANS_A_SECOND * seconds / SPANS_A_REQUEST / PROJECTS)
        senders = [
            pool.submit(
                load, running, key, iter(list(islice(stream, each))), every=PROJECTS * SPANS_A_REQUEST / SPANS_A_SECOND
            )
            for key in keys
        ]
        # Nobody opened them at one moment.
        starts = [begin + EVERY_SECONDS * number / DASHBOARDS for number in range(DASHBOARDS)]
        viewers = [
            pool.submit(_watch, running, keys[number % PROJECTS], start, polls) for number, start in enumerate(starts)
        ]
        for viewer in viewers:
            answers.update(viewer.result())
        for sender in senders:
            sender.result()
    reads = answers.total()
    figure = partial(Figure, rows=int(SPANS_A_SECOND * seconds), unit="of reads", direction="at_least")
    return [
        figure(figure="polling.without_a_statement", value=(reads - answers["computed"]) / reads, target=TARGET),
        figure(figure="polling.not_modified", value=answers["not modified"] / reads),
        figure(figure="polling.from_the_cache", value=answers["kept"] / reads),
    ]


def _watch(running: Running, key: str, start: float, polls: int) -> Sequence[str]:
    """Ask for everything a dashboard shows, again and again, and return how each read was answered."""
    tags: dict[str, str] = {}
    answered = []
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    for number in range(polls):
        time.sleep(max(0.0, start + number * EVERY_SECONDS - time.monotonic()))
        for path in READS:
            known = {"If-None-Match": tags[path]} if path in tags else {}
            connection.request("GET", path, headers={"X-API-Key": key, "Accept-Encoding": "gzip", **known})
            reply = connection.getresponse()
            reply.read()
            if reply.status not in (_OK, _NOT_MODIFIED):
                raise RuntimeError(f"{path} was answered with {reply.status}")
            tags[path] = reply.headers["ETag"]
            is_kept = reply.headers.get("X-Cache") == "HIT"
            answered.append("not modified" if reply.status == _NOT_MODIFIED else "kept" if is_kept else "computed")
    connection.close()
    return answered
