"""/keys: API keys of the organisation."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.bodies import Member, choice, read_sent, schema_of, text, texts, whole
from analytics.api.common import LIMIT_AND_OFFSET
from analytics.api.parameters import documented
from analytics.api.resources import check_if_match, tagged, written
from errors.catalog import NOT_FOUND_HERE
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES
from observatory.accounts import keys
from observatory.accounts.api import bodies, shapes
from observatory.accounts.api.views import ManagementView, caller_of, note, page_of
from observatory.accounts.models import ApiKey, Organisation, User
from observatory.accounts.roles import ROLES

_NAME_CHARS = 200
_NAMES = {"type": "array", "items": {"type": "string"}}
CHANGEABLE: tuple[Member, ...] = (
    Member(
        name="name",
        read=text(longest=200, shortest=1, stripped=True),
        schema={"type": "string", "minLength": 1, "maxLength": 200},
        required=True,
    ),
    Member(
        name="projects",
        read=texts(most=1000, longest=_NAME_CHARS),
        schema={**_NAMES, "description": "UUIDs or slugs."},
        required=True,
    ),
    Member(name="permissions", read=texts(most=100, longest=_NAME_CHARS), schema=_NAMES, required=True),
    Member(name="rate_limit_tier", read=choice(*ROLES), schema={"type": "string", "enum": list(ROLES)}),
    Member(
        name="allowed_ips", read=bodies.networks, schema={**_NAMES, "description": "Networks (CIDR); none: everywhere."}
    ),
    Member(
        name="expires_at",
        read=bodies.future,
        schema={"type": ["string", "null"], "description": "RFC 3339 with an offset, or relative: now+90d."},
    ),
)
FIXED: tuple[Member, ...] = (
    Member(
        name="environment",
        read=choice("live", "test"),
        schema={"type": "string", "enum": ["live", "test"], "default": "live"},
    ),
    Member(
        name="signing",
        read=choice("off", "required"),
        schema={"type": "string", "enum": ["off", "required"], "default": "off"},
    ),
)
ROTATION: tuple[Member, ...] = (
    Member(
        name="overlap_seconds",
        read=whole(low=0, high=settings.KEY_ROTATION_OVERLAP_MAX_SECONDS),
        schema={
            "type": "integer",
            "minimum": 0,
            "maximum": settings.KEY_ROTATION_OVERLAP_MAX_SECONDS,
            "default": settings.KEY_ROTATION_OVERLAP_SECONDS,
        },
    ),
)
_MANAGE = "keys:manage"


class KeyListView(ManagementView):
    """Keys of the organisation, the newest first; a new one shows its secret once."""

    permissions = {"GET": _MANAGE, "POST": _MANAGE}
    audited = "key"

    @extend_schema(
        operation_id="keys_list",
        parameters=documented(LIMIT_AND_OFFSET),
        responses={200: shapes.listed("keys", "ApiKey"), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        now = timezone.now()
        rows = _keys(request).order_by("-created_at", "id")
        return page_of(request, "keys", rows, lambda key: shapes.shown_key(key, now=now))

    @extend_schema(
        operation_id="keys_create",
        request={"application/json": schema_of((*CHANGEABLE, *FIXED))},
        responses={201: shapes.ref("NewApiKey"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        body = read_sent(request.data, (*CHANGEABLE, *FIXED))
        return written(request, lambda: self._create(request, body))

    @staticmethod
    def _create(request: Request, body: dict[str, Any]) -> Response:
        caller = caller_of(request)
        keys.check_grant(caller, permissions=body["permissions"], tier=body.get("rate_limit_tier"))
        made = keys.api_key_create(
            organisation=Organisation.objects.get(pk=caller.organisation_id),
            name=body["name"],
            projects=keys.projects_in_reach(caller, body["projects"]),
            permissions=body["permissions"],
            tier=body.get("rate_limit_tier", "viewer"),
            environment=body.get("environment", "live"),
            allowed_ips=body.get("allowed_ips", ()),
            signing=body.get("signing", "off"),
            expires_at=body.get("expires_at"),
            created_by=User.objects.filter(pk=caller.id).first() if caller.kind == "user" else None,
        )
        note(request, what="key", id=made.key.id, changes=list(body))
        return _with_secrets(request, made)


class KeyView(ManagementView):
    """One key: read, changed, revoked."""

    permissions = {"GET": _MANAGE, "PATCH": _MANAGE, "DELETE": _MANAGE}
    audited = "key"

    @extend_schema(operation_id="keys_retrieve", responses={200: shapes.ref("ApiKey"), **ERROR_REPLIES})
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  the parameter's name in the document
        return _shown(request, _found(request, id))

    @extend_schema(
        operation_id="keys_update",
        request={"application/json": schema_of(CHANGEABLE, partial=True)},
        responses={200: shapes.ref("ApiKey"), **ERROR_REPLIES},
    )
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        body = read_sent(request.data, CHANGEABLE, partial=True)
        return written(request, lambda: self._change(request, id, body))

    @staticmethod
    def _change(request: Request, key_id: str, body: dict[str, Any]) -> Response:
        key, caller = _found(request, key_id, locked=True), caller_of(request)
        check_if_match(request.headers.get("If-Match"), key.row_version)
        keys.check_grant(caller, permissions=body.get("permissions", ()), tier=body.get("rate_limit_tier"))
        if "projects" in body:
            body = body | {"projects": keys.projects_in_reach(caller, body["projects"])}
        note(request, what="key", id=key.id, changes=list(body))
        return _shown(request, keys.api_key_change(key=key, changes=body))

    @extend_schema(operation_id="keys_revoke", responses={204: None, **ERROR_REPLIES})
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        def revoke() -> Response:
            key = _found(request, id, locked=True)
            check_if_match(request.headers.get("If-Match"), key.row_version)
            note(request, what="key", id=key.id, changes=["revoked_at"])
            keys.api_key_revoke(key=key, now=timezone.now())
            return Response(status=204)

        return written(request, revoke)


class KeyRotationView(ManagementView):
    """New secrets for a key; the old one works on for a while."""

    permissions = {"POST": _MANAGE}
    audited = "key"

    @extend_schema(
        operation_id="keys_rotate",
        request={"application/json": schema_of(ROTATION)},
        responses={201: shapes.ref("NewApiKey"), **ERROR_REPLIES},
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002  the parameter's name in the document
        body = read_sent(request.data, ROTATION) if request.data else {}
        overlap = timedelta(seconds=body.get("overlap_seconds", settings.KEY_ROTATION_OVERLAP_SECONDS))

        def rotate() -> Response:
            key = _found(request, id, locked=True)
            note(request, what="key", id=key.id, changes=["rotated_at"])
            return _with_secrets(request, keys.api_key_rotate(key=key, overlap=overlap, now=timezone.now()))

        return written(request, rotate)


def _keys(request: Request) -> Any:
    of_organisation = ApiKey.objects.filter(organisation=caller_of(request).organisation_id)
    return of_organisation.select_related("use").prefetch_related("projects")


def _found(request: Request, key_id: str, *, locked: bool = False) -> ApiKey:
    key = keys.key_of(caller_of(request), key_id, locked=locked)
    if key is None:
        raise ApiError(NOT_FOUND_HERE, what="key")
    return key


def _shown(request: Request, key: ApiKey) -> Response:
    return tagged(request, shapes.shown_key(key, now=timezone.now()), key.row_version)


def _with_secrets(request: Request, made: keys.NewKey) -> Response:
    body = shapes.shown_key(made.key, now=timezone.now())
    secrets = {"key": made.secret, "signing_secret": made.signing_secret}
    location = f"{settings.API_BASE_URL}/api/v1/keys/{made.key.id}"
    return tagged(request, body | secrets, made.key.row_version, status=201, headers={"Location": location})
