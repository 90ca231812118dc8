"""Scopes of work that nobody asked for: the worker's, on behalf of an organisation."""

from analytics.scope import Scope, ScopedProject
from observatory.accounts.models import Project


def scope_of_projects(organisation_id: int, project_id: int | None = None) -> Scope | None:
    """Return a scope of all projects of an organisation, archived ones too, or of one; `None` where there is none."""
    rows = Project.objects.filter(organisation=organisation_id)
    if project_id is not None:
        rows = rows.filter(pk=project_id)
    projects = {
        one.pk: ScopedProject(organisation_id=organisation_id, public_id=one.public_id, created_at=one.created_at)
        for one in rows
    }
    return Scope(projects=projects, permissions=frozenset()) if projects else None
