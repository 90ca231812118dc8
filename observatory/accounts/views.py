"""/auth/token, /auth/refresh, /auth/revoke: JSON and form encoding, limited by address."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from errors.catalog import (
    INVALID_FIELD_FORMAT,
    INVALID_FIELD_VALUE,
    LIMIT_EXCEEDED,
    MISSING_REQUIRED_FIELD,
    UNKNOWN_MEMBER,
)
from errors.exceptions import ApiError
from errors.parsing import FormParser, JSONParser
from errors.schema import ERROR_REPLIES
from observatory.accounts import audit, grants, signatures, tokens
from observatory.accounts.authentication import admit
from observatory.accounts.schema import REFRESH_REQUEST, REVOKE_REQUEST, TOKEN_REPLY, TOKEN_REQUEST
from observatory.database import tenancy
from ratelimit.views import LimitedAPIView

_MEMBERS = {
    "client_credentials": ("grant_type", "client_id", "client_secret", "projects", "scope"),
    "password": ("grant_type", "username", "password", "organisation", "projects", "scope"),
}
_LONGEST = 10_000
_MOST_ITEMS = 1000


class _AuthView(LimitedAPIView):
    authentication_classes = ()
    parser_classes = (JSONParser, FormParser)
    rate_bucket = None
    rate_class = "auth"
    audited = "token"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "X-Signature" in request.headers:  # a signature is of the bytes that a parser is about to take
            signatures.keep_body(request, limit=settings.MAX_BODY_BYTES)
        with tenancy.only(tenancy.EVERY):  # nobody is known yet
            return super().dispatch(request, *args, **kwargs)


class TokenView(_AuthView):
    """A key or a password becomes an access token."""

    @extend_schema(request=TOKEN_REQUEST, responses={200: TOKEN_REPLY, **ERROR_REPLIES}, operation_id="auth_token")
    def post(self, request: Request) -> Response:
        tokens.check_that_tokens_are_made_here()
        body = _body(request)
        grant = _text(body, "grant_type") or ("client_credentials" if "client_id" in body else None)
        if grant is None:
            raise ApiError(MISSING_REQUIRED_FIELD, field="grant_type")
        if grant not in _MEMBERS:
            raise ApiError(INVALID_FIELD_VALUE, field="grant_type", details=f"Allowed: {', '.join(_MEMBERS)}")
        _refuse_unknown(body, _MEMBERS[grant])
        asked: dict[str, Any] = {
            "projects": _list(body, "projects"),
            "scope": _list(body, "scope"),
            "now": timezone.now(),
        }
        raw = request._request  # noqa: SLF001  the audit log is written outside of REST framework
        audit.describe(raw, action="login", resource_type="token")
        if grant == "client_credentials":
            secret = _required(body, "client_secret")
            key = grants.client(client_id=_required(body, "client_id"), client_secret=secret)
            audit.describe(raw, key_id=key.id, organisation_id=key.organisation_id)
            admit(request, key)
            return Response(grants.client_credentials(key, **asked).as_json())
        username, organisation = _required(body, "username"), _text(body, "organisation")
        try:
            issued = grants.password(
                username=username, password=_required(body, "password"), organisation=organisation, **asked
            )
        except ApiError:
            audit.failed_sign_in(raw, username=username, organisation=organisation)
            raise
        audit.describe(raw, user_id=issued.user_id, organisation_id=issued.organisation_id)
        return Response(issued.as_json())


class RefreshView(_AuthView):
    """A refresh token becomes a new pair; one used twice ends its family."""

    @extend_schema(request=REFRESH_REQUEST, responses={200: TOKEN_REPLY, **ERROR_REPLIES}, operation_id="auth_refresh")
    def post(self, request: Request) -> Response:
        tokens.check_that_tokens_are_made_here()
        body = _body(request)
        _refuse_unknown(body, ("refresh_token",))
        raw = request._request  # noqa: SLF001  the audit log is written outside of REST framework
        audit.describe(raw, action="login", resource_type="token")
        issued = grants.refresh(refresh_token=_required(body, "refresh_token"), now=timezone.now())
        audit.describe(raw, user_id=issued.user_id, organisation_id=issued.organisation_id)
        return Response(issued.as_json())


class RevokeView(_AuthView):
    """An access or refresh token dies at once; an unknown one is answered alike."""

    @extend_schema(
        request=REVOKE_REQUEST, responses={200: {"type": "object"}, **ERROR_REPLIES}, operation_id="auth_revoke"
    )
    def post(self, request: Request) -> Response:
        body = _body(request)
        _refuse_unknown(body, ("token",))
        revoked = tokens.revoke(_required(body, "token"), now=timezone.now())
        audit.describe(request._request, action="delete", resource_type="token", **revoked)  # noqa: SLF001  as above
        return Response({})


def _body(request: Request) -> dict[str, Any]:
    # Both parsers give a mapping: the JSON one refuses anything but an object.
    return dict(cast("dict[str, Any]", request.data).items())


def _refuse_unknown(body: dict[str, Any], allowed: tuple[str, ...]) -> None:
    for name in body:
        if name not in allowed:
            raise ApiError(UNKNOWN_MEMBER, field=name[:100], details=f"Allowed: {', '.join(allowed)}")


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return None if value is None else _checked(value, name)


def _checked(value: object, name: str) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST or "\0" in value:
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="text")
    return value


def _required(body: dict[str, Any], name: str) -> str:
    value = _text(body, name)
    if value is None:
        raise ApiError(MISSING_REQUIRED_FIELD, field=name)
    return value


def _list(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name)
    items = value if isinstance(value, list) else (_text(body, name) or "").replace(",", " ").split()
    if len(items) > _MOST_ITEMS:
        raise ApiError(LIMIT_EXCEEDED, field=name, low=0, high=_MOST_ITEMS)
    return [_checked(item, name) for item in items]
