"""Pages while others write: a row that stays is seen once, whatever comes and goes beside it."""

import itertools
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event

import orjson
import pytest
from django.db import connection, connections

from analytics.queries.selection import select
from analytics.queries.sorting import Sort
from analytics.queries.spans import SpanList, Spans, list_spans
from analytics.queries.timerange import TimeRange
from analytics.storage.partitions import ensure_days
from tests.analytics.storage.conftest import NOON, NOON_NS, committed, drop_day, insert_rows, owner

__all__ = ["committed", "drop_day", "owner"]
STAYING, COMING = 150, 20
WHERE = TimeRange(start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=1))


def row(organisation, number, chance):
    return {
        "organisation_id": organisation,
        "project_id": organisation,
        "ts": NOON_NS + chance.randrange(60) * 1_000_000_000,
        "trace_id": chance.randbytes(16),
        "span_id": number.to_bytes(8, "big"),
        "ingested_at": NOON_NS,
        "duration_ms": chance.randrange(5),
        "total_cost_nanousd": chance.choice([None, 1, 2]),
        "usage_counted": True,
        "call_counted": True,
        "span_name": "chat",
        "span_kind": "client",
        "status_code": "OK",
    }


def come_and_go(organisation, stop):
    """Insert spans and delete them again until told to stop; return how often."""
    chance, numbers = random.Random(9), itertools.count(10_000)
    rounds = 0
    try:
        while not stop.is_set():
            rows = [row(organisation, next(numbers), chance) for _ in range(COMING)]
            insert_rows(rows)
            with connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM llm_traces WHERE organisation_id = %s AND span_id = ANY(%s)"
                    " AND ts >= '2001-03-02' AND ts < '2001-03-03'",
                    [organisation, [one["span_id"] for one in rows[: COMING // 2]]],
                )
            rounds += 1
    finally:
        connections.close_all()
    return rounds


@pytest.mark.parametrize("descending", [True, False], ids=["desc", "asc"])
@pytest.mark.parametrize("key", ["ts", "duration_ms", "cost", "span_id"])
def test_a_walk_sees_every_row_that_stays_once_while_others_come_and_go(committed, drop_day, key, descending):
    (organisation,) = committed.projects
    ensure_days([NOON.date()])
    chance = random.Random(8)
    insert_rows([row(organisation, number, chance) for number in range(STAYING)])
    plan = SpanList(
        spans=Spans(scope=committed, range=WHERE),
        selection=select(["span_id"]),
        sort=Sort(key=key, descending=descending),
        limit=10,
        clock=NOON,
    )
    stop, seen = Event(), Counter()
    with ThreadPoolExecutor(max_workers=1) as pool:
        writer = pool.submit(come_and_go, organisation, stop)
        try:
            for _ in range(400):
                page = list_spans(plan)
                seen.update(one["span_id"] for one in orjson.loads(page.json))
                if page.next is None:
                    break
                plan = replace(plan, after=page.next)
                if len(seen) > STAYING * 2:  # new rows come faster than they are read
                    stop.set()
        finally:
            stop.set()
        assert writer.result() > 0
    staying = {number.to_bytes(8, "big").hex() for number in range(STAYING)}
    assert (staying - seen.keys(), {name: times for name, times in seen.items() if times > 1}) == (set(), {})
