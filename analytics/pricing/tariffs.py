"""What a price says of each part of a call, as fractions of nano-dollars: worked out once for a row of the book."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from analytics.pricing.usage import PARTS

NANO_PER_DOLLAR = 1_000_000_000
# A price in dollars per million tokens is a thousand times as many nano-dollars per token.
_NANO_PER_TOKEN = 1000
# Part -> the prices that it can have, first one set. Audio is never text: without its own price it has none.
_PRICES: Mapping[str, tuple[str, ...]] = {
    "uncached_input": ("input",),
    "cache_read": ("cache_read", "input"),
    "cache_write_5m": ("cache_write_5m", "input"),
    "cache_write_1h": ("cache_write_1h", "input"),
    "audio_input": ("audio_input",),
    "visible_output": ("output",),
    "reasoning": ("reasoning", "output"),
    "audio_output": ("audio_output",),
}
INPUT_PARTS = PARTS.index("visible_output")
Rate = tuple[int, int]


class Tariff(NamedTuple):
    """Nano-dollars of one token of each part, `None` for one without a price; and those of a request, rounded.

    Parts are those of a usage, in its order.
    """

    parts: tuple[tuple[str, Rate | None], ...]
    request: int | None


def tariff(rates: Mapping[str, Decimal | None]) -> Tariff:
    """Return the tariff of a row's prices, by the names of their columns."""
    parts = tuple((part, _rate([rates[name] for name in _PRICES[part]])) for part in PARTS)
    request = rates["per_request"]
    return Tariff(
        parts, None if request is None else rounded(*(Fraction(request) * NANO_PER_DOLLAR).as_integer_ratio())
    )


def _rate(prices: list[Decimal | None]) -> Rate | None:
    price = next((price for price in prices if price is not None), None)
    return None if price is None else (Fraction(price) * _NANO_PER_TOKEN).as_integer_ratio()


def rounded(numerator: int, denominator: int) -> int:
    """Return the nearest integer, of two the even one."""
    whole, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and whole % 2)
    return whole + 1 if up else whole
