"""Credential of a request -> principal. Identity is what was verified here, never a header the caller may change."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from analytics.encryption import decrypt
from errors.catalog import (
    CREDENTIALS_DIFFER,
    EXPIRED_TOKEN,
    INVALID_API_KEY,
    INVALID_TOKEN,
    IP_NOT_ALLOWED,
    MALFORMED_AUTHORIZATION,
    MISSING_AUTHORIZATION,
    REVOKED_TOKEN,
)
from errors.exceptions import ApiError
from observatory.accounts import audit, generation, signatures
from observatory.accounts.generation import LONGEST_SECONDS
from observatory.accounts.leases import Lease, leases
from observatory.accounts.members import projects_of
from observatory.accounts.models import ApiKey, ApiKeyUse, Membership, Organisation, Project, RevokedToken, User
from observatory.accounts.networks import admits, networks_of
from observatory.accounts.principals import Anonymous, Principal, ProjectRef
from observatory.accounts.roles import PERMISSIONS, READING, ROLES, expand, permissions_of
from observatory.accounts.secrets import API_KEY_PREFIX, digest
from observatory.accounts.tokens import verify_access_token
from observatory.database import tenancy
from ratelimit.address import client_address

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a caller shows: a token or key. One `bought` with a ticket was shown before, and signed where it must be.

    `address` is from where a stream was opened with it.
    """

    secret: str = field(repr=False)
    is_key: bool
    bought: bool = False
    address: str | None = None

    def listener(self) -> Principal:
        """Return its principal as it is now; raise 401/1001-1004, 403/1103 for an address that is no longer allowed."""
        principal = _verified(sha256(self.secret.encode()).digest(), self.secret, is_key=self.is_key)
        if self.address is not None and not admits(principal.networks, self.address):
            raise ApiError(IP_NOT_ALLOWED)
        return principal

    def expired(self) -> ApiError:
        """Return the error of a token, or of a key, whose time is over."""
        return ApiError(INVALID_API_KEY if self.is_key else EXPIRED_TOKEN)


class CredentialAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <token or key>` and `X-API-Key`.

    Raises 401/1000 without a credential unless the view serves anonymous callers (`public = True`), 401/1001-1004 for a
    bad one (it never falls back to anonymous), and what `admit` raises.
    """

    def authenticate(self, request: Request) -> tuple[Principal | Anonymous, None]:
        shown = self.shown(request)
        if shown is None:
            return self._anonymous(request), None
        principal = _known(shown.secret, is_key=shown.is_key)
        vars(request._request)["principal"] = principal  # noqa: SLF001  log and audit are written outside of REST framework
        if shown.bought:
            _admit_address(request, principal)
        else:
            admit(request, principal)
        tenancy.show_organisation(principal.organisation_id)
        return principal, None

    def shown(self, request: Request) -> Shown | None:
        """Return the credential that the headers show."""
        bearer, key = _bearer(request), request.headers.get("X-API-Key")
        if bearer is not None and key is not None and bearer != key:
            raise ApiError(CREDENTIALS_DIFFER)
        credential = bearer if bearer is not None else key
        if credential is None:
            return None
        return Shown(secret=credential, is_key=key is not None or credential.startswith(API_KEY_PREFIX))

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  signature of DRF
        return 'Bearer realm="llm-observatory"'

    @staticmethod
    def _anonymous(request: Request) -> Anonymous:
        view = (request.parser_context or {}).get("view")
        if not getattr(view, "public", False):
            raise ApiError(MISSING_AUTHORIZATION)
        return Anonymous(public_projects=_refs(Q(is_public=True)))


def admit(request: Request, principal: Principal) -> None:
    """Raise 403/1103 from an address that is not allowed, 401/1005-1008 unless signed where it must be."""
    _admit_address(request, principal)
    if principal.signing_secrets:
        view = (request.parser_context or {}).get("view")
        signatures.check(
            request._request,  # noqa: SLF001  the body as it was sent
            key=principal.rate_key,
            secrets=[decrypt(stored) for stored in principal.signing_secrets],
            largest_body=getattr(view, "largest_body", None) or settings.MAX_BODY_BYTES,
        )


def _admit_address(request: Request, principal: Principal) -> None:
    if not admits(principal.networks, client_address(request)):
        audit.refused_address(request._request, principal)  # noqa: SLF001  the entry is of the whole request
        raise ApiError(IP_NOT_ALLOWED)


def _bearer(request: Request) -> str | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, credential = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise ApiError(MALFORMED_AUTHORIZATION)
    return credential.strip()


def _known(credential: str, *, is_key: bool) -> Principal:
    """Return the principal that was verified a moment ago, to be confirmed with the charge, or verify it now."""
    remembered_as = sha256(credential.encode()).digest()
    return leases.get(remembered_as) or _verified(remembered_as, credential, is_key=is_key)


def _verified(remembered_as: bytes, credential: str, *, is_key: bool) -> Principal:
    leases.drop(remembered_as)
    # Read before the look-up: a change that comes between them makes this generation an old one.
    era, present = leases.era, generation.current()
    principal = (principal_of_key if is_key else principal_of_token)(credential)
    if present is not None:
        renew = partial(_renewed, remembered_as, credential, is_key)
        lease = Lease(digest=remembered_as, generation=present, era=era, renew=renew)
        ends = principal.expires_at
        seconds = LONGEST_SECONDS if ends is None else ends - time.time()
        leases.put(remembered_as, replace(principal, lease=lease), seconds=seconds)
    return principal


def _renewed(remembered_as: bytes, credential: str, is_key: bool, request: Request) -> Principal:
    """Return the principal as it is now; its address is looked at again, its signature was of this request already."""
    principal = _verified(remembered_as, credential, is_key=is_key)
    vars(request._request)["principal"] = principal  # noqa: SLF001  as above
    _admit_address(request, principal)
    return principal


def _refs(condition: Q) -> tuple[ProjectRef, ...]:
    return ProjectRef.all_of(Project.objects.filter(condition))


def principal_of_key(secret: str) -> Principal:
    """Return the principal of an API key; raise 401/1003 when it is unknown, expired or revoked."""
    with tenancy.only(tenancy.EVERY):
        now = timezone.now()
        key = ApiKey.objects.opened_by(digest(secret), now=now).select_related("organisation").first()
        if key is None:
            raise ApiError(INVALID_API_KEY)
        is_previous = bytes(key.secret_sha256) != digest(secret)
        _note_use(key, now)
        return Principal(
            kind="key",
            id=str(key.id),
            organisation=key.organisation.public_id,
            organisation_id=key.organisation_id,
            projects=_refs(Q(api_keys=key.id, organisation=key.organisation_id)),
            permissions=expand(key.permissions),
            rate_key=f"key:{key.id}",
            rate_tier=key.rate_limit_tier,
            key_prefix=key.prefix,
            expires_at=_end_of(key, now=now, is_previous=is_previous),
            **_conditions(key.organisation, key),
        )


def _end_of(key: ApiKey | None, *, now: datetime | None = None, is_previous: bool = False) -> float | None:
    """Return the epoch second from which what is known of a key has to be looked up anew."""
    if key is None:
        return None
    overlap = key.previous_expires_at
    # After the overlap its previous secrets, the one of signatures among them, are good no more.
    counts = overlap is not None and (is_previous or (key.signing == "required" and overlap > (now or timezone.now())))
    ends = [at.timestamp() for at in (key.expires_at, overlap if counts else None) if at is not None]
    return min(ends, default=None)


def _note_use(key: ApiKey, now: datetime) -> None:
    used = ApiKeyUse(key=key, last_used_at=now.replace(second=0, microsecond=0))
    try:
        with transaction.atomic():
            ApiKeyUse.objects.bulk_create(
                [used], update_conflicts=True, unique_fields=["key"], update_fields=["last_used_at"]
            )
    except DatabaseError as problem:  # one that takes no writes, or has no room left, is read from all the same
        log.warning("use of a key not noted", error=type(problem.__cause__).__name__)


def principal_of_token(token: str) -> Principal:
    """Return the principal of an access token; raise 401/1001, 1002, 1004."""
    claims = verify_access_token(token)
    with tenancy.only(tenancy.EVERY):
        organisation = _organisation_unless_revoked(claims)
        key = _key_behind(claims["sub"])
        holds_all = claims["role"] == "admin" and key is None and claims.get("narrowed") is not True
        permissions = (
            PERMISSIONS if holds_all else expand(filter(lambda name: isinstance(name, str), claims["permissions"]))
        )
        own = Q(organisation=organisation.id)
        return Principal(
            kind="user" if key is None else "key",
            id=claims["sub"].removeprefix("key:"),
            organisation=organisation.public_id,
            organisation_id=organisation.id,
            projects=_refs(own if holds_all else own & _named(claims["projects"])),
            permissions=permissions,
            rate_key=f"user:{organisation.id}:{claims['sub']}" if key is None else claims["sub"],
            rate_tier=claims["role"] if claims["role"] in ROLES else "viewer",
            role=claims["role"] if key is None else None,
            expires_at=min(claims["exp"] + settings.JWT_LEEWAY_SECONDS, _end_of(key) or math.inf),
            **_conditions(organisation, key),
        )


def principal_of_member(membership: Membership) -> Principal:
    """Return the principal of a member who has signed in to the pages: it may do what a token of the role may."""
    organisation, user = membership.organisation, str(membership.user_id)
    return Principal(
        kind="user",
        id=user,
        organisation=organisation.public_id,
        organisation_id=organisation.id,
        projects=projects_of(membership),
        permissions=PERMISSIONS if membership.role == "admin" else frozenset(permissions_of(membership.role)),
        rate_key=f"user:{organisation.id}:{user}",
        rate_tier=membership.role,
        role=membership.role,
        **_conditions(organisation, None),
    )


def principal_of_superuser(user_id: str, organisation: Organisation) -> Principal:
    """Return the principal of a superuser who looks at an organisation without being a member: it may read everything.

    No list of networks holds for it: those are of the organisation's own credentials.
    """
    return Principal(
        kind="user",
        id=user_id,
        organisation=organisation.public_id,
        organisation_id=organisation.id,
        projects=_refs(Q(organisation=organisation.id)),
        permissions=READING,
        rate_key=f"user:{organisation.id}:{user_id}",
        rate_tier="admin",
        role="superuser",
    )


def _conditions(organisation: Organisation, key: ApiKey | None) -> Mapping[str, Any]:
    """Return from where, and signed with what, the credential is good."""
    networks = (networks_of(organisation.allowed_ips), networks_of(key.allowed_ips if key else ()))
    stored: list[bytes | memoryview | None] = []
    if key is not None and key.signing == "required":
        overlaps = key.previous_expires_at is not None and key.previous_expires_at > timezone.now()
        stored = [key.signing_secret, key.previous_signing_secret if overlaps else None]
    return {"networks": networks, "signing_secrets": tuple(bytes(one) for one in stored if one is not None)}


def _organisation_unless_revoked(claims: dict[str, Any]) -> Organisation:
    organisation_id = _uuid(claims["org_id"])
    organisation = Organisation.objects.filter(public_id=organisation_id).first() if organisation_id else None
    if organisation is None:
        raise ApiError(INVALID_TOKEN)
    if RevokedToken.objects.filter(jti=claims["jti"]).exists() or _subject_is_gone(claims["sub"], organisation):
        raise ApiError(REVOKED_TOKEN)
    return organisation


def _key_behind(subject: str) -> ApiKey | None:
    return ApiKey.objects.get(pk=subject.removeprefix("key:")) if subject.startswith("key:") else None


def _subject_is_gone(subject: str, organisation: Organisation) -> bool:
    """Whether the key or user behind a token may no longer act; a user that is not ours is not ours to judge."""
    if subject.startswith("key:"):
        key = _uuid(subject.removeprefix("key:"))
        usable = ApiKey.objects.usable(now=timezone.now())
        return key is None or not usable.filter(pk=key, organisation=organisation).exists()
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
