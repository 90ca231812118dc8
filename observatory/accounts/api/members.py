"""/members: who belongs to the organisation, as what, with which projects."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.bodies import Member, choice, read_sent, schema_of, texts
from analytics.api.common import LIMIT_AND_OFFSET
from analytics.api.parameters import documented
from analytics.api.resources import check_if_match, tagged, written
from errors.catalog import NOT_FOUND_HERE
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES
from observatory.accounts import keys, members
from observatory.accounts.api import bodies, shapes
from observatory.accounts.api.views import ManagementView, caller_of, note, page_of
from observatory.accounts.models import Membership, Organisation
from observatory.accounts.roles import ROLES

_NAME_CHARS = 200
EMAIL = Member(name="email", read=bodies.email, schema={"type": "string", "format": "email"}, required=True)
CHANGEABLE: tuple[Member, ...] = (
    Member(name="role", read=choice(*ROLES), schema={"type": "string", "enum": list(ROLES)}, required=True),
    Member(
        name="projects",
        read=texts(most=1000, longest=_NAME_CHARS),
        schema={"type": "array", "items": {"type": "string"}, "description": "UUIDs or slugs."},
    ),
)
_MANAGE = "users:manage"


class MemberListView(ManagementView):
    """Members of the organisation, in the order in which they came."""

    permissions = {"GET": _MANAGE, "POST": _MANAGE}
    audited = "member"

    @extend_schema(
        operation_id="members_list",
        parameters=documented(LIMIT_AND_OFFSET),
        responses={200: shapes.listed("members", "Member"), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        rows = Membership.objects.filter(organisation=caller_of(request).organisation_id)
        rows = rows.select_related("user").prefetch_related("projects").order_by("created_at", "id")
        return page_of(request, "members", rows, shapes.shown_member)

    @extend_schema(
        operation_id="members_create",
        request={"application/json": schema_of((EMAIL, *CHANGEABLE))},
        responses={201: shapes.ref("Member"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        body = read_sent(request.data, (EMAIL, *CHANGEABLE))
        return written(request, lambda: self._add(request, body))

    @staticmethod
    def _add(request: Request, body: dict[str, Any]) -> Response:
        caller = caller_of(request)
        member = members.member_add(
            organisation=Organisation.objects.get(pk=caller.organisation_id),
            email=body["email"],
            role=body["role"],
            projects=keys.projects_in_reach(caller, body.get("projects", ())),
        )
        note(request, what="member", id=member.public_id, changes=list(body))
        location = f"{settings.API_BASE_URL}/api/v1/members/{member.public_id}"
        return tagged(
            request, shapes.shown_member(member), member.row_version, status=201, headers={"Location": location}
        )


class MemberView(ManagementView):
    """One member: read, changed, removed."""

    permissions = {"GET": _MANAGE, "PATCH": _MANAGE, "DELETE": _MANAGE}
    audited = "member"

    @extend_schema(operation_id="members_retrieve", responses={200: shapes.ref("Member"), **ERROR_REPLIES})
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  the parameter's name in the document
        return _shown(request, _found(request, id))

    @extend_schema(
        operation_id="members_update",
        request={"application/json": schema_of(CHANGEABLE, partial=True)},
        responses={200: shapes.ref("Member"), **ERROR_REPLIES},
    )
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        body = read_sent(request.data, CHANGEABLE, partial=True)
        return written(request, lambda: self._change(request, id, body))

    @staticmethod
    def _change(request: Request, member_id: str, body: dict[str, Any]) -> Response:
        member = _found(request, member_id, locked=True)
        check_if_match(request.headers.get("If-Match"), member.row_version)
        if "projects" in body:
            body = body | {"projects": keys.projects_in_reach(caller_of(request), body["projects"])}
        note(request, what="member", id=member.public_id, changes=list(body))
        return _shown(request, members.member_change(member=member, changes=body))

    @extend_schema(operation_id="members_remove", responses={204: None, **ERROR_REPLIES})
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        def remove() -> Response:
            member = _found(request, id, locked=True)
            check_if_match(request.headers.get("If-Match"), member.row_version)
            note(request, what="member", id=member.public_id)
            members.member_remove(member=member)
            return Response(status=204)

        return written(request, remove)


def _found(request: Request, member_id: str, *, locked: bool = False) -> Membership:
    member = members.member_of(caller_of(request), member_id, locked=locked)
    if member is None:
        raise ApiError(NOT_FOUND_HERE, what="member")
    return member


def _shown(request: Request, member: Membership) -> Response:
    return tagged(request, shapes.shown_member(member), member.row_version)
