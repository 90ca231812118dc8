"""The events of one organisation, from its log to whoever of its listeners they are for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from analytics.live.happenings import Fields, Happening, happening
from analytics.live.subscriptions import Subscriptions

if TYPE_CHECKING:
    from analytics.live.connections import Connection


class Feed:
    """What one organisation's listeners have in common: where the log was read up to, and who hears of what."""

    def __init__(self, organisation: UUID, position: bytes) -> None:
        self.organisation = organisation
        self.position = position
        self.subscriptions = Subscriptions()
        self.projects: dict[int, UUID] = {}
        self.connections: set[Connection] = set()

    def event(self, entry: bytes, fields: Fields) -> Happening:
        return happening(entry, fields, organisation=self.organisation, projects=self.projects)

    def tell_gap(self) -> None:
        """Tell every listener that events after the last that was read are missing."""
        for connection in self.connections:
            connection.say("gap", last_event_id=self.position.decode())

    def dispatch(self, entries: Iterable[tuple[bytes, Fields]]) -> None:
        for entry, fields in entries:
            self.position = entry
            event = self.event(entry, fields)
            for one in self.subscriptions.hearers(event):
                if one.held is None:
                    one.connection.offer(event)
                    continue
                if len(one.held) >= settings.STREAM_QUEUE_EVENTS:
                    one.connection.drop(one.held.popleft())
                one.held.append(event)
