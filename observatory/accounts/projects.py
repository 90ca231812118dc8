"""Projects of an organisation: made and changed. A project is archived, never deleted: its spans tell of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from analytics.storage.exclusive import RefusedError
from analytics.storage.retention import limit_set, limit_unset
from analytics.storage.spans import Tenant
from errors.catalog import FIELD_VALUE_REFUSED, RESOURCE_ALREADY_EXISTS
from errors.exceptions import ApiError
from observatory.accounts.models import Organisation, Project
from observatory.accounts.principals import Principal

_LIMITS = {"spans_days": "spans", "content_days": "content"}


@transaction.atomic
def project_create(*, organisation: Organisation, given: Mapping[str, Any]) -> Project:
    """Make a project; raise 409/1400 when the slug is taken."""
    _check_slug(organisation.id, given["slug"], but=None)
    project = Project(organisation=organisation)
    return _written(project, given)


@transaction.atomic
def project_change(*, project: Project, changes: Mapping[str, Any]) -> Project:
    """Change members of a project; raise 409/1400 when the slug is taken."""
    if "slug" in changes:
        _check_slug(project.organisation_id, changes["slug"], but=project.pk)
    project.row_version += 1
    return _written(project, changes)


def _written(project: Project, given: Mapping[str, Any]) -> Project:
    for name, value in given.items():
        if name != "retention":
            setattr(project, name, value)
    project.save()
    tenant = Tenant(organisation_id=project.organisation_id, project_id=project.pk)
    for name, days in given.get("retention", {}).items():
        try:
            if days is None:
                limit_unset(kind=_LIMITS[name], tenant=tenant)
            else:
                limit_set(kind=_LIMITS[name], days=days, tenant=tenant, now=timezone.now())
        except RefusedError as problem:
            raise ApiError(FIELD_VALUE_REFUSED, field=f"retention.{name}", details=str(problem)) from None
    return project


def _check_slug(organisation_id: int, slug: str, *, but: int | None) -> None:
    others = Project.objects.filter(organisation=organisation_id, slug=slug)
    if (others if but is None else others.exclude(pk=but)).exists():
        raise ApiError(RESOURCE_ALREADY_EXISTS, field="slug")


def project_of(caller: Principal, name: str, *, locked: bool = False) -> Project | None:
    """Return a project in the caller's reach by UUID; `locked` for a change."""
    try:
        public_id = UUID(name)
    except ValueError:
        return None
    if not any(one.public_id == public_id for one in caller.projects):
        return None
    rows = Project.objects.filter(organisation=caller.organisation_id, public_id=public_id)
    rows = rows.select_for_update(of=("self",)) if locked else rows
    return rows.select_related("organisation").first()
