"""/projects: what the caller reaches, and what administrators make and change."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.bodies import Member, choice, flag, read_sent, schema_of, text, whole
from analytics.api.common import LIMIT_AND_OFFSET
from analytics.api.parameters import documented
from analytics.api.resources import check_if_match, tagged, written
from analytics.registry.redaction import CONTENT_CAPTURES
from analytics.storage.retention import LONGEST_DAYS, limits_read
from errors.catalog import INVALID_FIELD_FORMAT, NOT_FOUND_HERE, UNKNOWN_MEMBER
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES
from observatory.accounts import projects
from observatory.accounts.api import bodies, shapes
from observatory.accounts.api.views import ManagementView, caller_of, note, page_of
from observatory.accounts.models import Organisation, Project
from observatory.accounts.redaction import read_redaction, read_scopes

_DAYS = whole(low=2, high=LONGEST_DAYS)
_LIMITS = ("spans_days", "content_days")


def _retention(name: str, value: Any) -> dict[str, int | None]:
    if not isinstance(value, dict):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="an object")
    for member in value:
        if member not in _LIMITS:
            raise ApiError(UNKNOWN_MEMBER, field=f"{name}.{member}"[:100], details=f"Allowed: {', '.join(_LIMITS)}")
    return {member: None if days is None else _DAYS(f"{name}.{member}", days) for member, days in value.items()}


_LIMIT = {"type": ["integer", "null"], "minimum": 2, "maximum": LONGEST_DAYS}
MEMBERS: tuple[Member, ...] = (
    Member(
        name="name",
        read=text(longest=200, shortest=1, stripped=True),
        schema={"type": "string", "minLength": 1, "maxLength": 200},
        required=True,
    ),
    Member(
        name="slug",
        read=bodies.slug,
        schema={"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
        required=True,
    ),
    Member(name="is_public", read=flag, schema={"type": "boolean", "default": False}),
    Member(name="archived", read=flag, schema={"type": "boolean", "default": False}),
    Member(
        name="content_capture",
        read=choice(*CONTENT_CAPTURES),
        schema={"type": "string", "enum": list(CONTENT_CAPTURES)},
    ),
    Member(name="redaction", read=lambda _name, value: value, schema={"type": "object"}),
    Member(
        name="retention",
        read=_retention,
        schema={
            "type": "object",
            "properties": {"spans_days": _LIMIT, "content_days": _LIMIT},
            "additionalProperties": False,
        },
    ),
    Member(
        name="usage_exclusive_scopes",
        read=lambda _name, value: read_scopes(value),
        schema={"type": "array", "items": {"type": "string"}},
    ),
)


class ProjectListView(ManagementView):
    """Projects that the caller reaches, by slug."""

    permissions = {"POST": "projects:manage"}
    audited = "project"

    @extend_schema(
        operation_id="projects_list",
        parameters=documented(LIMIT_AND_OFFSET),
        responses={200: shapes.listed("projects", "Project"), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        caller, limits = caller_of(request), limits_read()
        rows = Project.objects.filter(
            organisation=caller.organisation_id, pk__in=[one.id for one in caller.projects]
        ).select_related("organisation")
        return page_of(request, "projects", rows.order_by("slug"), lambda one: shapes.shown_project(one, limits=limits))

    @extend_schema(
        operation_id="projects_create",
        request={"application/json": schema_of(MEMBERS)},
        responses={201: shapes.ref("Project"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        body = read_sent(request.data, MEMBERS)
        if "redaction" in body:
            body["redaction"] = read_redaction(body["redaction"])
        return written(request, lambda: self._create(request, body))

    @staticmethod
    def _create(request: Request, body: dict[str, Any]) -> Response:
        organisation = Organisation.objects.get(pk=caller_of(request).organisation_id)
        project = projects.project_create(organisation=organisation, given=body)
        note(request, what="project", id=project.public_id, changes=list(body))
        location = f"{settings.API_BASE_URL}/api/v1/projects/{project.public_id}"
        return _shown(request, project, status=201, headers={"Location": location})


class ProjectView(ManagementView):
    """One project: read, changed."""

    permissions = {"PATCH": "projects:manage"}
    audited = "project"

    @extend_schema(operation_id="projects_retrieve", responses={200: shapes.ref("Project"), **ERROR_REPLIES})
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  the parameter's name in the document
        return _shown(request, _found(request, id))

    @extend_schema(
        operation_id="projects_update",
        request={"application/json": schema_of(MEMBERS, partial=True)},
        responses={200: shapes.ref("Project"), **ERROR_REPLIES},
    )
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        body = read_sent(request.data, MEMBERS, partial=True)
        return written(request, lambda: self._change(request, id, body))

    @staticmethod
    def _change(request: Request, project_id: str, body: dict[str, Any]) -> Response:
        project = _found(request, project_id, locked=True)
        check_if_match(request.headers.get("If-Match"), project.row_version)
        if "redaction" in body:
            body["redaction"] = read_redaction(body["redaction"], onto=project.redaction)
        note(request, what="project", id=project.public_id, changes=list(body))
        return _shown(request, projects.project_change(project=project, changes=body))


def _found(request: Request, project_id: str, *, locked: bool = False) -> Project:
    project = projects.project_of(caller_of(request), project_id, locked=locked)
    if project is None:
        raise ApiError(NOT_FOUND_HERE, what="project")
    return project


def _shown(request: Request, project: Project, **reply: Any) -> Response:
    return tagged(request, shapes.shown_project(project, limits=limits_read()), project.row_version, **reply)
