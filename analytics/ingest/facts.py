"""What a span's attributes and events tell, by the table of vocabularies: facts, their sources, and the rest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from analytics.ingest.vocabularies.table import EVENTS, RESOURCE, EventTarget, Item, Key, Named, place_of
from analytics.ingest.wire import RawSpan

if TYPE_CHECKING:
    from analytics.ingest.vocabularies.rows import IndexedRow

# Rank, the source as it is shown, how to read it and from what, the attribute to keep when nothing can be read from it.
_Candidate = tuple[int, str, Callable[..., Any], tuple[Any, ...], str | None]
_rank = itemgetter(0)
_MAPPED_RESOURCE = frozenset(name for _, names in RESOURCE for name in names)


@dataclass(slots=True)
class Facts:
    """`values` by member (dotted members already in their objects); `unreadable` are the members told unusably."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    resource_attributes: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)


def read_facts(raw: RawSpan) -> Facts:
    """Return the facts of a span; an attribute nothing could be read from stays among the attributes."""
    facts = Facts()
    candidates: dict[str, list[_Candidate]] = {}
    _sort_attributes(raw, facts, candidates)
    if raw.events:
        _sort_events(raw, facts, candidates)
    _read_resource(raw, facts)
    read: set[str] = set()
    unread: set[str] = set()
    for member, found in candidates.items():
        if member in facts.values:
            continue
        if len(found) > 1:
            found.sort(key=_rank)
        for _, source, reader, given, name in found:
            value = reader(*given)
            if value is not None:
                facts.values[member] = value
                facts.sources[member] = source
                if name is not None:
                    read.add(name)
                break
            if name is not None:
                unread.add(name)
                facts.unreadable.add(member)
    for name in unread - read:
        facts.attributes[name] = raw.attributes[name]
    _gather_objects(facts)
    return facts


def _sort_attributes(raw: RawSpan, facts: Facts, candidates: dict[str, list[_Candidate]]) -> None:
    lists: dict[str, tuple[int, IndexedRow, dict[int, dict[str, Any]]]] = {}
    for name, value in raw.attributes.items():
        place = place_of(name)
        if type(place) is Named:
            if place.stays:
                facts.attributes[name] = value
            if value is not None:
                for target in place.targets:
                    candidates.setdefault(target.member, []).append((target.rank, name, target.read, (value,), name))
        elif type(place) is Item:
            items = lists.setdefault(place.row.prefix, (place.rank, place.row, {}))[2]
            items.setdefault(place.index, {})[place.field] = value
        elif type(place) is Key:
            candidates.setdefault(place.member, []).append((place.rank, name, _as_is, (value,), None))
        else:
            facts.attributes[name] = value
    for prefix, (rank, row, items) in lists.items():
        in_order = [items[index] for index in sorted(items)]
        candidates.setdefault(row.member, []).append((rank, f"{prefix}.N", row.read, (in_order,), None))


def _sort_events(raw: RawSpan, facts: Facts, candidates: dict[str, list[_Candidate]]) -> None:
    told: dict[EventTarget, list[dict[str, Any]]] = {}
    for event in raw.events:
        targets = EVENTS.get(event["name"], ())
        for target in targets:
            told.setdefault(target, []).append(event)
        if not any(target.leaves for target in targets):
            facts.events.append(event)
    for target, events in told.items():
        source = f"event {events[0]['name']}"
        candidates.setdefault(target.member, []).append(
            (target.rank, source, target.read, (events, raw.start_ns), None)
        )


def _as_is(value: Any) -> Any:
    return value


def _read_resource(raw: RawSpan, facts: Facts) -> None:
    resource = raw.resource
    for member, names in RESOURCE:
        for name in names:
            value = resource.get(name)
            if isinstance(value, str) and value:
                facts.values[member] = value
                facts.sources[member] = f"resource {name}"
                break
    facts.resource_attributes = {name: value for name, value in resource.items() if name not in _MAPPED_RESOURCE}


def _gather_objects(facts: Facts) -> None:
    """Put dotted members into their objects; what a name of its own says wins over a key of a whole object."""
    values = facts.values
    for member in [member for member in values if "." in member]:
        holder, _, key = member.partition(".")
        whole = values.get(holder)
        values[holder] = {**whole, key: values[member]} if isinstance(whole, dict) else {key: values[member]}
        del values[member]
