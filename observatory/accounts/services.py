"""Making organisations, projects, members and keys."""

from collections.abc import Sequence

from django.db import transaction

from analytics.scope import Scope, ScopedProject
from observatory.accounts.keys import NewKey, api_key_create
from observatory.accounts.models import Membership, Organisation, Project, User
from observatory.accounts.redaction import ingest_policy

__all__ = ["NewKey", "api_key_create", "member_create", "organisation_scope"]


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
