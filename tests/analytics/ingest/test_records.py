"""The price of a span is the one that was valid when it started."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from analytics.ingest.records import priced
from analytics.pricing.book import Price, PriceBook
from analytics.pricing.ledger import Entry
from tests.analytics.ingest.spans import SECOND, START_NS, normal

CHANGE = datetime.fromtimestamp(START_NS // SECOND, tz=UTC)
OLD = Price(id=1, provider="acme", model_pattern="one", valid_from=datetime(2020, 1, 1, tzinfo=UTC), valid_to=CHANGE,
            input=Decimal(1), output=Decimal(1))  # fmt: skip
NEW = Price(id=2, provider="acme", model_pattern="one", valid_from=CHANGE, input=Decimal(2), output=Decimal(2))
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "acme",
    "gen_ai.request.model": "one",
    "gen_ai.usage.input_tokens": 1_000_000,
}


@pytest.mark.parametrize(
    ("start_ns", "price"), [(START_NS - 1, OLD), (START_NS, NEW)], ids=["a nanosecond before", "at"]
)
def test_a_span_that_starts_around_a_change_has_the_price_of_its_side(start_ns, price):
    span = normal(CALL, start_ns=start_ns, end_ns=start_ns + SECOND)

    made = priced(span, PriceBook([OLD, NEW]))
    assert (made.price_id, made.total) == (price.id, int(price.input) * 10**9)


def test_a_call_without_a_price_says_so():
    assert priced(normal(CALL), PriceBook([])) == Entry(unpriced_reason="no_price")


def test_a_call_without_usage_says_so():
    told = {name: value for name, value in CALL.items() if name != "gen_ai.usage.input_tokens"}

    assert priced(normal(told), PriceBook([NEW])) == Entry(unpriced_reason="no_usage")


def test_a_span_that_is_no_call_has_neither_cost_nor_reason():
    assert priced(normal({"gen_ai.operation.name": "execute_tool"}), PriceBook([NEW])) == Entry()
