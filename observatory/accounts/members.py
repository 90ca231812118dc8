"""Members of an organisation: added, changed, removed. It never loses its last administrator."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from errors.catalog import RESOURCE_ALREADY_EXISTS, STATE_FORBIDS
from errors.exceptions import ApiError
from observatory.accounts.models import Membership, Organisation, Project, User
from observatory.accounts.principals import Principal, ProjectRef


@transaction.atomic
def member_add(*, organisation: Organisation, email: str, role: str, projects: Sequence[Project]) -> Membership:
    """Make a user of this address a member; an unknown address becomes a user without password."""
    user = User.objects.filter(email__iexact=email).order_by("date_joined").first()
    user = user or User.objects.filter(username=email).first()
    if user is None:
        user = User.objects.create_user(username=email, email=email)
    if Membership.objects.filter(user=user, organisation=organisation).exists():
        raise ApiError(RESOURCE_ALREADY_EXISTS, field="email")
    member = Membership.objects.create(user=user, organisation=organisation, role=role)
    member.projects.set(projects)
    return member


@transaction.atomic
def member_change(*, member: Membership, changes: Mapping[str, Any]) -> Membership:
    """Change role or projects; raise 409/1402 when the organisation would be left without an administrator."""
    if changes.get("role", "admin") != "admin":
        _keep_an_admin(member)
    member.role = changes.get("role", member.role)
    if "projects" in changes:
        member.projects.set(changes["projects"])
    member.row_version += 1
    member.save()
    return member


@transaction.atomic
def member_remove(*, member: Membership) -> None:
    """Remove a member, not the user; raise 409/1402 for the last administrator."""
    _keep_an_admin(member)
    member.delete()


def _keep_an_admin(member: Membership) -> None:
    # Locked, so that two administrators cannot remove each other at once.
    admins = Membership.objects.select_for_update().filter(organisation=member.organisation_id, role="admin")
    if [one.pk for one in admins.order_by("pk")] == [member.pk]:
        raise ApiError(STATE_FORBIDS, reason="it would leave the organisation without an administrator")


def projects_of(membership: Membership) -> tuple[ProjectRef, ...]:
    """Return the projects that a membership extends to: an administrator's to all of the organisation."""
    projects = (
        Project.objects.filter(organisation=membership.organisation_id)
        if membership.role == "admin"
        else membership.projects.filter(organisation=membership.organisation_id)
    )
    return ProjectRef.all_of(projects)


def member_of(caller: Principal, member_id: str, *, locked: bool = False) -> Membership | None:
    """Return a member of the caller's organisation; `locked` for a change."""
    try:
        public_id = UUID(member_id)
    except ValueError:
        return None
    rows = Membership.objects.filter(organisation=caller.organisation_id, public_id=public_id)
    return (rows.select_for_update() if locked else rows).first()
