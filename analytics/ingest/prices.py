"""The price book of this process, read again whenever the table has a newer row."""

from threading import Lock

from django.db import connection

from analytics.models import ModelPrice
from analytics.pricing.book import Price, PriceBook

_COLUMNS = (
    "id", "provider", "model_pattern", "service_tier", "min_prompt_tokens", "valid_from", "valid_to", "input",
    "output", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input", "audio_output", "reasoning",
)  # fmt: skip
_reading = Lock()
_held: tuple[int | None, PriceBook] = (None, PriceBook(()))


def current_price_book() -> PriceBook:
    """Return the price book as it stands in this transaction. Rows never change, so the newest id tells its version."""
    global _held  # noqa: PLW0603  one book per process; the tuple is replaced whole, so threads never see half of it
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM model_prices")
        newest: int | None = cursor.fetchone()[0]
    held_newest, book = _held
    if held_newest == newest:
        return book
    with _reading:  # a new process has many requests at once, and thousands of rows are read once for all of them
        held_newest, book = _held
        if held_newest != newest:
            book = PriceBook(Price(**row) for row in ModelPrice.objects.order_by("id").values(*_COLUMNS))
            _held = (newest, book)
    return book
