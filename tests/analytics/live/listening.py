"""A listener, its stream and the events of its organisation, without a network between them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from analytics.live.connections import Connection
from analytics.live.frames import MessageFrames
from analytics.live.happenings import Happening, happening, origin
from analytics.scope import Scope, ScopedProject
from errors.catalog import EXPIRED_TOKEN, PROJECT_ACCESS_DENIED
from errors.exceptions import ApiError

ORGANISATION = UUID(int=7)
ALL = frozenset({"traces:read", "metrics:read", "costs:read", "exports:read", "alerts:read"})
_FORM = MessageFrames()


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """Who listens in organisation 7, to projects 1 and 2 unless said otherwise."""

    projects: tuple[int, ...] = (1, 2)
    permissions: frozenset[str] = ALL
    organisation: UUID = ORGANISATION
    organisation_id: int = 7
    expires_at: float | None = None
    rate_key: str = "key:test"
    reaches_organisation: bool = True

    def scope(self, projects: Sequence[str] = ()) -> Scope:  # noqa: ARG002  nobody narrows it here
        if not self.projects:
            raise ApiError(PROJECT_ACCESS_DENIED, field="project_id", project="")
        own = {one: ScopedProject(organisation_id=7, public_id=UUID(int=one)) for one in self.projects}
        return Scope(projects=own, permissions=self.permissions)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A credential that is `told` to be somebody else's, or nobody's, when it is looked up."""

    told: list[Somebody | ApiError] = field(default_factory=list, compare=False)

    def listener(self) -> Somebody:
        found = self.told[-1]
        if isinstance(found, ApiError):
            raise found
        return found

    def expired(self) -> ApiError:
        return ApiError(EXPIRED_TOKEN)


def connected(listener: Somebody | None = None, *, place: str = "here") -> Connection:
    who = listener or Somebody()
    return Connection(who, whole=who.reaches_organisation, credential=Shown(told=[who]), place=place, frames=_FORM)


def event(number: int = 1, *, project: int | str | None = 1, kind: str = "trace_created", **facts: object) -> Happening:
    """Return the event at place `number` of the log."""
    of = origin(
        kind.encode(), b"" if project is None else str(project).encode(), organisation=ORGANISATION, projects={}
    )
    return happening(f"{number}-0".encode(), {b"data": orjson.dumps(facts)}, of)


async def said(connection: Connection) -> list[tuple[str, object]]:
    """Return what waits, as type and the id or the count that stands in it."""
    frames = [orjson.loads(one) for one in await connection.next()]
    return [(one["type"], one.get("id") or one.get("count") or one.get("code")) for one in frames]
