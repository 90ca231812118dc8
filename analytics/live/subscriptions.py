"""Who hears of an event: subscriptions found by what they filter for, not by asking each of them.

Those with the same filter, such as everybody who looks at one page, are asked once.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

from analytics.live.filters import EQUALITIES, EventFilter
from analytics.live.happenings import Happening

if TYPE_CHECKING:
    from collections import deque

    from analytics.live.connections import Connection
    from analytics.live.thresholds import Watch

Key = tuple[str, str | None] | None
Alike = dict[EventFilter, dict["Subscription", None]]


class Subscription:
    """What one listener asked to hear of, from the entry after `since` on.

    While older ones are replayed to it, the events of now wait in `held`.
    """

    __slots__ = ("connection", "events", "filter", "held", "id", "since", "watch")

    def __init__(
        self,
        connection: "Connection",
        events: frozenset[str],
        filter: EventFilter,  # noqa: A002  its name
        *,
        since: bytes,
        held: "deque[Happening] | None" = None,
    ) -> None:
        self.id = f"sub_{uuid4().hex[:16]}"
        self.connection = connection
        self.events = events
        self.filter = filter
        self.since = since
        self.held = held
        self.watch: Watch | None = None


class Subscriptions:
    """The subscriptions to one organisation, by type of event and the first equality of their filters."""

    def __init__(self) -> None:
        self._by_type: dict[str, dict[Key, Alike]] = {}

    def add(self, one: Subscription) -> None:
        for event_type in one.events:
            keyed = self._by_type.setdefault(event_type, {}).setdefault(one.filter.key, {})
            keyed.setdefault(one.filter, {})[one] = None

    def remove(self, one: Subscription) -> None:
        for event_type in one.events:
            keyed = self._by_type[event_type]
            found = keyed[one.filter.key]
            del found[one.filter][one]
            if not found[one.filter]:
                del found[one.filter]
            if not found:
                del keyed[one.filter.key]

    def hearers(self, event: Happening) -> Iterator[Subscription]:
        """Yield the subscriptions that `event` is for."""
        keyed = self._by_type.get(event.type)
        if not keyed:
            return
        for key in (None, *((name, event.facts.get(name)) for name in EQUALITIES)):
            for wanted, alike in keyed.get(key, {}).items():
                if wanted.passes(event):
                    yield from alike
