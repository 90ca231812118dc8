"""Access tokens (JWT) and refresh tokens: issue, verify, renew, revoke."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from jwt.exceptions import PyJWKClientConnectionError
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from errors.catalog import (
    EXPIRED_TOKEN,
    EXTERNAL_SERVICE_ERROR,
    INVALID_REFRESH_TOKEN,
    INVALID_TOKEN,
    NOT_IMPLEMENTED,
)
from errors.exceptions import ApiError
from observatory.accounts.models import Membership, Organisation, RefreshToken, RevokedToken
from observatory.accounts.secrets import digest, new_refresh_token

# Claims that every token must hold, with the type each has.
CLAIMS: Mapping[str, type] = {
    "sub": str,
    "org_id": str,
    "projects": list,
    "role": str,
    "permissions": list,
    "iat": int,
    "exp": int,
    "jti": str,
}

_CENTURY_SECONDS = 100 * 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token is issued for; `narrowed` when its holder asked for less than the role gives."""

    sub: str
    org_id: str
    projects: Sequence[str]
    role: str
    permissions: Sequence[str]
    narrowed: bool = False


@lru_cache(maxsize=4)
def _made(algorithm: str, signing: str, verifying: str, jwks_url: str, leeway: int) -> TokenBackend:
    return TokenBackend(
        algorithm, signing_key=signing, verifying_key=verifying, jwk_url=None if verifying else jwks_url, leeway=leeway
    )


def _backend() -> TokenBackend:
    if settings.JWT_ALGORITHM == "HS256":
        return _made("HS256", settings.JWT_SECRET, "", "", settings.JWT_LEEWAY_SECONDS)
    keys = (settings.JWT_PRIVATE_KEY, settings.JWT_PUBLIC_KEY, settings.JWT_JWKS_URL)
    return _made(settings.JWT_ALGORITHM, *keys, settings.JWT_LEEWAY_SECONDS)


def check_that_tokens_are_made_here() -> None:
    """Raise 501/1901 where the service only verifies what another issuer signs."""
    if settings.JWT_ALGORITHM == "RS256" and not settings.JWT_PRIVATE_KEY:
        raise ApiError(NOT_IMPLEMENTED, reason="tokens come from the issuer behind JWT_PUBLIC_KEY or JWT_JWKS_URL")


def issue_access_token(grant: Grant, *, now: datetime) -> str:
    """Return a signed token of `grant` that lives `JWT_EXPIRATION` seconds from `now`."""
    token: str = _backend().encode(
        {
            "sub": grant.sub,
            "org_id": grant.org_id,
            "projects": list(grant.projects),
            "role": grant.role,
            "permissions": list(grant.permissions),
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + settings.JWT_EXPIRATION,
            "jti": str(uuid.uuid4()),
            "iss": settings.JWT_ISSUER,
            "aud": settings.JWT_AUDIENCE,
            # Without this claim an administrator's token holds everything whatever it lists.
            **({"narrowed": True} if grant.narrowed else {}),
        }
    )
    return token


def verify_access_token(token: str) -> dict[str, Any]:
    """Return the claims of `token`; raise 401/1002 when it has expired, 401/1001 when anything else is wrong."""
    try:
        claims: dict[str, Any] = _backend().decode(cast("Any", token))
    except TokenBackendExpiredToken:
        raise ApiError(EXPIRED_TOKEN) from None
    except TokenBackendError as problem:
        if isinstance(problem.__cause__, PyJWKClientConnectionError):
            raise ApiError(EXTERNAL_SERVICE_ERROR) from problem
        raise ApiError(INVALID_TOKEN) from None
    wrong = [name for name, kind in CLAIMS.items() if not isinstance(claims.get(name), kind)]
    if wrong or not _is_uuid(claims["jti"]) or claims.get("token_type", "access") != "access":
        raise ApiError(INVALID_TOKEN)
    _check_parties(claims)
    return claims


def _check_parties(claims: Mapping[str, Any]) -> None:
    audience = claims.get("aud", [])
    expected = {
        "iss": claims.get("iss") == settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE in ([audience] if isinstance(audience, str) else audience),
    }
    for name, matches in expected.items():
        if not matches and (name in claims or settings.JWT_REQUIRE_ISS_AUD):
            raise ApiError(INVALID_TOKEN)


def issue_refresh_token(
    *,
    membership: Membership,
    projects: Sequence[int],
    permissions: Sequence[str],
    now: datetime,
    family: uuid.UUID | None = None,
) -> str:
    """Store a refresh token of the membership's user and return its secret."""
    secret = new_refresh_token()
    RefreshToken.objects.create(
        family=family or uuid.uuid4(),
        user=membership.user,
        organisation=membership.organisation,
        secret_sha256=digest(secret),
        projects=list(projects),
        permissions=list(permissions),
        expires_at=now + timedelta(seconds=settings.JWT_REFRESH_EXPIRATION),
    )
    return secret


def consume_refresh_token(secret: str, *, now: datetime) -> RefreshToken:
    """Mark the token used and return it; raise 401/1010. One presented twice revokes its whole family."""
    with transaction.atomic():
        token = (
            RefreshToken.objects.select_for_update(of=("self",))
            .select_related("user", "organisation")
            .filter(secret_sha256=digest(secret))
            .first()
        )
        usable = token is not None and token.revoked_at is None and token.expires_at > now and token.user.is_active
        if token and token.consumed_at is not None:
            RefreshToken.objects.filter(family=token.family).update(revoked_at=now)
            usable = False
        if token and usable:
            token.consumed_at = now
            token.save(update_fields=["consumed_at"])
    if token is None or not usable:
        raise ApiError(INVALID_REFRESH_TOKEN)
    return token


def revoke(token: str, *, now: datetime) -> Mapping[str, Any]:
    """Revoke an access token or the family of a refresh token; unknown and dead tokens are ignored.

    Returns whose it was, as the audit log names it.
    """
    refresh = RefreshToken.objects.filter(secret_sha256=digest(token)).first()
    if refresh is not None:
        RefreshToken.objects.filter(family=refresh.family, revoked_at=None).update(revoked_at=now)
        return {"user_id": str(refresh.user_id), "organisation_id": refresh.organisation_id}
    try:
        claims = verify_access_token(token)
    except ApiError:
        return {}
    # Another issuer may have written any number; a hundred years are as good as for ever.
    seconds = min(claims["exp"], now.timestamp() + _CENTURY_SECONDS) + settings.JWT_LEEWAY_SECONDS
    expires_at = datetime.fromtimestamp(seconds, tz=UTC)
    RevokedToken.objects.get_or_create(jti=claims["jti"], defaults={"expires_at": expires_at})
    kind, _, key = claims["sub"].partition(":")
    organisation = (
        Organisation.objects.filter(public_id=claims["org_id"]).first() if _is_uuid(claims["org_id"]) else None
    )
    return {
        "key_id" if key else "user_id": key or kind,
        "organisation_id": organisation.id if organisation else None,
        "resource_id": claims["jti"],
    }


def purge_dead_tokens(*, now: datetime) -> int:
    """Delete tokens that could no longer be used anyway; return how many."""
    revoked, _ = RevokedToken.objects.filter(expires_at__lt=now).delete()
    refresh, _ = RefreshToken.objects.filter(expires_at__lt=now).delete()
    return revoked + refresh


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True
