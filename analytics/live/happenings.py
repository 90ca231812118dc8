"""An event as it was read from the log of its organisation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from analytics.registry.events import EVENT_TYPES
from errors.json import rfc3339

Fields = Mapping[bytes, bytes]
_NONE = frozenset[int]()  # the whole organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all events of one type and the same projects have in common.

    `names` are the public ones of organisation and project, where data of the type have them.
    """

    type: str
    projects: frozenset[int]
    names: Mapping[str, str]


def origin(told_type: bytes, told_projects: bytes, *, organisation: UUID, projects: Mapping[int, UUID]) -> Origin:
    """Return the origin that an entry tells of; `projects` are the public names of those in somebody's reach."""
    type_ = told_type.decode()
    of = frozenset(map(int, told_projects.split(b","))) if told_projects else _NONE
    names = {"org_id": str(organisation)}
    if len(of) == 1 and of <= projects.keys():
        names["project_id"] = str(projects[next(iter(of))])
    # A newer release may write types that nobody here can have asked for.
    members = EVENT_TYPES[type_].members if type_ in EVENT_TYPES else ()
    return Origin(type=type_, projects=of, names={name: value for name, value in names.items() if name in members})


class Happening:
    """One event: where it stands in the log, its type, its projects' numbers, and its data, parsed and as text.

    Its forms on the wire are made once, however many listeners it goes to, and not for one that nobody hears of.
    """

    __slots__ = ("_at", "_message", "_names", "_sse", "_told", "facts", "id", "projects", "type")

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
        self._told = data
        self._names = names
        self._at = at
        self._sse: str | None = None
        self._message: str | None = None

    @property
    def data(self) -> bytes:
        """Its data as JSON, with the public names that they lack."""
        return _with_names(self._told, {name: one for name, one in self._names.items() if name not in self.facts})

    @property
    def at(self) -> str:
        """When it was written, in UTC."""
        instant = self._at or datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1000, tz=UTC)
        return rfc3339(instant, "milliseconds")

    def sse(self) -> str:
        """Return the event as Server-Sent Events write it."""
        if self._sse is None:
            self._sse = f"id: {self.id}\nevent: {self.type}\ndata: {self.data.decode()}\n\n"
        return self._sse

    def message(self) -> str:
        """Return the event as a message of a WebSocket."""
        if self._message is None:
            self._message = (
                f'{{"type":"event","id":"{self.id}","event_type":"{self.type}",'
                f'"data":{self.data.decode()},"timestamp":"{self.at}"}}'
            )
        return self._message


def happening(entry: bytes, fields: Fields, origin: Origin) -> Happening:
    """Return the event of one entry of the log."""
    return Happening(entry.decode(), origin.type, origin.projects, fields[b"data"], origin.names)


def _with_names(data: bytes, names: Mapping[str, str]) -> bytes:
    """Return the object with further members in front, without writing anew what it has: amounts stay as they are."""
    if not names:
        return data
    head = orjson.dumps(names)[:-1]
    return head + (b"}" if data == b"{}" else b"," + data[1:])
