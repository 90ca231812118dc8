"""Legal holds: what is under one is neither dropped nor erased, whatever the limits say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.storage.exclusive import RefusedError
from analytics.storage.spans import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A legal hold on an organisation, or on one project of it (0: all)."""

    organisation_id: int
    project_id: int
    reason: str
    placed_at: datetime


def hold_on(tenant: Tenant, holds: Sequence[Hold]) -> Hold | None:
    """Return the one of `holds` that covers a project, if there is one."""
    covering = (one for one in holds if one.organisation_id == tenant.organisation_id)
    return next((one for one in covering if one.project_id in {0, tenant.project_id}), None)


def hold_list() -> list[Hold]:
    """Return every hold, by organisation and project."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organisation_id, project_id, reason, placed_at FROM legal_holds ORDER BY 1, 2")
        return [
            Hold(organisation_id=organisation, project_id=project, reason=reason, placed_at=placed_at)
            for organisation, project, reason, placed_at in cursor
        ]


def hold_add(*, organisation_id: int, project_id: int = 0, reason: str, dry_run: bool = False) -> None:
    """Place a hold; raise `RefusedError` when it has no reason or there is one already."""
    if not reason.strip():
        raise RefusedError("A hold needs a reason: whoever removes it must know why it was placed.")
    if _exactly(organisation_id, project_id):
        raise RefusedError("There is such a hold already.")
    if not dry_run:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO legal_holds (organisation_id, project_id, reason) VALUES (%s, %s, %s)",
                [organisation_id, project_id, reason.strip()],
            )


def hold_remove(*, organisation_id: int, project_id: int = 0, dry_run: bool = False) -> Hold:
    """Remove a hold and return what it was; raise `RefusedError` when there is none."""
    found = _exactly(organisation_id, project_id)
    if not found:
        raise RefusedError("There is no such hold; `retention hold list` shows those that there are.")
    if not dry_run:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM legal_holds WHERE organisation_id = %s AND project_id = %s", [organisation_id, project_id]
            )
    return found[0]


def _exactly(organisation_id: int, project_id: int) -> Sequence[Hold]:
    return [one for one in hold_list() if (one.organisation_id, one.project_id) == (organisation_id, project_id)]
