"""Filling the price book."""

from dataclasses import asdict

from analytics.models import ModelPrice
from analytics.pricing.bundled import SOURCE, bundled_prices

_BATCH = 1000


def add_bundled_prices() -> int:
    """Fill the book with the bundled prices and return how many; a book that was filled before is left alone."""
    if ModelPrice.objects.filter(source=SOURCE).exists():
        return 0
    rows = [ModelPrice(source=SOURCE, **asdict(price)) for price in bundled_prices()]
    ModelPrice.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    return len(rows)
