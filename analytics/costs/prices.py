"""Reading the price book: the rows that an organisation's calls can be priced by, and their history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.ingest.prices import EVERYBODY, current_price_book
from analytics.pricing.book import Price, matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPrice:
    """A row of the book, and whether it is everybody's."""

    price: Price
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePage:
    """Some of the rows, and how many there are."""

    prices: Sequence[ListedPrice]
    total: int


def prices_list(
    *,
    organisation_id: int,
    provider: str | None,
    model: str | None,
    at: datetime | None,
    offset: int,
    limit: int,
) -> PricePage:
    """Return rows of everybody's book and the organisation's own, by provider, pattern, tier, threshold and start.

    `model` keeps the rows whose pattern matches that name. With `at` there are only rows that hold at that time;
    without it there is also what was before, what comes later and what was corrected.
    """
    shared = current_price_book(EVERYBODY)
    book = current_price_book(organisation_id)
    found = [ListedPrice(price=price, shared=True) for price in _chosen(shared.prices, at)]
    if book is not shared:
        found += [ListedPrice(price=price, shared=False) for price in _chosen(book.prices, at)]
    matches: dict[str, bool] = {}

    def wanted(price: Price) -> bool:
        if provider is not None and price.provider != provider:
            return False
        if model is None:
            return True
        if price.model_pattern not in matches:
            matches[price.model_pattern] = model == price.model_pattern or bool(matcher(price.model_pattern)(model))
        return matches[price.model_pattern]

    rows = sorted((one for one in found if wanted(one.price)), key=lambda one: (*one.price.key, one.price.id))
    return PricePage(prices=rows[offset : offset + limit], total=len(rows))


def _chosen(prices: Iterable[Price], at: datetime | None) -> Iterable[Price]:
    """Return the rows that hold at a time: of those that say the same the last, of several starts the latest."""
    if at is None:
        return prices
    held: dict[tuple[str, str, str, int], Price] = {}
    for price in {price.key: price for price in prices}.values():
        if price.valid_from <= at and (price.valid_to is None or at < price.valid_to):
            series = price.key[:4]
            if series not in held or held[series].valid_from < price.valid_from:
                held[series] = price
    return held.values()
