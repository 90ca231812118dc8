"""Prices that are valid by default."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from analytics.pricing.book import Price

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def price(**said: Any) -> Price:
    """Return a price of openai's gpt-4o that has always held; rates may be given as text."""
    given = {
        "id": 1,
        "provider": "openai",
        "model_pattern": "gpt-4o",
        "valid_from": datetime(1970, 1, 1, tzinfo=UTC),
        "input": "2.5",
        "output": "10",
    } | said
    return Price(**{name: Decimal(value) if name in RATES and value else value for name, value in given.items()})


RATES = {
    "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input", "audio_output", "reasoning",
    "per_request",
}  # fmt: skip
