"""The events of one organisation, from its log to whoever of its listeners they are for."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from analytics.live.happenings import Fields, Happening, Origin, happening, origin
from analytics.live.subscriptions import Subscriptions

if TYPE_CHECKING:
    from analytics.live.connections import Connection


_MOST_ORIGINS = 1000  # that are remembered: a few of each project


class Feed:
    """What one organisation's listeners have in common: where the log was read up to, and who hears of what."""

    def __init__(self, organisation: UUID, position: bytes) -> None:
        self.organisation = organisation
        self.position = position
        self.subscriptions = Subscriptions()
        self._projects: dict[int, UUID] = {}
        self._origins: dict[tuple[bytes, bytes], Origin] = {}
        self.connections: set[Connection] = set()

    def show(self, projects: Mapping[int, UUID]) -> None:
        """Note the public names of projects that are in a listener's reach."""
        if not projects.items() <= self._projects.items():
            self._projects.update(projects)
            self._origins.clear()

    def event(self, entry: bytes, fields: Fields) -> Happening:
        told = (fields[b"type"], fields[b"project"])
        found = self._origins.get(told)
        if found is None:
            if len(self._origins) >= _MOST_ORIGINS:
                self._origins.clear()
            found = self._origins[told] = origin(*told, organisation=self.organisation, projects=self._projects)
        return happening(entry, fields, found)

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
