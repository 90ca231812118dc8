"""Who asks: the only thing analytics knows of identity. `observatory` builds it from the authenticated caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from analytics.registry.redaction import Redaction


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestPolicy:
    """How a project takes spans.

    Whether it keeps their content, what is redacted, and the instrumentation scopes whose token totals leave out
    their parts.
    """

    keeps_content: bool = True
    redaction: Redaction = field(default_factory=Redaction)
    exclusive_scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedProject:
    """A project in reach: the storage's number of its organisation, the UUID that clients know, since when it is.

    `policy` is the project's own in the scope of an ingest; others do not look it up.
    """

    organisation_id: int
    public_id: UUID
    created_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    policy: IngestPolicy = field(default_factory=IngestPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Projects (by the storage's number, never none) and permissions of one request.

    Every statement on tenant data carries it. A credential belongs to one organisation; only anonymous callers, who
    see the public projects of all, can reach several.
    """

    projects: Mapping[int, ScopedProject]
    permissions: frozenset[str]

    def __post_init__(self) -> None:
        if not self.projects:
            raise ValueError("a scope needs at least one project")

    @property
    def tenant(self) -> dict[str, list[int]]:
        """The parameters of the tenant predicate: organisations and projects, pair by pair, by project number."""
        numbers = sorted(self.projects)
        return {
            "organisations": [self.projects[number].organisation_id for number in numbers],
            "projects": numbers,
        }


class Caller(Protocol):
    """What `request.user` of an analytics view can do, and the organisation and bucket that it has."""

    @property
    def organisation_id(self) -> int: ...

    @property
    def organisation_uuid(self) -> UUID:
        """The organisation as clients know it; raise 401/1000 for a caller without one."""

    @property
    def rate_key(self) -> str: ...

    @property
    def key_prefix(self) -> str | None:
        """The public part of the API key, `None` for any other credential."""

    @property
    def reaches_organisation(self) -> bool:
        """Whether every project of the organisation is in reach."""

    def require(self, permission: str) -> None:
        """Raise 403/1100 unless the caller holds `permission`."""

    def scope(self, projects: Sequence[str] = ()) -> Scope:
        """Return the caller's scope narrowed to `projects` (UUIDs, slugs); raise 403/1101 for any beyond it."""

    def ingest_scope(self, project: str | None) -> Scope:
        """Return the scope of exactly one project for ingest; raise 400/1206 when it is not decided."""
