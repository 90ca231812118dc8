"""Importing prices: what is new, what corrects a row, what says nothing new; then the rows are added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from analytics.costs.price_book import adding_prices, prices_add
from analytics.costs.price_files import Line, Rejected, read_price_file
from analytics.ingest.prices import EVERYBODY, price_rows
from analytics.pricing.book import RATES, Price, PriceRow
from analytics.pricing.bundled import SOURCE, bundled_prices
from analytics.storage.exclusive import RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row to add: `before` is the price version that it corrects, `None` for one that is new."""

    number: int
    row: PriceRow
    before: Price | None

    @property
    def differences(self) -> dict[str, tuple[object, object]]:
        """What differs from the row before, by column."""
        names = ("valid_to", *RATES)
        pairs = {name: (getattr(self.before, name, None), getattr(self.row, name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import found, and unless something was rejected or it was a dry run, did."""

    new: Sequence[Change]
    changed: Sequence[Change]
    unchanged: int
    rejected: Sequence[Rejected]
    added: int


def prices_import(
    path: Path, *, valid_from: datetime | None, organisation_id: int = EVERYBODY, dry_run: bool
) -> Imported:
    """Add the rows of a file that say something new; with one line rejected nothing is added."""
    lines, rejected = read_price_file(path, valid_from=valid_from)
    if not lines and not rejected:
        raise RefusedError(f"{path} holds no prices.")
    return _imported(lines, rejected, source=path.name, organisation_id=organisation_id, dry_run=dry_run)


def prices_refresh(*, dry_run: bool) -> Imported:
    """Add what the installed genai-prices says other than when it was last imported; its rows give way to others."""
    lines = [Line(number=number, row=row) for number, row in enumerate(bundled_prices(), start=1)]
    return _imported(lines, (), source=SOURCE, organisation_id=EVERYBODY, dry_run=dry_run)


def _imported(
    lines: Sequence[Line], rejected: Sequence[Rejected], *, source: str, organisation_id: int, dry_run: bool
) -> Imported:
    with adding_prices():
        # A package is compared with what it said before: where somebody knew better, that stays.
        held = {price.key: price for price in price_rows(organisation_id) if source != SOURCE or price.source == SOURCE}
        changes = [Change(number=one.number, row=one.row, before=held.get(one.row.key)) for one in lines]
        wanted = [one for one in changes if one.before is None or one.before.said != one.row.said]
        added: list[int] = []
        if not dry_run and not rejected:
            added = prices_add([one.row for one in wanted], source=source, organisation_id=organisation_id)
    return Imported(
        new=[one for one in wanted if one.before is None],
        changed=[one for one in wanted if one.before is not None],
        unchanged=len(changes) - len(wanted),
        rejected=rejected,
        added=len(added),
    )
