"""All vocabularies in one table: where each name goes, and which name of a member is tried first."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from analytics.ingest.readers import Reader
from analytics.ingest.spread import INDEX
from analytics.ingest.vocabularies import (
    frameworks,
    openinference,
    openllmetry,
    otel_genai,
    other,
    platforms,
    vercel,
)
from analytics.ingest.vocabularies.rows import AnyRow, Event, EventRow, IndexedRow, OpenRow, Row

# The order in which names of one member are tried.
ROWS: tuple[AnyRow, ...] = (
    *otel_genai.ROWS,
    *openinference.ROWS,
    *openllmetry.ROWS,
    *other.ROWS,
    *vercel.ROWS,
    *frameworks.ROWS,
    *platforms.ROWS,
    *other.LAST_ROWS,
)
RESOURCE = otel_genai.RESOURCE
# No name of any vocabulary is near this; longer ones are not looked at, so that the cache below stays small.
_LONGEST_NAME = 256
# Ranks of one row's names are below those of the next row.
_MOST_NAMES = 100
_KNOWN_NAMES = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """One member that a name can tell; of several names the one with the lowest rank is tried first."""

    rank: int
    member: str
    read: Reader


@dataclass(frozen=True, slots=True)
class Named:
    """A name by itself."""

    targets: tuple[Target, ...]
    stays: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A name that is one field of one item of a list."""

    rank: int
    row: IndexedRow
    index: int
    field: str


@dataclass(frozen=True, slots=True)
class Key:
    """A name that is one key of an object."""

    rank: int
    member: str


@dataclass(frozen=True, slots=True)
class EventTarget:
    """One member that events can tell."""

    rank: int
    member: str
    read: Callable[[Sequence[Event], int], Any]
    left: Callable[[Event], dict[str, Any]] | None


def _named() -> dict[str, Named]:
    targets: dict[str, dict[str, Target]] = {}
    staying: set[str] = set()
    for rank, row in enumerate(ROWS):
        if not isinstance(row, Row):
            continue
        for place, name in enumerate(row.names):
            # Vocabularies share names; the first place in the order counts.
            target = Target(rank * _MOST_NAMES + place, row.member, row.read)
            targets.setdefault(name, {}).setdefault(row.member, target)
        staying.update(row.names if row.stays else ())
    return {name: Named(tuple(members.values()), name in staying) for name, members in targets.items()}


def _events() -> dict[str, tuple[EventTarget, ...]]:
    targets: dict[str, tuple[EventTarget, ...]] = {}
    for rank, row in enumerate(ROWS):
        if isinstance(row, EventRow):
            target = EventTarget(rank * _MOST_NAMES, row.member, row.read, row.left)
            for name in row.names:
                targets[name] = (*targets.get(name, ()), target)
    return targets


NAMED = _named()
EVENTS = _events()
_SPREAD: dict[str, list[tuple[int, IndexedRow | OpenRow]]] = {}
for _rank, _row in enumerate(ROWS):
    if isinstance(_row, (IndexedRow, OpenRow)):
        _SPREAD.setdefault(_row.prefix, []).append((_rank * _MOST_NAMES, _row))
# The row of each list, by its rank.
SPREAD_ROWS = {rank: row for rows in _SPREAD.values() for rank, row in rows if isinstance(row, IndexedRow)}
_PREFIXES = "|".join(re.escape(prefix) for prefix in sorted(_SPREAD, key=len, reverse=True))
_OPENING = re.compile(rf"({_PREFIXES})\.(.+)", re.DOTALL)
_INDEXED = re.compile(rf"({INDEX})\.(.+)", re.DOTALL)


def place_of(name: str) -> Item | Key | None:
    """Return where an attribute goes that is not in `NAMED`; `None` when no vocabulary knows it."""
    if len(name) > _LONGEST_NAME or (opening := _OPENING.match(name)) is None:
        return None
    return _spread_place(opening[1], opening[2])


@lru_cache(maxsize=_KNOWN_NAMES)
def _spread_place(prefix: str, rest: str) -> Item | Key | None:
    item = _INDEXED.fullmatch(rest)
    for rank, row in _SPREAD[prefix]:
        if isinstance(row, OpenRow):
            return Key(rank, f"{row.member}.{rest}")
        if item is not None and item[2].startswith(row.fields):
            return Item(rank, row, int(item[1]), item[2])
    return None
