"""Making organisations, projects, members and keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from analytics.scope import Scope, ScopedProject
from observatory.accounts.models import ApiKey, Membership, Organisation, Project, User
from observatory.accounts.redaction import ingest_policy
from observatory.accounts.secrets import digest, new_api_key


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key with its secret, which can be shown now and never again."""

    key: ApiKey
    secret: str


@transaction.atomic
def api_key_create(
    *,
    organisation: Organisation,
    name: str,
    projects: Sequence[Project],
    permissions: Sequence[str],
    tier: str = "viewer",
    created_by: User | None = None,
) -> NewKey:
    """Make a key of `projects`."""
    secret, prefix = new_api_key()
    key = ApiKey.objects.create(
        organisation=organisation,
        name=name,
        prefix=prefix,
        secret_sha256=digest(secret),
        permissions=list(permissions),
        rate_limit_tier=tier,
        created_by=created_by,
    )
    key.projects.set(projects)
    return NewKey(key=key, secret=secret)


@transaction.atomic
def member_create(
    *, organisation: Organisation, username: str, password: str, role: str, projects: Sequence[Project] = ()
) -> Membership:
    """Make a user with a membership."""
    user = User.objects.create_user(username=username, email=f"{username}@example.com", password=password)
    membership = Membership.objects.create(user=user, organisation=organisation, role=role)
    membership.projects.set(projects)
    return membership


def organisation_scope(organisation: str, project: str) -> Scope:
    """Return the scope of one project by slugs, for commands; raise `Project.DoesNotExist`."""
    found = Project.objects.select_related("organisation").get(slug=project, organisation__slug=organisation)
    return Scope(
        projects={
            found.id: ScopedProject(
                organisation_id=found.organisation_id, public_id=found.public_id, policy=ingest_policy(found.id)
            ),
        },
        permissions=frozenset(),
    )
