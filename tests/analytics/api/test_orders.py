"""Lists in every order, a page at a time."""

import itertools
import random

import pytest

from tests.analytics.api.asking import LIST, error, leaf, talk
from tests.analytics.api.payloads import NS, now_ns

SORTS = ("ts", "trace_id", "span_id", "provider", "model", "total_tokens", "total_cost_usd", "cost", "duration_ms",
         "ttft_ms", "status_code", "environment", "relevance")  # fmt: skip


@pytest.fixture
def many(send):
    """Spans with few values in each column, some without, at few moments."""
    chance, start = random.Random(4), now_ns() - 600 * NS
    attributes = itertools.cycle([{}, {"gen_ai.request.model": "unknown-1"}, {"gen_ai.request.model": None}])
    send(*(
        talk(f"s{number}", chance.choice(["invoice", "invoice invoice", "an invoice for a very long list of words"]),
             start_ns=start - number // 4 * NS, duration_ms=chance.choice([5, 50]),
             attributes=next(attributes) | {"gen_ai.response.time_to_first_chunk": chance.choice([None, 0.2, 0.3])})
        for number in range(17)
    ))  # fmt: skip


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_every_order_are_the_whole_list(api, many, sort, order):
    url = {
        "sort_by": sort,
        "sort_order": order,
        "search": "invoice",
        "fields": f"span_id,{'ts' if sort == 'relevance' else sort}",
    }
    whole = api.get(LIST, url).json()["data"]
    paged, cursor = [], None
    for _ in range(10):
        page = api.get(LIST, url | {"limit": 4} | ({"cursor": cursor} if cursor else {})).json()
        paged += page["data"]
        cursor = page["pagination"].get("cursor")
        if cursor is None:
            break
    values = [one.get(sort) for one in whole]
    known = [value for value in values if value is not None]
    assert (len(whole), paged) == (17, whole)
    assert values == sorted(known, reverse=order == "desc") + [None] * (len(values) - len(known)) or sort == "relevance"


def test_a_total_is_of_the_whole_range(api, search, many):
    first = api.get(LIST, {"limit": 2, "include": "total"}).json()["pagination"]
    second = search(leaf("duration_ms", "gte", 0), limit=2, include=["total"]).json()["pagination"]
    assert (first["total"], second["total"], first["has_more"]) == (17, 17, True)


def test_a_search_is_ascending_and_pages(search, many):
    first = search(None, limit=9, fields=["ts", "span_id"]).json()
    second = search(None, limit=9, fields=["ts", "span_id"], cursor=first["pagination"]["cursor"]).json()
    read = [*first["data"], *second["data"]]
    assert (len(read), read) == (17, sorted(read, key=lambda one: one["ts"]))
    assert error(search(leaf("model", "eq", "x"), cursor=first["pagination"]["cursor"])) == (400, 1207, "cursor")
