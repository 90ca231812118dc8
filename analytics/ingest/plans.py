"""How the attributes of a span are read: decided once for all spans that come with the same names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from analytics.ingest.readers import Reader, any_text, text
from analytics.ingest.vocabularies.table import NAMED, Item, Key, place_of

# Spans of one program have few sets of names between them. What a hostile sender makes up is not kept, or forgotten.
_KNOWN_PLANS, _MOST_CHARS = 256, 65_536
# A name of an attribute, or the rank of a list that is spread over names.
Place = str | int
_rank = attrgetter("rank")


class Way(NamedTuple):
    """One way to tell a member: `read` what is at `place`; `source` is what it is called in `mapping_sources`."""

    place: Place
    read: Reader
    source: str
    rank: int


class Spread(NamedTuple):
    """A list that is spread over names: for each of its items, in order, the names of its fields."""

    place: int
    items: tuple[tuple[tuple[str, str], ...], ...]

    def gathered(self, attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the items."""
        return [{field: attributes[name] for field, name in fields} for fields in self.items]


class Reading(NamedTuple):
    """A member with the best way to tell it, and the others, best first."""

    member: str
    place: Place
    read: Reader
    others: tuple[Way, ...]


class Dotted(NamedTuple):
    """A member that is a key of an object, which is a member itself."""

    member: str
    holder: str
    key: str

    @classmethod
    def of(cls, member: str) -> "Dotted":
        """Return the parts of a member with a dot."""
        holder, _, key = member.partition(".")
        return cls(member, holder, key)


# Most values are texts that these return as they are: no reader is called for them.
_OF_TEXT = frozenset({text, any_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is read, lists to be gathered before, and the names that no member is read from.

    `texts` are readings that return a text, unless it is empty, as it is. `sources` and `ranks` are those of each
    member that is read in the best way.
    """

    texts: tuple[Reading, ...]
    readings: tuple[Reading, ...]
    sources: dict[str, str]
    ranks: dict[str, int]
    spreads: tuple[Spread, ...]
    rest: tuple[str, ...]
    dotted: tuple[Dotted, ...]


def plan_of(attributes: Mapping[str, Any], *, size: int) -> Plan:
    """Return the plan for attributes of these names, which are at most `size` long together."""
    return _made(tuple(attributes)) if size > _MOST_CHARS else _kept(tuple(attributes))


def _made(names: Sequence[str]) -> Plan:
    ways: dict[str, list[Way]] = {}
    lists: dict[int, dict[int, list[tuple[str, str]]]] = {}
    rest: list[str] = []
    for name in names:
        if (named := NAMED.get(name)) is not None:
            for target in named.targets:
                ways.setdefault(target.member, []).append(Way(name, target.read, name, target.rank))
            if named.stays:
                rest.append(name)
            continue
        place = place_of(name)
        if isinstance(place, Item):
            if place.rank not in lists:
                way = Way(place.rank, place.row.read, f"{place.row.prefix}.N", place.rank)
                ways.setdefault(place.row.member, []).append(way)
            lists.setdefault(place.rank, {}).setdefault(place.index, []).append((place.field, name))
        elif isinstance(place, Key):
            ways.setdefault(place.member, []).append(Way(name, _as_is, name, place.rank))
        else:
            rest.append(name)
    ordered = {member: sorted(found, key=_rank) for member, found in ways.items()}
    readings = [Reading(member, best.place, best.read, tuple(others)) for member, (best, *others) in ordered.items()]
    return Plan(
        texts=tuple(reading for reading in readings if reading.read in _OF_TEXT),
        readings=tuple(reading for reading in readings if reading.read not in _OF_TEXT),
        sources={member: best.source for member, (best, *_) in ordered.items()},
        ranks={member: best.rank for member, (best, *_) in ordered.items()},
        spreads=tuple(Spread(rank, _in_order(items)) for rank, items in lists.items()),
        rest=tuple(rest),
        dotted=tuple(Dotted.of(member) for member in ways if "." in member),
    )


_kept = lru_cache(maxsize=_KNOWN_PLANS)(_made)


def _in_order(items: Mapping[int, list[tuple[str, str]]]) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(tuple(items[index]) for index in sorted(items))


def _as_is(value: Any) -> Any:
    return value
