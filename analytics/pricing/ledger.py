"""What a call is put down for: its cost by the price that it names, or why it has none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from analytics.pricing.arithmetic import NO_PART_PRICE, cost
from analytics.pricing.book import DEFAULT_TIER, PriceBook
from analytics.pricing.usage import Usage

NO_PRICE: Literal["no_price"] = "no_price"
NO_USAGE: Literal["no_usage"] = "no_usage"
REASONS = (NO_PRICE, NO_PART_PRICE, NO_USAGE)


class Entry(NamedTuple):
    """Nano-dollars of a span, the price version that made them and the parts they add up from; or why there are none.

    A span that is no model call and has no usage has neither.
    """

    price_id: int | None = None
    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    breakdown: Mapping[str, int] | None = None
    unpriced_reason: str | None = None


NOTHING = Entry()
_WITHOUT = {reason: Entry(unpriced_reason=reason) for reason in REASONS}


def entry(
    book: PriceBook,
    usage: Usage | None,
    *,
    is_call: bool,
    provider: str | None,
    models: tuple[str | None, ...],
    tier: str | None,
    at: datetime,
) -> Entry:
    """Return the entry of a span by the price that `book` has for it at its start.

    `models` are who answered and who was asked.
    """
    if usage is None:
        return _WITHOUT[NO_USAGE] if is_call else NOTHING
    price = book.find(provider=provider, models=models, tier=tier or DEFAULT_TIER, at=at, prompt_tokens=usage.prompt)
    if price is None:
        return _WITHOUT[NO_PRICE]
    costed = cost(usage, price)
    if isinstance(costed, str):
        return _WITHOUT[NO_PART_PRICE]
    return Entry(price.id, costed.prompt, costed.completion, costed.total, costed.breakdown)
