"""Filling the price book. Rows are only ever added, one writer at a time: the newest id tells the book's version."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from django.db import connection, transaction

from analytics.ingest.prices import EVERYBODY
from analytics.models import ModelPrice
from analytics.pricing.book import PriceRow
from analytics.pricing.bundled import SOURCE, bundled_prices

_BATCH = 1000


def add_bundled_prices() -> int:
    """Fill the book with the bundled prices and return how many; a book that was filled before is left alone."""
    with adding_prices():
        if ModelPrice.objects.filter(source=SOURCE).exists():
            return 0
        rows = bundled_prices()
        prices_add(rows, source=SOURCE)
    return len(rows)


@contextmanager
def adding_prices() -> Iterator[None]:
    """Be the only one who adds prices until the transaction ends: ids become visible in their order."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('llm-observatory prices'))")
        yield


def prices_add(rows: Sequence[PriceRow], *, source: str, organisation_id: int = EVERYBODY) -> list[int]:
    """Add `rows` in their order and return their price versions; the caller is in `adding_prices`."""
    made = [ModelPrice(source=source, organisation_id=organisation_id, **asdict(row)) for row in rows]
    return [price.id for price in ModelPrice.objects.bulk_create(made, batch_size=_BATCH)]
