"""Credential of a request -> principal. Identity is what was verified here, never a header the caller may change."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from errors.catalog import (
    CREDENTIALS_DIFFER,
    INVALID_API_KEY,
    INVALID_TOKEN,
    MALFORMED_AUTHORIZATION,
    MISSING_AUTHORIZATION,
    REVOKED_TOKEN,
)
from errors.exceptions import ApiError
from observatory.accounts.models import ApiKey, Membership, Organisation, Project, RevokedToken, User
from observatory.accounts.principals import Anonymous, Principal, ProjectRef
from observatory.accounts.roles import PERMISSIONS, ROLES, expand
from observatory.accounts.secrets import API_KEY_PREFIX, digest
from observatory.accounts.tokens import verify_access_token


class CredentialAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <token or key>` and `X-API-Key`.

    Raises 401/1000 without a credential unless the view serves anonymous callers (`public = True`), and
    401/1001-1004 for a bad one: it never falls back to anonymous.
    """

    def authenticate(self, request: Request) -> tuple[Principal | Anonymous, None]:
        bearer, key = _bearer(request), request.headers.get("X-API-Key")
        if bearer is not None and key is not None and bearer != key:
            raise ApiError(CREDENTIALS_DIFFER)
        credential = bearer if bearer is not None else key
        if credential is None:
            return self._anonymous(request), None
        is_key = key is not None or credential.startswith(API_KEY_PREFIX)
        principal = principal_of_key(credential) if is_key else principal_of_token(credential)
        vars(request._request)["principal"] = principal  # noqa: SLF001  the log line is written outside of REST framework
        return principal, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  signature of DRF
        return 'Bearer realm="llm-observatory"'

    @staticmethod
    def _anonymous(request: Request) -> Anonymous:
        view = (request.parser_context or {}).get("view")
        if not getattr(view, "public", False):
            raise ApiError(MISSING_AUTHORIZATION)
        return Anonymous(public_projects=_refs(Q(is_public=True)))


def _bearer(request: Request) -> str | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, credential = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise ApiError(MALFORMED_AUTHORIZATION)
    return credential.strip()


def _refs(condition: Q) -> tuple[ProjectRef, ...]:
    return ProjectRef.all_of(Project.objects.filter(condition))


def principal_of_key(secret: str) -> Principal:
    """Return the principal of an API key; raise 401/1003 when it is unknown, expired or revoked."""
    key = (
        ApiKey.objects.usable(now=timezone.now())
        .select_related("organisation")
        .filter(secret_sha256=digest(secret))
        .first()
    )
    if key is None:
        raise ApiError(INVALID_API_KEY)
    return Principal(
        kind="key",
        id=str(key.id),
        organisation=key.organisation.public_id,
        projects=_refs(Q(api_keys=key.id, organisation=key.organisation_id)),
        permissions=expand(key.permissions),
        rate_key=f"key:{key.id}",
        rate_tier=key.rate_limit_tier,
        key_prefix=key.prefix,
    )


def principal_of_token(token: str) -> Principal:
    """Return the principal of an access token; raise 401/1001, 1002, 1004."""
    claims = verify_access_token(token)
    organisation = _organisation_unless_revoked(claims)
    is_key = claims["sub"].startswith("key:")
    holds_all = claims["role"] == "admin" and not is_key and claims.get("narrowed") is not True
    permissions = (
        PERMISSIONS if holds_all else expand(filter(lambda name: isinstance(name, str), claims["permissions"]))
    )
    own = Q(organisation=organisation.id)
    return Principal(
        kind="key" if is_key else "user",
        id=claims["sub"].removeprefix("key:"),
        organisation=organisation.public_id,
        projects=_refs(own if holds_all else own & _named(claims["projects"])),
        permissions=permissions,
        rate_key=claims["sub"] if is_key else f"user:{organisation.id}:{claims['sub']}",
        rate_tier=claims["role"] if claims["role"] in ROLES else "viewer",
    )


def _organisation_unless_revoked(claims: dict[str, Any]) -> Organisation:
    organisation_id = _uuid(claims["org_id"])
    organisation = Organisation.objects.filter(public_id=organisation_id).first() if organisation_id else None
    if organisation is None:
        raise ApiError(INVALID_TOKEN)
    if RevokedToken.objects.filter(jti=claims["jti"]).exists() or _subject_is_gone(claims["sub"], organisation):
        raise ApiError(REVOKED_TOKEN)
    return organisation


def _subject_is_gone(subject: str, organisation: Organisation) -> bool:
    """Whether the key or user behind a token may no longer act; a user that is not ours is not ours to judge."""
    if subject.startswith("key:"):
        key = _uuid(subject.removeprefix("key:"))
        return key is None or not ApiKey.objects.usable(now=timezone.now()).filter(pk=key).exists()
    user = _uuid(subject)
    if user is None or not User.objects.filter(pk=user).exists():
        return False
    return not Membership.objects.filter(user=user, user__is_active=True, organisation=organisation).exists()


def _named(names: list[Any]) -> Q:
    return Q(public_id__in=[name for name in names if isinstance(name, str) and _uuid(name)])


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
