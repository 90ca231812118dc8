"""Who asks: the only thing analytics knows of identity. `observatory` builds it from the authenticated caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Organisation, projects and permissions of one request; every statement on tenant data carries it.

    `projects` maps the storage's project number to the public UUID and is never empty.
    """

    organisation_id: int
    projects: Mapping[int, UUID]
    permissions: frozenset[str]

    def __post_init__(self) -> None:
        if not self.projects:
            raise ValueError("a scope needs at least one project")

    @property
    def project_ids(self) -> list[int]:
        """The storage's project numbers, ascending."""
        return sorted(self.projects)


class Caller(Protocol):
    """What `request.user` of an analytics view can do."""

    def require(self, permission: str) -> None:
        """Raise 403/1100 unless the caller holds `permission`."""

    def scope(self, projects: Sequence[str] = ()) -> Scope:
        """Return the caller's scope narrowed to `projects` (UUIDs, slugs); raise 403/1101 for any beyond it."""

    def ingest_scope(self, project: str | None) -> Scope:
        """Return the scope of exactly one project for ingest; raise 400/1206 when it is not decided."""
