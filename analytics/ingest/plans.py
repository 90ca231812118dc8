"""How the attributes of a span are read: decided once for all spans that come with the same names."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from analytics.ingest.documents import DocumentReader
from analytics.ingest.readers import Reader, any_text, finish, text
from analytics.ingest.vocabularies.table import NAMED, SPREAD_ROWS, Item, Key, Named, place_of

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
    """A list that is spread over names: for each of its items, in order, the names of its fields.

    `left` tells of an item which fields nothing is read from, if that can be so.
    """

    place: int
    items: tuple[tuple[tuple[str, str], ...], ...]
    left: Callable[[Mapping[str, Any]], Iterable[str]] | None

    def gathered(self, attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the items."""
        return [{field: attributes[name] for field, name in fields} for fields in self.items]

    def names(self) -> Iterator[str]:
        """Yield the names of all its fields."""
        return (name for fields in self.items for _, name in fields)

    def unread(self, attributes: Mapping[str, Any]) -> Iterator[str]:
        """Yield the names that nothing is read from."""
        for fields in self.items if self.left else ():
            unread = set(self.left({field: attributes[name] for field, name in fields}) if self.left else ())
            yield from (name for field, name in fields if field in unread)


class Held(NamedTuple):
    """A name whose value can be a document: who reads parts of it, and whether it stays anyhow.

    `whole` is one that is kept as a whole in a member, `plain` one that is where no messages are read.
    """

    name: str
    targets: tuple[tuple[str, int, DocumentReader], ...]
    whole: bool
    plain: bool
    stays: bool


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
    member that is read in the best way. Of `documents` something may be left, and of lists of `reasons` to end;
    `keeps` says whether there is any of these, or a list that is spread.
    """

    texts: tuple[Reading, ...]
    readings: tuple[Reading, ...]
    sources: dict[str, str]
    ranks: dict[str, int]
    spreads: tuple[Spread, ...]
    rest: tuple[str, ...]
    dotted: tuple[Dotted, ...]
    documents: tuple[Held, ...]
    reasons: tuple[str, ...]
    keeps: bool


def plan_of(attributes: Mapping[str, Any], *, size: int) -> Plan:
    """Return the plan for attributes of these names, which are at most `size` long together."""
    return _made(tuple(attributes)) if size > _MOST_CHARS else _kept(tuple(attributes))


def _made(names: Sequence[str]) -> Plan:
    ways: dict[str, list[Way]] = {}
    lists: dict[int, dict[int, list[tuple[str, str]]]] = {}
    rest: list[str] = []
    documents: list[Held] = []
    reasons: list[str] = []
    for name in names:
        if (named := NAMED.get(name)) is not None:
            for target in named.targets:
                ways.setdefault(target.member, []).append(Way(name, target.read, name, target.rank))
            if named.stays:
                rest.append(name)
            if name in HELD:
                documents.append(HELD[name])
            elif name in _REASONS:
                reasons.append(name)
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
        spreads=tuple(Spread(rank, _in_order(items), SPREAD_ROWS[rank].left) for rank, items in lists.items()),
        rest=tuple(rest),
        dotted=tuple(Dotted.of(member) for member in ways if "." in member),
        documents=tuple(documents),
        reasons=tuple(reasons),
        keeps=bool(documents or reasons or lists),
    )


# What is read as a whole is kept only where no messages are read.
_PLAIN = frozenset({"input_plain", "output_plain"})


def _held(name: str, named: Named) -> Held | None:
    readers = tuple((one.member, one.rank, one.read) for one in named.targets if isinstance(one.read, DocumentReader))
    if not readers:
        return None
    whole = {one.member for one in named.targets if not isinstance(one.read, DocumentReader)}
    return Held(name, readers, bool(whole - _PLAIN), bool(whole & _PLAIN), named.stays)


HELD = {name: held for name, named in NAMED.items() if (held := _held(name, named)) is not None}
_REASONS = frozenset(name for name, named in NAMED.items() if any(one.read is finish for one in named.targets))
_kept = lru_cache(maxsize=_KNOWN_PLANS)(_made)


def _in_order(items: Mapping[int, list[tuple[str, str]]]) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(tuple(items[index]) for index in sorted(items))


def _as_is(value: Any) -> Any:
    return value
