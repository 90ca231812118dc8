"""What a span's attributes and events tell, by the table of vocabularies: facts, their sources, and the rest."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from analytics.ingest.documents import left_of
from analytics.ingest.plans import HELD, Dotted, Held, Plan, Reading, plan_of
from analytics.ingest.readers import json_object, parsed, tokens
from analytics.ingest.vocabularies.table import EVENTS, NAMED, RESOURCE, EventTarget, Named
from analytics.ingest.wire import RawScope, RawSpan

_MAPPED_RESOURCE = frozenset(name for _, names in RESOURCE for name in names)
# Before every rank of the table: nothing a span's attributes say is preferred.
_FROM_RESOURCE = -1
# Spans of one program have few sets of names between them; of a sender whose sets all differ only these are held.
_MOST_MERGED = 256


@dataclass(slots=True)  # not by name only, which costs twice as much to make: one is made for every span
class Facts:
    """`values` by member (dotted members already in their objects); `unreadable` are the counts told unusably."""

    values: dict[str, Any]
    sources: dict[str, str]
    ranks: dict[str, int]
    attributes: dict[str, Any]
    resource_attributes: dict[str, Any]
    events: list[dict[str, Any]]
    unreadable: set[str]

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


class OfResource(NamedTuple):
    """What a resource tells of all its spans: it is preferred to what a span says. `rest` is what tells no member."""

    values: dict[str, Any]
    sources: dict[str, str]
    ranks: dict[str, int]
    rest: dict[str, Any]


class Shared:
    """What spans that come one after another have in common, read once for all of them: nobody changes it."""

    __slots__ = ("_from_resource", "_merged", "_resource", "_scope", "_scope_told")

    def __init__(self) -> None:
        self._resource: Mapping[str, Any] | None = None
        self._from_resource = OfResource({}, {}, {}, {})
        # Plans by where they are, which is faster than by what they are, with the plan, so that it stays there.
        self._merged: dict[int, tuple[Plan, dict[str, str], dict[str, int]]] = {}
        self._scope: RawScope | None = None
        self._scope_told: dict[str, Any] = {}

    def resource(self, resource: Mapping[str, Any]) -> OfResource:
        """Return what a resource tells."""
        if resource is not self._resource:
            told = _told_by(resource)
            self._from_resource = OfResource(
                {member: resource[name] for member, name in told.items()},
                {member: f"resource {name}" for member, name in told.items()},
                dict.fromkeys(told, _FROM_RESOURCE),
                {
                    name: value
                    for name, value in resource.items()
                    if name not in _MAPPED_RESOURCE or not (isinstance(value, str) and value)
                },
            )
            self._resource = resource
            self._merged.clear()
        return self._from_resource

    def merged(self, plan: Plan) -> tuple[Plan, dict[str, str], dict[str, int]]:
        """Return sources and ranks of a span in which everything is read in the best way of `plan`, after the plan."""
        found = self._merged.get(id(plan))
        if found is None:
            told = self._from_resource
            if len(self._merged) >= _MOST_MERGED:
                self._merged.clear()
            found = self._merged[id(plan)] = plan, plan.sources | told.sources, plan.ranks | told.ranks
        return found

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
    attributes = raw.attributes
    plan = plan_of(attributes, size=raw.encoded_size)
    given: Mapping[Any, Any] = attributes
    if plan.spreads:
        given = {**attributes, **{spread.place: spread.gathered(attributes) for spread in plan.spreads}}
    values, missed = _read_best(given, plan)
    rest = {name: attributes[name] for name in plan.rest}
    told = shared.resource(raw.resource)
    if missed:
        facts = Facts(values, plan.sources.copy(), plan.ranks.copy(), rest, told.rest, [], set())
        _read_otherwise(missed, given, plan, facts)
        facts.sources.update(told.sources)
        facts.ranks.update(told.ranks)
    else:
        _, sources, ranks = shared.merged(plan)
        facts = Facts(values, sources.copy(), ranks.copy() if raw.events else ranks, rest, told.rest, [], set())
    values.update(told.values)
    if plan.keeps:
        _keep_rest(attributes, plan, facts)
    dotted: Iterable[Dotted] = plan.dotted
    if raw.events:
        _read_events(raw, facts)
        dotted = [Dotted.of(member) for member in values if "." in member]
    if dotted:
        _gather_objects(values, dotted)
    return facts


def _read_best(given: Mapping[Any, Any], plan: Plan) -> tuple[dict[str, Any], list[Reading]]:
    """Return the members that the best of their names tell, and the readings of those that it does not tell."""
    values: dict[str, Any] = {}
    missed: list[Reading] = []
    others: Iterable[Reading] = plan.readings
    for reading in plan.texts:
        value = given[reading[1]]
        if value.__class__ is str and value:
            values[reading[0]] = value
        else:
            others = (*others, reading)
    for reading in others:
        member, place, read, _ = reading
        value = given[place]
        if value is not None and (value := read(value)) is not None:
            values[member] = value
        else:
            missed.append(reading)
    return values, missed


def _read_otherwise(missed: Iterable[Reading], given: Mapping[Any, Any], plan: Plan, facts: Facts) -> None:
    """Read members that the best of their names do not tell, and keep attributes from which none can be read."""
    unread = []
    for member, best, read_best, others in missed:
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
    for spread in plan.spreads:
        if spread.place in unread:
            facts.attributes.update((name, given[name]) for name in spread.names())


def _keep_rest(attributes: Mapping[str, Any], plan: Plan, facts: Facts) -> None:
    """Keep among the attributes what is left of those from which a part was read."""
    kept = facts.attributes
    for held in plan.documents:
        value = attributes[held[0]]
        if value.__class__ is str and value[:1] == "[":
            continue  # messages, nearly always
        left = _left(held, value, facts, source=held.name)
        if left and held.name not in kept:
            kept[held.name] = left
    for name in plan.reasons:
        reasons = attributes[name]
        if reasons.__class__ is str and reasons[:1] == "[":
            reasons = parsed(reasons)
        if reasons.__class__ is list and len(reasons) > 1 and any(one != reasons[0] for one in reasons):
            kept[name] = attributes[name]
    for spread in plan.spreads:
        kept.update((name, attributes[name]) for name in spread.unread(attributes))


_MESSAGES = frozenset({"input_messages", "output_messages"})


def _left(held: Held, value: Any, facts: Facts, *, source: str, later: int = 0) -> dict[str, Any] | None:
    """Return the keys of a document that nothing is read from, unless it stays as a whole; note counts that are none.

    Members were read from `source`, with ranks that are `later` than the table's.
    """
    document = json_object(value)
    if document is None:
        return None
    taking = []
    has_messages = False
    for member, rank, read in held.targets:
        best = facts.ranks.get(member, rank + later)
        if best >= rank + later and read.is_unusable(document):
            facts.unreadable.add(member)
        if member not in _MESSAGES:
            taking.append(read)
        elif best < rank + later or facts.sources.get(member) == source:
            taking.append(read)
            has_messages = True
    if held.stays or held.whole or (held.plain and not has_messages):
        return None
    return left_of(document, (path for read in taking for path in read.takes(document)))


# Events that carry attributes of the span. They are read as such, after the span's own.
_CARRIERS = frozenset({"gen_ai.client.inference.operation.details"})
_AFTER_THE_SPAN = 1_000_000


def _read_carried(event: dict[str, Any], facts: Facts) -> None:
    rest = {}
    for name, value in event["attributes"].items():
        named = NAMED.get(name)
        is_read = False
        source = f"event {event['name']} {name}"
        for target in named.targets if named and value is not None else ():
            is_read |= facts.offer(target.member, target.rank + _AFTER_THE_SPAN, source, target.read, value)
        if not is_read:
            rest[name] = value
        elif name in HELD and (left := _left(HELD[name], value, facts, source=source, later=_AFTER_THE_SPAN)):
            rest[name] = left
    if rest:
        facts.events.append({**event, "attributes": rest})


def _read_events(raw: RawSpan, facts: Facts) -> None:
    told: dict[EventTarget, list[dict[str, Any]]] = {}
    for event in raw.events:
        for target in EVENTS.get(event["name"], ()):
            told.setdefault(target, []).append(event)
    read = {
        target
        for target, events in told.items()
        if facts.offer(target.member, target.rank, f"event {events[0]['name']}", target.read, events, raw.start_ns)
    }
    for event in raw.events:
        if event["name"] in _CARRIERS:
            _read_carried(event, facts)
            continue
        kept = event["attributes"]
        for target in EVENTS.get(event["name"], ()):
            if target.left is not None and target in read:
                kept = _unknown(target.left(event), event, raw, facts)
        if kept or kept is event["attributes"]:
            facts.events.append({**event, "attributes": kept})


def _unknown(left: dict[str, Any], event: dict[str, Any], raw: RawSpan, facts: Facts) -> dict[str, Any]:
    """Return what is `left` of an event and no repetition of its name or of what its span says."""
    known = {**raw.attributes, "event.name": event["name"]}
    return {
        name: value
        for name, value in left.items()
        if value != known.get(name) and not _is_told(NAMED.get(name), value, facts.values)
    }


def _is_told(named: Named | None, value: Any, values: dict[str, Any]) -> bool:
    return named is not None and any(
        (told := values.get(one.member)) is not None and told == one.read(value) for one in named.targets
    )


def _gather_objects(values: dict[str, Any], dotted: Iterable[Dotted]) -> None:
    """Put dotted members into their objects; what a name of its own says wins over a key of a whole object."""
    gathered: dict[str, dict[str, Any]] = {}
    for member, holder, key in dotted:
        if (value := values.pop(member, None)) is None:
            continue
        if holder not in gathered:
            whole = values.get(holder)
            gathered[holder] = {**whole} if isinstance(whole, dict) else {}
        gathered[holder][key] = value
    values.update(gathered)
