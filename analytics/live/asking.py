"""What a listener may ask for, read from query parameters and from messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analytics.api import bodies
from analytics.api.bodies import Member
from analytics.api.common import PROJECTS, plain_text
from analytics.api.parameters import Parameter, names, number, text
from analytics.live.filters import EQUALITIES, EventFilter
from analytics.live.listeners import Listener
from analytics.live.thresholds import read_thresholds
from analytics.registry.events import EVENT_TYPES
from errors.catalog import INVALID_FIELD_FORMAT
from errors.exceptions import ApiError

_LONGEST_VALUE = 1000
_POSITION_DIGITS = 20


def position(name: str, value: str) -> str:
    """Read the id of an event."""
    milliseconds, dash, place = value.partition("-")
    if not (dash and _is_number(milliseconds) and _is_number(place)):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="the id of an event, as it was sent")
    return value


def _is_number(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) < _POSITION_DIGITS and int(digits) < 2**63


_BOUNDS = {"min_cost": "Least cost in US dollars.", "min_duration_ms": "Least duration in milliseconds."}
FILTER_PARAMETERS = (
    *(plain_text(name, f"Only events with this {name}.") for name in EQUALITIES),
    PROJECTS,
    *(
        Parameter(name=name, read=number(low=0), schema={"type": "number", "minimum": 0}, description=description)
        for name, description in _BOUNDS.items()
    ),
)
LAST_EVENT_ID = Parameter(
    name="last_event_id",
    read=position,
    schema={"type": "string"},
    description="The id of the last event that was received: those after it are sent first. Also `Last-Event-ID`.",
)
TICKET = Parameter(
    name="ticket",
    read=text(longest=_LONGEST_VALUE),
    schema={"type": "string"},
    description="A ticket from `POST /api/v1/events/ticket`, for clients that cannot send headers.",
)
EVENT_PARAMETERS = (
    Parameter(
        name="events",
        read=names(most=len(EVENT_TYPES), allowed=tuple(EVENT_TYPES)),
        schema={"type": "string"},
        required=True,
        description=f"Types of events, separated by commas: {', '.join(EVENT_TYPES)}.",
    ),
    *FILTER_PARAMETERS,
    LAST_EVENT_ID,
    TICKET,
)

_TEXT = bodies.text(longest=_LONGEST_VALUE, shortest=1)
_FILTERS = (
    *(Member(name=name, read=_TEXT, schema={"type": "string"}) for name in EQUALITIES),
    Member(name="project_id", read=bodies.read_by(PROJECTS.read), schema=PROJECTS.schema, default=()),
    *(Member(name=name, read=bodies.number(low=Decimal(0)), schema={"type": "number"}) for name in _BOUNDS),
)
_EVENTS = bodies.texts(most=len(EVENT_TYPES), longest=64, allowed=tuple(EVENT_TYPES))


def _some_events(name: str, value: Any) -> tuple[str, ...]:
    found: tuple[str, ...] = _EVENTS(name, value)
    if not found:
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="at least one type of events")
    return found


_TYPE = Member(name="type", read=bodies.anything, schema={"type": "string"})
SUBSCRIBE = (
    _TYPE,
    Member(name="events", read=_some_events, schema={"type": "array"}, required=True),
    Member(name="filters", read=bodies.object_of(_FILTERS), schema={"type": "object"}),
    Member(name="thresholds", read=read_thresholds, schema={"type": "array"}, default=()),
    Member(name="last_event_id", read=bodies.read_by(position), schema={"type": "string"}),
)
UNSUBSCRIBE = (
    _TYPE,
    Member(name="subscription_id", read=_TEXT, schema={"type": "string"}),
    Member(name="events", read=_some_events, schema={"type": "array"}),
)
PING = (_TYPE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a subscription is to hear of, and the event after which it resumes."""

    events: tuple[str, ...]
    filter: EventFilter
    last_event_id: str | None = None


def asked(
    listener: Listener, events: tuple[str, ...], filters: Mapping[str, Any], last_event_id: str | None, *, whole: bool
) -> Asked:
    """Return a subscription of validated values; raise 403/1101 for a project beyond the listener's."""
    named: tuple[str, ...] = filters.get("project_id") or ()
    return Asked(
        events=events,
        filter=EventFilter(
            projects=frozenset(listener.scope(named).projects),
            named=bool(named),
            whole=whole and not named,
            equal={name: filters[name] for name in EQUALITIES if filters.get(name) is not None},
            min_cost=filters.get("min_cost"),
            min_duration_ms=filters.get("min_duration_ms"),
        ),
        last_event_id=last_event_id,
    )
