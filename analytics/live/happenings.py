"""An event as it was read from the log of its organisation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from analytics.registry.events import EVENT_TYPES
from errors.json import rfc3339

Fields = Mapping[bytes, bytes]
_NONE = frozenset[int]()  # the whole organisation


class Happening:
    """One event: where it stands in the log, its type, its projects' numbers, and its data, parsed and as text.

    Its forms on the wire are made once, however many listeners it goes to.
    """

    __slots__ = ("_at", "_frames", "data", "facts", "id", "projects", "type")

    def __init__(
        self,
        id: str,  # noqa: A002  what it is
        type: str,  # noqa: A002  what it is
        projects: frozenset[int],
        data: bytes,
        names: Mapping[str, str],
        *,
        at: datetime | None = None,
    ) -> None:
        self.id = id
        self.type = type
        self.projects = projects
        self.facts: Mapping[str, Any] = orjson.loads(data)
        self.data = _with_names(data, {name: value for name, value in names.items() if name not in self.facts})
        self._at = at
        self._frames: dict[str, str] = {}

    @property
    def at(self) -> str:
        """When it was written, in UTC."""
        instant = self._at or datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1000, tz=UTC)
        return rfc3339(instant, "milliseconds")

    def sse(self) -> str:
        """Return the event as Server-Sent Events write it."""
        frame = self._frames.get("sse")
        if frame is None:
            frame = self._frames["sse"] = f"id: {self.id}\nevent: {self.type}\ndata: {self.data.decode()}\n\n"
        return frame

    def message(self) -> str:
        """Return the event as a message of a WebSocket."""
        frame = self._frames.get("message")
        if frame is None:
            frame = self._frames["message"] = (
                f'{{"type":"event","id":"{self.id}","event_type":"{self.type}",'
                f'"data":{self.data.decode()},"timestamp":"{self.at}"}}'
            )
        return frame


def happening(entry: bytes, fields: Fields, *, organisation: UUID, projects: Mapping[int, UUID]) -> Happening:
    """Return the event of one entry of the log; `projects` are the public names of those in somebody's reach."""
    type_, told = fields[b"type"].decode(), fields[b"project"]
    of = frozenset(map(int, told.split(b","))) if told else _NONE
    names = {"org_id": str(organisation)}
    if len(of) == 1 and of <= projects.keys():
        names["project_id"] = str(projects[next(iter(of))])
    # A newer release may write types that nobody here can have asked for.
    members = EVENT_TYPES[type_].members if type_ in EVENT_TYPES else ()
    known = {name: value for name, value in names.items() if name in members}
    return Happening(entry.decode(), type_, of, fields[b"data"], known)


def _with_names(data: bytes, names: Mapping[str, str]) -> bytes:
    """Return the object with further members in front, without writing anew what it has: amounts stay as they are."""
    if not names:
        return data
    head = orjson.dumps(names)[:-1]
    return head + (b"}" if data == b"{}" else b"," + data[1:])
