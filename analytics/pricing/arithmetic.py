"""The cost of a call: tokens times price and the price of the request, exact, in whole nano-dollars."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from analytics.pricing.book import PriceRow
from analytics.pricing.usage import Usage

NO_PART_PRICE: Literal["no_part_price"] = "no_part_price"
# The part of a breakdown that is not tokens.
REQUEST = "request"
_NANO_PER_DOLLAR = 1_000_000_000
# A price in dollars per million tokens is a thousand times as many nano-dollars per token.
_NANO_PER_TOKEN = 1000
_REMEMBERED_PRICES = 4096

# Part -> the prices that it can have, first one set. Audio is never text: without its own price it has none.
_INPUT_PARTS = (
    ("uncached_input", ("input",)),
    ("cache_read", ("cache_read", "input")),
    ("cache_write_5m", ("cache_write_5m", "input")),
    ("cache_write_1h", ("cache_write_1h", "input")),
    ("audio_input", ("audio_input",)),
)
_OUTPUT_PARTS = (
    ("visible_output", ("output",)),
    ("reasoning", ("reasoning", "output")),
    ("audio_output", ("audio_output",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Nano-dollars of a call; `breakdown` holds the parts that there were and adds up to the total."""

    prompt: int
    completion: int
    breakdown: dict[str, int]

    @property
    def total(self) -> int:
        """Prompt, completion and request together."""
        return self.prompt + self.completion + self.breakdown.get(REQUEST, 0)


class _NoPartPriceError(Exception):
    """A part has tokens and no price."""


def cost(usage: Usage, price: PriceRow) -> Cost | Literal["no_part_price"]:
    """Return the cost of `usage`, or why there is none.

    Each part is tokens x price / 1,000,000, rounded half-even to whole nano-dollars; sums are of rounded parts. Cache
    reads and writes without a price take the input's, reasoning takes the output's. A price of the request is added
    once, whatever its tokens.
    """
    try:
        prompt = _parts(usage, price, _INPUT_PARTS)
        completion = _parts(usage, price, _OUTPUT_PARTS)
    except _NoPartPriceError:
        return NO_PART_PRICE
    breakdown = {**prompt, **completion}
    if price.per_request is not None:
        breakdown[REQUEST] = _rounded(*_request_ratio(price.per_request))
    return Cost(prompt=sum(prompt.values()), completion=sum(completion.values()), breakdown=breakdown)


def _parts(usage: Usage, price: PriceRow, parts: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, int]:
    return {part: _nano(tokens, _price(price, names)) for part, names in parts if (tokens := getattr(usage, part))}


def _price(price: PriceRow, names: tuple[str, ...]) -> Decimal:
    for name in names:
        found: Decimal | None = getattr(price, name)
        if found is not None:
            return found
    raise _NoPartPriceError


def _nano(tokens: int, price: Decimal) -> int:
    numerator, denominator = _ratio(price)
    return _rounded(tokens * numerator, denominator)


def _rounded(numerator: int, denominator: int) -> int:
    """Return the nearest integer, of two the even one."""
    whole, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and whole % 2)
    return whole + 1 if up else whole


@lru_cache(maxsize=_REMEMBERED_PRICES)
def _ratio(price: Decimal) -> tuple[int, int]:
    """Return nano-dollars per token as a fraction of integers."""
    numerator, denominator = price.as_integer_ratio()
    return numerator * _NANO_PER_TOKEN, denominator


@lru_cache(maxsize=_REMEMBERED_PRICES)
def _request_ratio(price: Decimal) -> tuple[int, int]:
    """Return the nano-dollars of a request as a fraction of integers."""
    numerator, denominator = price.as_integer_ratio()
    return numerator * _NANO_PER_DOLLAR, denominator
