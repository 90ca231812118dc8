"""The three ways to a token: a key, a password, a refresh token."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import authenticate

from errors.catalog import (
    INVALID_CREDENTIALS,
    INVALID_REFRESH_TOKEN,
    MISSING_REQUIRED_FIELD,
    NO_MEMBERSHIP,
    ORGANISATION_ACCESS_DENIED,
    PROJECT_ACCESS_DENIED,
)
from errors.exceptions import ApiError
from observatory.accounts.authentication import principal_of_key
from observatory.accounts.members import projects_of
from observatory.accounts.models import Membership, User
from observatory.accounts.principals import Principal, ProjectRef
from observatory.accounts.roles import expand, permissions_of
from observatory.accounts.tokens import (
    Grant,
    check_that_tokens_are_made_here,
    consume_refresh_token,
    issue_access_token,
    issue_refresh_token,
)

_WHOLE_ROLE = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A reply of the token endpoint, without the refresh token where there is none."""

    access_token: str
    scope: str
    org_id: str
    organisation_id: int
    user_id: str | None = None
    refresh_token: str | None = None

    def as_json(self) -> Mapping[str, object]:
        """Return the reply's members."""
        reply: dict[str, object] = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": settings.JWT_EXPIRATION,
            "scope": self.scope,
            "org_id": self.org_id,
        }
        if self.refresh_token:
            reply |= {"refresh_token": self.refresh_token, "refresh_expires_in": settings.JWT_REFRESH_EXPIRATION}
        return reply


def client(*, client_id: str, client_secret: str) -> Principal:
    """Return the principal of the key that is named by its id and its secret; raise 401/1009."""
    try:
        principal = principal_of_key(client_secret)
    except ApiError:
        raise ApiError(INVALID_CREDENTIALS, details="invalid_client") from None
    if not hmac.compare_digest(principal.id.encode(), client_id.lower().encode()):
        raise ApiError(INVALID_CREDENTIALS, details="invalid_client")
    return principal


def client_credentials(key: Principal, *, projects: Sequence[str], scope: Sequence[str], now: datetime) -> IssuedToken:
    """Return a token with the key's permissions and projects, or the subset asked for; raise 403/1101."""
    chosen = _subset(key.projects, projects)
    permissions = sorted(key.permissions & expand(scope) if scope else key.permissions)
    grant = Grant(
        sub=f"key:{key.id}",
        org_id=str(key.organisation),
        projects=[str(project.public_id) for project in chosen],
        role=key.rate_tier,
        permissions=permissions,
    )
    return IssuedToken(
        access_token=issue_access_token(grant, now=now),
        scope=" ".join(permissions),
        org_id=grant.org_id,
        organisation_id=key.organisation_id,
    )


def password(
    *,
    username: str,
    password: str,
    organisation: str | None,
    projects: Sequence[str],
    scope: Sequence[str],
    now: datetime,
) -> IssuedToken:
    """Return access and refresh token of a member; raise 401/1009, 403/1104, 403/1101, 400/1201."""
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        raise ApiError(INVALID_CREDENTIALS, details="invalid_grant")
    membership = _membership(user, organisation)
    chosen = _subset(projects_of(membership), projects)
    return _issue(
        membership,
        narrowed_to=[project.id for project in chosen] if projects else [],
        permissions=sorted(expand(scope)) if scope else _WHOLE_ROLE,
        now=now,
        family=uuid4(),
    )


def refresh(*, refresh_token: str, now: datetime) -> IssuedToken:
    """Return a new pair for an unused refresh token; raise 401/1010."""
    token = consume_refresh_token(refresh_token, now=now)
    membership = Membership.objects.filter(user=token.user, organisation=token.organisation).first()
    if membership is None:
        raise ApiError(INVALID_REFRESH_TOKEN)
    return _issue(membership, narrowed_to=token.projects, permissions=token.permissions, now=now, family=token.family)


def of_session(member: Principal, *, now: datetime) -> str:
    """Return an access token for a member who has signed in to the pages; raise 501/1901 where none are made here."""
    check_that_tokens_are_made_here()
    grant = Grant(
        sub=member.id,
        org_id=str(member.organisation),
        projects=[str(project.public_id) for project in member.projects],
        role=str(member.role),
        permissions=sorted(member.permissions),
    )
    return issue_access_token(grant, now=now)


def _issue(
    membership: Membership, *, narrowed_to: Sequence[int], permissions: Sequence[str], now: datetime, family: UUID
) -> IssuedToken:
    # A renewed token never holds more than the member's role and projects allow at that moment.
    allowed = permissions_of(membership.role)
    granted = sorted(expand(permissions).intersection(allowed))
    projects = [project for project in projects_of(membership) if not narrowed_to or project.id in narrowed_to]
    grant = Grant(
        sub=str(membership.user_id),
        org_id=str(membership.organisation.public_id),
        projects=[str(project.public_id) for project in projects],
        role=membership.role,
        permissions=granted,
        narrowed=bool(narrowed_to) or granted != allowed,
    )
    return IssuedToken(
        access_token=issue_access_token(grant, now=now),
        scope=" ".join(granted),
        org_id=grant.org_id,
        organisation_id=membership.organisation_id,
        user_id=grant.sub,
        refresh_token=issue_refresh_token(
            membership=membership, projects=narrowed_to, permissions=permissions, now=now, family=family
        ),
    )


def _membership(user: User, organisation: str | None) -> Membership:
    memberships = list(Membership.objects.filter(user=user).select_related("organisation", "user"))
    if not memberships:
        raise ApiError(NO_MEMBERSHIP, field="organisation")
    if organisation is None and len(memberships) > 1:
        raise ApiError(MISSING_REQUIRED_FIELD, field="organisation")
    for membership in memberships:
        if organisation in (None, membership.organisation.slug):
            return membership
    raise ApiError(ORGANISATION_ACCESS_DENIED, field="organisation", organisation=organisation or "")


def _subset(projects: Sequence[ProjectRef], names: Sequence[str]) -> list[ProjectRef]:
    for name in names:
        if not any(project.answers_to(name) for project in projects):
            raise ApiError(PROJECT_ACCESS_DENIED, field="projects", project=name)
    return [project for project in projects if not names or any(map(project.answers_to, names))]
