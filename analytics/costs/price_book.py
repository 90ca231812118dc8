"""Filling the price book."""

from dataclasses import asdict

from analytics.models import ModelPrice
from analytics.pricing.bundled import bundled_prices

BUNDLED = "genai-prices"
_BATCH = 1000


def add_bundled_prices() -> int:
    """Add the bundled prices that the book lacks and return how many; prices that are there are left alone."""
    if ModelPrice.objects.filter(source=BUNDLED).exists():
        return 0
    rows = [ModelPrice(source=BUNDLED, **asdict(price)) for price in bundled_prices()]
    ModelPrice.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    return len(rows)
