"""The price books of this process, read again whenever the table has a newer row of whom they are for."""

from collections import OrderedDict
from threading import Lock

from django.db import connection

from analytics.models import ModelPrice
from analytics.pricing.book import RATES, Price, PriceBook
from analytics.pricing.bundled import SOURCE

EVERYBODY = 0
_COLUMNS = (
    "id", "provider", "model_pattern", "service_tier", "min_prompt_tokens", "valid_from", "valid_to", *RATES, "source",
)  # fmt: skip
_MOST_ORGANISATIONS = 256
Versions = tuple[int | None, int | None]
_reading = Lock()
# Organisation -> the newest rows its book was made of, and the book. Values are replaced whole, so threads that read
# without the lock never see half of one. 0 is everybody's book, over which the others lie.
_held: OrderedDict[int, tuple[Versions, PriceBook]] = OrderedDict()


def current_price_book(organisation_id: int) -> PriceBook:
    """Return an organisation's price book as it stands in this transaction: its own rows over everybody's.

    Rows never change, so the newest ids tell the version.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT max(id) FROM model_prices WHERE organisation_id = 0),
                (SELECT max(id) FROM model_prices WHERE organisation_id = %s)
            """,
            [organisation_id],
        )
        shared, own = cursor.fetchone()
    versions: Versions = (shared, own if organisation_id != EVERYBODY else None)
    held = _held.get(organisation_id)
    if held is not None and held[0] == versions:
        return held[1]
    with _reading:  # a new process has many requests at once, and thousands of rows are read once for all of them
        return _book(organisation_id, versions)


class PinnedBooks:
    """The books as they were when `newest` was the newest row of all, for work that takes longer than a transaction."""

    def __init__(self, *, newest: int) -> None:
        self._newest = newest
        self._shared = PriceBook(price_rows(EVERYBODY, until=newest))
        self._own: dict[int, PriceBook] = {}

    def of(self, organisation_id: int) -> PriceBook:
        """Return the book of an organisation."""
        if organisation_id not in self._own:
            self._own[organisation_id] = PriceBook(price_rows(organisation_id, until=self._newest), over=self._shared)
        return self._own[organisation_id]


def _book(organisation_id: int, versions: Versions) -> PriceBook:
    held = _held.get(organisation_id)
    if held is not None and held[0] == versions:
        return held[1]
    shared, own = versions
    if organisation_id == EVERYBODY:
        book = PriceBook(price_rows(EVERYBODY, until=shared or 0))
    else:
        beneath = _book(EVERYBODY, (shared, None))
        book = beneath if own is None else PriceBook(price_rows(organisation_id, until=own), over=beneath)
    _held[organisation_id] = (versions, book)
    while len(_held) > _MOST_ORGANISATIONS:
        _held.pop(next(one for one in _held if one != EVERYBODY))
    return book


def price_rows(organisation_id: int, *, until: int | None = None) -> list[Price]:
    """Return an organisation's own rows (0: everybody's), those of the package before those that somebody put in.

    Of two that say the same the later one holds, so the package never takes a correction back. With `until` rows after
    that one are left out.
    """
    found = ModelPrice.objects.filter(organisation_id=organisation_id).order_by("id")
    if until is not None:
        found = found.filter(id__lte=until)
    return sorted((Price(**row) for row in found.values(*_COLUMNS)), key=lambda price: price.source != SOURCE)
