"""The demo organisation: two projects, one user a role, a superuser, an ingest key, and the file that says so."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.db import transaction

from observatory.accounts.models import ApiKey, Organisation, Project, User
from observatory.accounts.roles import ROLES
from observatory.accounts.services import api_key_create, member_create

ORGANISATION = "demo"
PROJECTS = {"support-assistant": "Support assistant", "research-agent": "Research agent"}
_KEY_NAME = "demo ingest"
_SUPERUSER = "superuser"


@transaction.atomic
def ensure_organisation() -> Organisation:
    """Return the demo organisation with its projects, made where it is missing."""
    organisation, _ = Organisation.objects.get_or_create(slug=ORGANISATION, defaults={"name": "Demo"})
    for slug, name in PROJECTS.items():
        Project.objects.get_or_create(organisation=organisation, slug=slug, defaults={"name": name})
    organisation.refresh_from_db()
    return organisation


def is_complete(organisation: Organisation) -> bool:
    """Whether the demo was made to its end: its key is what is made last."""
    return ApiKey.objects.filter(organisation=organisation, name=_KEY_NAME).exists()


@transaction.atomic
def renew_credentials(organisation: Organisation, *, base_url: str) -> dict[str, Any]:
    """Make users and ingest key anew and return their secrets, which cannot be read back later."""
    User.objects.filter(username__in=[*map(_username, ROLES), _SUPERUSER]).delete()
    ApiKey.objects.filter(organisation=organisation, name=_KEY_NAME).delete()
    projects = list(Project.objects.filter(organisation=organisation).order_by("id"))
    users = {}
    for role in ROLES:
        password = secrets.token_urlsafe(16)
        member_create(
            organisation=organisation, username=_username(role), password=password, role=role, projects=projects
        )
        users[role] = {"username": _username(role), "password": password}
    password = secrets.token_urlsafe(16)
    User.objects.create_superuser(username=_SUPERUSER, email="superuser@example.com", password=password)
    key = api_key_create(
        organisation=organisation, name=_KEY_NAME, projects=projects[:1], permissions=["ingest:write"], tier="developer"
    )
    return {
        "base_url": base_url,
        "organisation": organisation.slug,
        "project": projects[0].slug,
        "ingest_key": key.secret,
        "users": users,
        "superuser": {"username": _SUPERUSER, "password": password},
    }


def _username(role: str) -> str:
    return f"demo-{role}"


def read_credentials(path: Path) -> dict[str, Any] | None:
    """Return the credentials in `path`, `None` when there are none that can be read."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found


def write_credentials(path: Path, credentials: dict[str, Any]) -> None:
    """Write `credentials` for their owner alone; the file is whole at every moment."""
    draft = path.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(credentials, file, indent=2)
    draft.replace(path)
