"""What a span's attributes and events tell, by the table of vocabularies: facts, their sources, and the rest."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.ingest.plans import Plan, Reading, plan_of
from analytics.ingest.readers import tokens
from analytics.ingest.vocabularies.table import EVENTS, NAMED, RESOURCE, EventTarget
from analytics.ingest.wire import RawScope, RawSpan

_MAPPED_RESOURCE = frozenset(name for _, names in RESOURCE for name in names)
# Before every rank of the table: nothing a span's attributes say is preferred.
_FROM_RESOURCE = -1


@dataclass(slots=True, kw_only=True)
class Facts:
    """`values` by member (dotted members already in their objects); `unreadable` are the counts told unusably."""

    sources: dict[str, str]
    ranks: dict[str, int]
    attributes: dict[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    resource_attributes: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def offer(self, member: str, rank: int, source: str, read: Callable[..., Any], *given: Any) -> bool:
        """Take `member` from `given` unless a name with a lower rank told it; return whether that can be read.

        Events come after attributes, so what an attribute told may be outdone.
        """
        known = self.ranks.get(member)
        if known is not None and known < rank:
            return True
        value = read(*given)
        if value is None:
            self.missed(member, read)
            return False
        self.values[member] = value
        self.sources[member] = source
        self.ranks[member] = rank
        return True

    def missed(self, member: str, read: Callable[..., Any]) -> None:
        """Note that a count cannot be read; of a document that may hold a count nothing is expected."""
        if read is tokens:
            self.unreadable.add(member)


class Shared:
    """What spans that come one after another have in common, resource and scope, read once for all of them."""

    __slots__ = ("_from_resource", "_resource", "_scope", "_scope_told")

    def __init__(self) -> None:
        self._resource: Mapping[str, Any] | None = None
        self._from_resource: tuple[dict[str, Any], dict[str, str], dict[str, int], dict[str, Any]] = ({}, {}, {}, {})
        self._scope: RawScope | None = None
        self._scope_told: dict[str, Any] = {}

    def add_resource(self, resource: Mapping[str, Any], facts: Facts) -> None:
        """Add what the span's resource tells to `facts`: it is preferred. Its attributes belong to all spans."""
        if resource is not self._resource:
            told = _told_by(resource)
            self._from_resource = (
                {member: resource[name] for member, name in told.items()},
                {member: f"resource {name}" for member, name in told.items()},
                dict.fromkeys(told, _FROM_RESOURCE),
                {name: value for name, value in resource.items() if name not in _MAPPED_RESOURCE},
            )
            self._resource = resource
        values, sources, ranks, facts.resource_attributes = self._from_resource
        facts.values.update(values)
        facts.sources.update(sources)
        facts.ranks.update(ranks)

    def scope(self, scope: RawScope) -> dict[str, Any]:
        """Return what is kept of the scope; it belongs to all spans."""
        if scope is not self._scope:
            told = {
                "name": scope.name,
                "version": scope.version,
                "attributes": scope.attributes,
                "schema_url": scope.schema_url,
            }
            self._scope_told = {key: value for key, value in told.items() if value}
            self._scope = scope
        return self._scope_told


def _told_by(resource: Mapping[str, Any]) -> dict[str, str]:
    """Return the name that each member is read from, of those that a resource can tell."""
    usable = {name for name in _MAPPED_RESOURCE if isinstance(value := resource.get(name), str) and value}
    found = {member: next((name for name in names if name in usable), None) for member, names in RESOURCE}
    return {member: name for member, name in found.items() if name is not None}


def read_facts(raw: RawSpan, shared: Shared) -> Facts:
    """Return the facts of a span; an attribute nothing could be read from stays among the attributes."""
    plan = plan_of(raw.attributes, size=raw.encoded_size)
    facts = _read_attributes(raw.attributes, plan)
    shared.add_resource(raw.resource, facts)
    if raw.events:
        _read_events(raw, facts)
    dotted: Iterable[str] = [member for member in facts.values if "." in member] if raw.events else plan.dotted
    if dotted:
        _gather_objects(facts.values, dotted)
    return facts


def _read_attributes(attributes: Mapping[str, Any], plan: Plan) -> Facts:
    facts = Facts(
        sources=plan.sources.copy(),
        ranks=plan.ranks.copy(),
        attributes={name: attributes[name] for name in plan.rest},
    )
    given: Mapping[Any, Any] = attributes
    if plan.spreads:
        given = {**attributes, **{spread.place: spread.gathered(attributes) for spread in plan.spreads}}
    values = facts.values
    missed = []
    for reading in plan.readings:
        member, place, as_is, read, _ = reading
        value = given[place]
        if (value.__class__ is as_is and value) or (value is not None and (value := read(value)) is not None):
            values[member] = value
        else:
            missed.append(reading)
    if missed:
        _read_otherwise(missed, given, facts)
    return facts


def _read_otherwise(missed: Iterable[Reading], given: Mapping[Any, Any], facts: Facts) -> None:
    """Read members that the best of their names do not tell, and keep attributes from which none can be read."""
    unread = []
    for member, best, _, read_best, others in missed:
        del facts.sources[member], facts.ranks[member]
        if given[best] is not None:
            unread.append(best)
            facts.missed(member, read_best)
        for place, read, source, rank in others:
            if given[place] is None:
                continue
            if facts.offer(member, rank, source, read, given[place]):
                break
            unread.append(place)
    for name, times in Counter(unread).items():
        if name in NAMED and times == len(NAMED[name].targets):
            facts.attributes[name] = given[name]


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


def _gather_objects(values: dict[str, Any], dotted: Iterable[str]) -> None:
    """Put dotted members into their objects; what a name of its own says wins over a key of a whole object."""
    gathered: dict[str, dict[str, Any]] = {}
    for member in dotted:
        if member not in values:
            continue
        holder, _, key = member.partition(".")
        if holder not in gathered:
            whole = values.get(holder)
            gathered[holder] = {**whole} if isinstance(whole, dict) else {}
        gathered[holder][key] = values.pop(member)
    values.update(gathered)
