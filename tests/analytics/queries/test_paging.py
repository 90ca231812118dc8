"""Pages while others write: a row that stays is seen once, whatever comes and goes beside it."""

import itertools
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event
from uuid import UUID

import orjson
import pytest
from django.db import connection, connections

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.values import Limits
from analytics.queries.selection import select
from analytics.queries.snapshots import snapshot
from analytics.queries.sorting import RELEVANCE, Sort
from analytics.queries.spans import SpanList, Spans, list_spans
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import SORT_KEYS
from analytics.scope import ScopedProject
from analytics.storage.partitions import ensure_days, forget_days
from analytics.storage.searches import make_vectors
from tests.analytics.storage.conftest import DAY, NOON, NOON_NS, committed, drop_day, drop_days, insert_rows, owner

__all__ = ["committed", "drop_day", "owner"]
STAYING, COMING = 60, 10  # in each of two projects
WHERE = TimeRange(start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=1))
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def two(committed):
    """The scope of two projects of one organisation, which hold spans of the same ids."""
    ((number, project),) = committed.projects.items()
    other = ScopedProject(organisation_id=project.organisation_id, public_id=UUID(int=number + 1))
    return replace(committed, projects={number: project, number + 1: other})


def row(organisation, number, chance):
    """A span with few values in each column that is sorted by, and none in some where that may be."""
    return {
        "organisation_id": organisation,
        "project_id": organisation,
        "ts": NOON_NS + chance.randrange(60) * 1_000_000_000,
        "trace_id": chance.randbytes(16),
        "span_id": number.to_bytes(8, "big"),
        "ingested_at": NOON_NS,
        "duration_ms": chance.randrange(5),
        "ttft_ms": chance.choice([None, 1, 2]),
        "total_cost_nanousd": chance.choice([None, 1, 2]),
        "uncached_input_tokens": chance.choice([None, 3, 4]),
        "usage_counted": True,
        "call_counted": True,
        "span_name": "chat",
        "span_kind": "client",
        "input_text": " ".join(chance.choices(["refund", "order", "late"], k=6)),
        "status_code": chance.choice(["OK", "ERROR"]),
        "provider": chance.choice([None, "openai", "x"]),
        "model": chance.choice([None, "gpt-4o"]),
        "environment": chance.choice([None, "prod", "test"]),
    }


def rows_of(scope, numbers, chance):
    """Rows of these numbers, each in every project."""
    (organisation,) = {one.organisation_id for one in scope.projects.values()}
    one_each = [row(organisation, number, chance) for number in numbers]
    return [one | {"project_id": project} for one in one_each for project in scope.projects]


def keys_of(scope, numbers):
    return {
        (str(one.public_id), number.to_bytes(8, "big").hex()) for one in scope.projects.values() for number in numbers
    }


def first_page(scope, key, descending, where=WHERE):
    spans = Spans(scope=scope, range=where)
    if key == RELEVANCE:
        limits = Limits(depth=1, leaves=1, values=1, regex_chars=1, text_chars=99, now=NOON)
        node = read_filter(
            {"field": "content", "operator": "search", "value": "refund OR order OR late"}, limits=limits
        )
        spans = replace(spans, filter=node)
    return SpanList(
        spans=spans,
        selection=select(["project_id", "span_id"]),
        sort=Sort(key=key, descending=descending),
        limit=10,
        clock=NOON,
    )


def page_of(plan):
    """Return a page as a request of its own reads it: a search asks anew where the rows without a vector lie."""
    with snapshot():
        searches = searches_of(plan.spans.filter, scope=plan.spans.scope, where=plan.spans.range)
        return list_spans(replace(plan, spans=replace(plan.spans, searches=searches)))


def told_on(page):
    return [(one["project_id"], one["span_id"]) for one in orjson.loads(page.json)]


def come_and_go(scope, stop):
    """Insert spans, make their search vectors and delete them again until told to stop; return how often."""
    chance, numbers = random.Random(9), itertools.count(10_000)
    rounds = 0
    try:
        while not stop.is_set():
            rows = rows_of(scope, itertools.islice(numbers, COMING), chance)
            insert_rows(rows)
            if rounds % 2:
                make_vectors(of=DAY)
            with connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM llm_traces WHERE organisation_id = %s AND span_id = ANY(%s)"
                    " AND ts >= '2001-03-02' AND ts < '2001-03-03'",
                    [rows[0]["organisation_id"], [one["span_id"] for one in rows[:COMING]]],
                )
            rounds += 1
    finally:
        connections.close_all()
    return rounds


@pytest.mark.parametrize("descending", [True, False], ids=["desc", "asc"])
@pytest.mark.parametrize("key", [*SORT_KEYS, RELEVANCE])
def test_a_walk_sees_every_row_that_stays_once_while_others_come_and_go(two, drop_day, key, descending):
    ensure_days([NOON.date()])
    insert_rows(rows_of(two, range(STAYING), random.Random(8)))
    plan = first_page(two, key, descending)
    stop, seen = Event(), Counter()
    with ThreadPoolExecutor(max_workers=1) as pool:
        writer = pool.submit(come_and_go, two, stop)
        try:
            for _ in range(400):
                page = page_of(plan)
                seen.update(told_on(page))
                if page.next is None:
                    break
                plan = replace(plan, after=page.next)
                if len(seen) > STAYING * 4:  # new rows come faster than they are read
                    stop.set()
        finally:
            stop.set()
        assert writer.result() > 0
    staying = keys_of(two, range(STAYING))
    assert (staying - seen.keys(), {name: times for name, times in seen.items() if times > 1}) == (set(), {})


@pytest.fixture
def two_days(two, owner):
    """The scope of two projects whose spans are of two days; the first can expire."""
    drop_days(owner, [DAY, NEXT])
    ensure_days([DAY, NEXT])
    chance = random.Random(5)
    later = [
        one | {"ts": one["ts"] + 86_400 * 1_000_000_000} for one in rows_of(two, range(STAYING, 2 * STAYING), chance)
    ]
    insert_rows([*rows_of(two, range(STAYING), chance), *later])
    yield two
    drop_days(owner, [DAY, NEXT])
    forget_days()


@pytest.mark.parametrize("descending", [True, False], ids=["desc", "asc"])
@pytest.mark.parametrize("key", ["ts", "span_id", "ttft_ms", "cost"])
def test_pages_go_on_with_what_is_left_when_a_day_expires_between_them(two_days, owner, key, descending):
    plan = first_page(two_days, key, descending, TimeRange(start=WHERE.start, end=WHERE.end + timedelta(days=1)))
    expired, seen = keys_of(two_days, range(STAYING)), []
    for number in range(2 * 2 * STAYING // plan.limit):
        if number == 3:
            drop_days(owner, [DAY])
            before = set(seen)
        page = list_spans(plan)
        seen += told_on(page)
        if page.next is None:
            break
        plan = replace(plan, after=page.next)

    assert page.next is None
    assert keys_of(two_days, range(STAYING, 2 * STAYING)) <= set(seen)
    assert (len(seen), expired & (set(seen) - before)) == (len(set(seen)), set())
