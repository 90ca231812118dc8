"""API keys: made, changed, rotated, revoked. Nobody grants more than they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from analytics.encryption import encrypt
from errors.catalog import INVALID_FIELD_VALUE, PROJECT_ACCESS_DENIED, RESOURCE_ACCESS_DENIED, STATE_FORBIDS
from errors.exceptions import ApiError
from observatory.accounts.models import ApiKey, Organisation, Project, User
from observatory.accounts.principals import Principal
from observatory.accounts.roles import PERMISSIONS, TIERS, expand
from observatory.accounts.secrets import digest, new_api_key, new_signing_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key with its secrets, which can be shown now and never again."""

    key: ApiKey
    secret: str
    signing_secret: str | None = None


@transaction.atomic
def api_key_create(
    *,
    organisation: Organisation,
    name: str,
    projects: Sequence[Project],
    permissions: Sequence[str],
    tier: str = "viewer",
    environment: str = "live",
    allowed_ips: Sequence[str] = (),
    signing: str = "off",
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> NewKey:
    """Make a key of `projects`."""
    secret, prefix = new_api_key(environment=environment)
    signing_secret = new_signing_secret() if signing == "required" else None
    key = ApiKey.objects.create(
        organisation=organisation,
        name=name,
        environment=environment,
        prefix=prefix,
        secret_sha256=digest(secret),
        permissions=list(permissions),
        rate_limit_tier=tier,
        allowed_ips=list(allowed_ips),
        signing=signing,
        signing_secret=encrypt(signing_secret) if signing_secret else None,
        expires_at=expires_at,
        created_by=created_by,
    )
    key.projects.set(projects)
    return NewKey(key=key, secret=secret, signing_secret=signing_secret)


@transaction.atomic
def api_key_change(*, key: ApiKey, changes: Mapping[str, Any]) -> ApiKey:
    """Change members of a key; raise 409/1402 when it is revoked."""
    if key.revoked_at is not None:
        raise ApiError(STATE_FORBIDS, reason="the key is revoked")
    for name, value in changes.items():
        if name != "projects":
            setattr(key, name, value)
    if "projects" in changes:
        key.projects.set(changes["projects"])
    key.row_version += 1
    key.save()
    return key


@transaction.atomic
def api_key_rotate(*, key: ApiKey, overlap: timedelta, now: datetime) -> NewKey:
    """Give a key new secrets; the old one works until the overlap ends. Raise 409/1402 when it is revoked.

    Another rotation within the overlap replaces the newest secret alone, so a reply that was lost can be had again.
    """
    if key.status(now=now) in ("revoked", "expired"):
        raise ApiError(STATE_FORBIDS, reason=f"the key is {key.status(now=now)}")
    if key.status(now=now) == "active":
        key.previous_sha256, key.previous_signing_secret = key.secret_sha256, key.signing_secret
        key.previous_expires_at = now + overlap
    secret, key.prefix = new_api_key(environment=key.environment)
    signing_secret = new_signing_secret() if key.signing == "required" else None
    key.secret_sha256 = digest(secret)
    key.signing_secret = encrypt(signing_secret) if signing_secret else None
    key.rotated_at = now
    key.row_version += 1
    key.save()
    return NewKey(key=key, secret=secret, signing_secret=signing_secret)


def api_key_revoke(*, key: ApiKey, now: datetime) -> None:
    """End every secret of a key, and every token made from it, at once; a revoked key stays revoked."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now, row_version=F("row_version") + 1)


def check_grant(granter: Principal, *, permissions: Sequence[str], tier: str | None) -> None:
    """Raise 400/1202 for a permission that does not exist, 403/1102 for one, or a tier, beyond the granter's own."""
    if unknown := [name for name in permissions if not expand([name])]:
        raise ApiError(
            INVALID_FIELD_VALUE,
            field="permissions",
            details=f"{', '.join(unknown)[:200]}: allowed: {', '.join(sorted(PERMISSIONS))}",
        )
    if beyond := sorted(expand(permissions) - granter.permissions):
        raise ApiError(RESOURCE_ACCESS_DENIED, field="permissions", details=", ".join(beyond))
    if tier is not None and TIERS.index(tier) > TIERS.index(granter.rate_tier):
        raise ApiError(RESOURCE_ACCESS_DENIED, field="rate_limit_tier", details=tier)


def projects_in_reach(granter: Principal, names: Sequence[str], *, field: str = "projects") -> list[Project]:
    """Return projects by UUID or slug; raise 403/1101 for one that the granter does not reach."""
    chosen = {}
    for name in names:
        reached = [one for one in granter.projects if one.answers_to(name)]
        if not reached:
            raise ApiError(PROJECT_ACCESS_DENIED, field=field, project=name[:100])
        chosen[reached[0].id] = reached[0]
    return list(Project.objects.filter(organisation=granter.organisation_id, pk__in=chosen).order_by("id"))


def key_of(granter: Principal, key_id: str, *, locked: bool = False) -> ApiKey | None:
    """Return a key of the granter's organisation; `locked` for a change."""
    try:
        number = UUID(key_id)
    except ValueError:
        return None
    rows = ApiKey.objects.filter(organisation=granter.organisation_id, pk=number)
    return (rows.select_for_update() if locked else rows).first()
