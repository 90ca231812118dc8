"""The authenticated caller, as the API views, the limiter and analytics see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet

from analytics.scope import IngestPolicy, Scope, ScopedProject
from errors.catalog import (
    INSUFFICIENT_PERMISSIONS,
    MISSING_AUTHORIZATION,
    NO_PROJECT_IN_REACH,
    PROJECT_ACCESS_DENIED,
    PROJECT_IS_ARCHIVED,
    PROJECT_REQUIRED,
)
from errors.exceptions import ApiError
from observatory.accounts.leases import Lease
from observatory.accounts.models import Project
from observatory.accounts.networks import Network
from observatory.accounts.redaction import ingest_policy

_DEFAULT_POLICY = IngestPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRef:
    """A project by all its names: storage's number, the public UUID, the slug."""

    id: int
    public_id: UUID
    slug: str
    organisation_id: int
    created_at: datetime
    archived: bool = False

    @classmethod
    def all_of(cls, projects: QuerySet[Project]) -> tuple["ProjectRef", ...]:
        """Return the references of `projects`, by number."""
        columns = ("id", "public_id", "slug", "organisation_id", "created_at", "archived")
        return tuple(cls(**row) for row in projects.order_by("id").values(*columns))

    def answers_to(self, name: str) -> bool:
        return name == self.slug or name.lower() == str(self.public_id)


def _scope(
    projects: Sequence[ProjectRef], permissions: frozenset[str], policy: IngestPolicy = _DEFAULT_POLICY
) -> Scope:
    return Scope(
        projects={
            one.id: ScopedProject(
                organisation_id=one.organisation_id,
                public_id=one.public_id,
                created_at=one.created_at,
                policy=policy,
            )
            for one in projects
        },
        permissions=permissions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A user or a key inside one organisation. `rate_key` and `rate_tier` name its bucket.

    Until `expires_at` (epoch seconds) it may be used, from `networks` (every list must admit the address), signed with
    one of `signing_secrets` where there are any. One with a `lease` was verified earlier and is confirmed with the
    charge.
    """

    kind: Literal["user", "key"]
    id: str
    organisation: UUID
    organisation_id: int
    projects: tuple[ProjectRef, ...]
    permissions: frozenset[str]
    rate_key: str
    rate_tier: str
    role: str | None = None
    expires_at: float | None = None
    networks: tuple[tuple[Network, ...], ...] = ()
    signing_secrets: tuple[bytes, ...] = ()
    lease: Lease | None = None
    key_prefix: str | None = None
    is_authenticated: bool = True

    @property
    def organisation_uuid(self) -> UUID:
        return self.organisation

    @property
    def reaches_organisation(self) -> bool:
        beyond = Project.objects.filter(organisation=self.organisation_id).exclude(
            pk__in=[one.id for one in self.projects]
        )
        return not beyond.exists()

    def require(self, permission: str) -> None:
        if permission not in self.permissions:
            resource, _, action = permission.partition(":")
            raise ApiError(INSUFFICIENT_PERMISSIONS, details=permission, action=f"{action} {resource}")

    def scope(self, projects: Sequence[str] = ()) -> Scope:
        return _scope(self._chosen(projects), self.permissions)

    def ingest_scope(self, project: str | None) -> Scope:
        chosen = [one for one in self._chosen([project] if project else []) if not one.archived]
        if project and not chosen:
            raise ApiError(PROJECT_IS_ARCHIVED, field="X-Project-ID", project=project)
        if len(chosen) != 1:
            raise ApiError(PROJECT_REQUIRED, field="X-Project-ID")
        return _scope(chosen, self.permissions, ingest_policy(chosen[0].id))

    def _chosen(self, names: Sequence[str]) -> list[ProjectRef]:
        if not names and not self.projects:
            raise ApiError(NO_PROJECT_IN_REACH, field="project_id")
        chosen = {ref.id: ref for name in names for ref in self.projects if ref.answers_to(name)}
        for name in names:
            if not any(ref.answers_to(name) for ref in self.projects):
                raise ApiError(PROJECT_ACCESS_DENIED, field="project_id", project=name)
        return list(chosen.values()) if names else list(self.projects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """A caller without credential on a public route: sees public projects and nothing else."""

    public_projects: tuple[ProjectRef, ...]
    permissions: frozenset[str] = frozenset()
    organisation_id: int = 0  # none
    rate_key: str = ""  # the limiter keys anonymous callers by address
    rate_tier: str = "anonymous"
    key_prefix: str | None = None
    is_authenticated: bool = False

    @property
    def organisation_uuid(self) -> UUID:
        raise ApiError(MISSING_AUTHORIZATION)

    @property
    def reaches_organisation(self) -> bool:
        return False

    def require(self, permission: str) -> None:
        """Anonymous callers hold no permission; routes that serve them do not ask for one."""
        raise ApiError(MISSING_AUTHORIZATION, details=permission)

    def scope(self, projects: Sequence[str] = ()) -> Scope:
        chosen = [ref for ref in self.public_projects if not projects or any(map(ref.answers_to, projects))]
        if not chosen or any(not any(ref.answers_to(name) for ref in chosen) for name in projects):
            raise ApiError(MISSING_AUTHORIZATION)
        return _scope(chosen, self.permissions)

    def ingest_scope(self, project: str | None) -> Scope:
        raise ApiError(MISSING_AUTHORIZATION, details=project or "")
