"""What a span's attributes and events tell, by the table of vocabularies: facts, their sources, and the rest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analytics.ingest.readers import tokens
from analytics.ingest.vocabularies.table import EVENTS, NAMED, RESOURCE, EventTarget, Item, Key, place_of
from analytics.ingest.wire import RawSpan

if TYPE_CHECKING:
    from analytics.ingest.vocabularies.rows import IndexedRow

_MAPPED_RESOURCE = frozenset(name for _, names in RESOURCE for name in names)
# Before every rank of the table: nothing a span's attributes say is preferred.
_FROM_RESOURCE = -1


@dataclass(slots=True)
class Facts:
    """`values` by member (dotted members already in their objects); `unreadable` are the counts told unusably."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    resource_attributes: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def offer(self, member: str, rank: int, source: str, read: Callable[..., Any], *given: Any) -> bool:
        """Take `member` from `given` unless a name with a lower rank told it; return whether that can be read.

        Names come in any order, so one may be read and outdone later; what counts is the usable one tried first.
        """
        known = self.ranks.get(member)
        if known is not None and known < rank:
            return True
        value = read(*given)
        if value is None:
            # Of a document that may hold a count nothing is expected.
            if read is tokens:
                self.unreadable.add(member)
            return False
        self.values[member] = value
        self.sources[member] = source
        self.ranks[member] = rank
        return True


def read_facts(raw: RawSpan) -> Facts:
    """Return the facts of a span; an attribute nothing could be read from stays among the attributes."""
    facts = Facts()
    _read_resource(raw, facts)
    _read_attributes(raw, facts)
    if raw.events:
        _read_events(raw, facts)
    _gather_objects(facts)
    return facts


def _read_resource(raw: RawSpan, facts: Facts) -> None:
    resource = raw.resource
    for member, names in RESOURCE:
        for name in names:
            value = resource.get(name)
            if isinstance(value, str) and value:
                facts.values[member] = value
                facts.sources[member] = f"resource {name}"
                facts.ranks[member] = _FROM_RESOURCE
                break
    facts.resource_attributes = {name: value for name, value in resource.items() if name not in _MAPPED_RESOURCE}


def _read_attributes(raw: RawSpan, facts: Facts) -> None:
    lists: dict[int, tuple[IndexedRow, dict[int, dict[str, Any]]]] = {}
    offer, rest = facts.offer, facts.attributes
    for name, value in raw.attributes.items():
        if (named := NAMED.get(name)) is not None:
            is_read = value is None
            if value is not None:
                for target in named.targets:
                    is_read |= offer(target.member, target.rank, name, target.read, value)
            if named.stays or not is_read:
                rest[name] = value
            continue
        place = place_of(name)
        if type(place) is Item:
            items = lists.setdefault(place.rank, (place.row, {}))[1]
            items.setdefault(place.index, {})[place.field] = value
        elif type(place) is Key:
            offer(place.member, place.rank, name, _as_is, value)
        else:
            rest[name] = value
    for rank, (row, items) in lists.items():
        offer(row.member, rank, f"{row.prefix}.N", row.read, [items[index] for index in sorted(items)])


def _as_is(value: Any) -> Any:
    return value


# Events that carry attributes of the span. They are read as such, after the span's own.
_CARRIERS = frozenset({"gen_ai.client.inference.operation.details"})
_AFTER_THE_SPAN = 1_000_000


def _read_carried(event: dict[str, Any], facts: Facts) -> None:
    rest = {}
    for name, value in event["attributes"].items():
        named = NAMED.get(name)
        is_read = False
        for target in named.targets if named and value is not None else ():
            source = f"event {event['name']} {name}"
            is_read |= facts.offer(target.member, target.rank + _AFTER_THE_SPAN, source, target.read, value)
        if not is_read:
            rest[name] = value
    if rest:
        facts.events.append({**event, "attributes": rest})


def _read_events(raw: RawSpan, facts: Facts) -> None:
    told: dict[EventTarget, list[dict[str, Any]]] = {}
    for event in raw.events:
        if event["name"] in _CARRIERS:
            _read_carried(event, facts)
            continue
        targets = EVENTS.get(event["name"], ())
        for target in targets:
            told.setdefault(target, []).append(event)
        if not any(target.leaves for target in targets):
            facts.events.append(event)
    for target, events in told.items():
        source = f"event {events[0]['name']}"
        facts.offer(target.member, target.rank, source, target.read, events, raw.start_ns)


def _gather_objects(facts: Facts) -> None:
    """Put dotted members into their objects; what a name of its own says wins over a key of a whole object."""
    values = facts.values
    for member in [member for member in values if "." in member]:
        holder, _, key = member.partition(".")
        whole = values.get(holder)
        values[holder] = {**whole, key: values[member]} if isinstance(whole, dict) else {key: values[member]}
        del values[member]
