"""The overview of a month: the page with all its charts against the slowest statement behind it, and what travels."""

import gzip
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection, transaction
from django.test import Client

from benchmarks.figures import Figure
from benchmarks.filled import Filled, filled
from benchmarks.loading import ORGANISATION, PROJECTS
from benchmarks.run import Run
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import member_create

DAYS, REPETITIONS = 30, 5
SLUG = "bench-pages"
PATH = f"/app/o/{SLUG}/overview"
JUDGED_FROM = 10_000_000  # of fewer spans the statements are too quick to say anything of the page
SLOWEST_TARGET, TRANSFER_TARGET_KB = 10.0, 300.0
_ASSETS = re.compile(r'(?:src|<link[^>]* href)="([^"]+)"')


def measure(run: Run) -> Iterator[Figure]:
    """Yield the figures of every size on every engine."""
    for server in run.servers:
        for spans in sorted(run.sizes):
            yield from _of_store(filled(server, spans))


def _of_store(store: Filled) -> Iterator[Figure]:
    figure = partial(Figure, rows=store.what.spans, engine=store.store.engine)
    with store.store.chosen(), _member() as browser:
        times, slowest = zip(*(_asked(browser, store.what.end, turn) for turn in range(REPETITIONS + 1)), strict=True)
        travels = _kilobytes(browser, _query(store.what.end, 0))
    page, statement = (statistics.median(values[1:]) for values in (times, slowest))  # the first is there to be warm
    yield figure(figure="pages.overview", value=page * 1000, unit="ms")
    yield figure(figure="pages.overview.slowest_statement", value=statement * 1000, unit="ms")
    target = SLOWEST_TARGET if store.what.spans >= JUDGED_FROM else None
    yield figure(figure="pages.overview_vs_slowest_statement", value=page / statement, unit="x", target=target)
    yield figure(figure="pages.overview.transfer", value=travels, unit="kB", target=TRANSFER_TARGET_KB)


@contextmanager
def _member() -> Iterator[Client]:
    """Give the browser of a member who sees all projects of the store, which knows nothing of them afterwards."""
    with transaction.atomic():
        organisation = Organisation.objects.create(id=ORGANISATION, slug=SLUG, name="Bench")
        projects = [
            Project.objects.create(
                id=number, public_id=UUID(int=number), organisation=organisation, slug=f"p{number}", name=f"P{number}"
            )
            for number in PROJECTS
        ]
        member = member_create(
            organisation=organisation, username=SLUG, password=SLUG, role="developer", projects=projects
        )
        browser = Client(headers={"Accept-Encoding": "gzip"})
        browser.force_login(member.user)
        yield browser
        transaction.set_rollback(True)


def _query(end: datetime, turn: int) -> str:
    """Return the range of a month that no other turn has asked for."""
    start = end - timedelta(days=DAYS) + timedelta(minutes=turn)
    return urlencode({"start_time": start.isoformat(), "end_time": end.isoformat()})


def _asked(browser: Client, end: datetime, turn: int) -> tuple[float, float]:
    """Return the seconds of a page that nobody has asked for before, and of its slowest statement."""
    slowest = 0.0

    def timed(execute: Any, *arguments: Any) -> Any:
        nonlocal slowest
        begun = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            slowest = max(slowest, time.perf_counter() - begun)

    begun = time.perf_counter()
    with connection.execute_wrapper(timed):
        reply = browser.get(f"{PATH}?{_query(end, turn)}")
    if reply.status_code != 200:  # noqa: PLR2004  OK
        raise RuntimeError(f"The page was answered {reply.status_code}.")
    return time.perf_counter() - begun, slowest


def _kilobytes(browser: Client, query: str) -> float:
    """Return what a browser that has nothing yet takes of the page and all that it names, compressed."""
    page = browser.get(f"{PATH}?{query}")
    names = set(_ASSETS.findall(gzip.decompress(page.content).decode()))
    return sum(map(len, (page.content, *(_body(browser.get(name)) for name in names)))) / 1000


def _body(reply: Any) -> bytes:
    return b"".join(reply.streaming_content) if reply.streaming else reply.content
