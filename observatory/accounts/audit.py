"""The audit log: who did what, from where, with what result; written once a request is answered or a run has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from analytics.storage.retention import limits_read
from observatory.accounts.models import AuditEntry, Membership, User
from observatory.accounts.principals import Principal
from observatory.database import tenancy
from ratelimit.address import client_address

ACTIONS = ("create", "read", "update", "delete", "export", "search", "login")
_ACTION_OF_METHOD: Mapping[str, str] = {"POST": "create", "PATCH": "update", "DELETE": "delete"}
_BAD_REQUEST = 400
_LONGEST_AGENT = 400


@dataclass(slots=True, kw_only=True)
class Act:
    """What a request is for, as far as it is known so far; views fill it in."""

    action: str
    resource_type: str
    resource_id: str | None = None
    organisation_id: int | None = None
    user_id: str | None = None
    key_id: str | None = None
    changes: Sequence[str] = field(default_factory=list)


def act_of(request: HttpRequest, *, audited: str | None, reads: bool, action: str | None = None) -> Act | None:
    """Return the act of a request to a view of what is `audited` by that name; `None` for one that is not recorded.

    What a view has described itself is recorded always, and so is a view all of whose requests are one `action`.
    """
    known: Act | None = getattr(request, "audit_act", None)
    if known is not None or audited is None:
        return known
    if action is not None:
        recorded = hasattr(request, "principal")
    elif reads:
        action = "search" if request.method == "POST" else "read"
        recorded = settings.AUDIT_READS and audited == "trace"
    else:
        action = _ACTION_OF_METHOD.get(request.method or "", "")
        # Requests without a good credential change nothing and could fill the log; sign-ins describe themselves.
        recorded = bool(action) and hasattr(request, "principal")
    return Act(action=action, resource_type=audited) if recorded else None


def describe(request: HttpRequest, **facts: Any) -> None:
    """Note what a view knows of its own act: members of `Act`."""
    act: Act | None = getattr(request, "audit_act", None)
    if act is None:
        act = Act(action=_ACTION_OF_METHOD.get(request.method or "", "read"), resource_type="")
        request.audit_act = act  # type: ignore[attr-defined]  # the middleware looks for it by this name
    for name, value in facts.items():
        setattr(act, name, value)


def record(request: HttpRequest, act: Act, *, status: int, seconds: float) -> None:
    """Write the entry of `act`; its organisation and subject are those of the caller where the view named none."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is not None:
        act.organisation_id = act.organisation_id or principal.organisation_id
        if principal.kind == "key":
            act.key_id = act.key_id or principal.id
        else:
            act.user_id = act.user_id or principal.id
    with tenancy.only(tenancy.EVERY):
        AuditEntry.objects.create(
            organisation_id=act.organisation_id,
            user_id=_uuid(act.user_id),
            key_id=_uuid(act.key_id),
            action=act.action,
            resource_type=act.resource_type,
            resource_id=act.resource_id and act.resource_id[:200].replace("\0", ""),  # as the path has it
            success=status < _BAD_REQUEST,
            ip_address=client_address(request)[:64],
            user_agent=request.headers.get("User-Agent", "")[:_LONGEST_AGENT].replace("\0", ""),
            request_id=getattr(request, "request_id", ""),
            duration_ms=round(seconds * 1000),
            status_code=status,
            changes=list(act.changes),
        )


def record_command(command: str, act: Act, *, success: bool = True, seconds: float = 0.0) -> None:
    """Write the entry of what an operator's command has done; it has no caller, no address and no status."""
    AuditEntry.objects.create(
        organisation_id=act.organisation_id,
        action=act.action,
        resource_type=act.resource_type,
        resource_id=act.resource_id,
        success=success,
        ip_address="",
        user_agent=f"manage.py {command}",
        request_id="",
        duration_ms=round(seconds * 1000),
        status_code=0,
        changes=list(act.changes),
    )


def refused_address(request: HttpRequest, principal: Principal) -> None:
    """Note that a credential was used from where it does not work."""
    describe(request, action="login", resource_type=principal.kind, resource_id=principal.id)


def failed_sign_in(request: HttpRequest, *, username: str, organisation: str | None) -> None:
    """Note whose sign-in failed: of a member, in the organisation that was named or is the only one."""
    with tenancy.only(tenancy.EVERY):
        user = User.objects.filter(username=username).first()
        found = list(Membership.objects.filter(user__username=username).select_related("organisation"))
    named = [one for one in found if organisation in (None, one.organisation.slug)]
    describe(
        request,
        user_id=str(user.id) if user else None,
        organisation_id=named[0].organisation_id if len(named) == 1 else None,
    )


def kept_since(*, now: datetime) -> datetime:
    """Return the moment before which entries are past their limit."""
    return limits_read().cutoff("audit", now=now)


def held(*, since: datetime, until: datetime) -> str | None:
    """Return the reason of a legal hold that entries of that time are under, if there are any."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(h.reason) FROM legal_holds AS h WHERE EXISTS (
                SELECT FROM audit_log AS old
                WHERE old.organisation_id = h.organisation_id AND old.ts >= %s AND old.ts < %s)
            """,
            [since, until],
        )
        reason: str | None = cursor.fetchone()[0]
    return reason


def past_limit(*, before: datetime) -> tuple[int, int]:
    """Return how many entries from before then are under no legal hold, and their bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), coalesce(sum(pg_column_size(old.*)), 0) FROM audit_log AS old
            WHERE ts < %s AND NOT EXISTS (SELECT FROM legal_holds AS h WHERE h.organisation_id = old.organisation_id)
            """,
            [before],
        )
        count, size = cursor.fetchone()
    return count, int(size)


def forget(*, now: datetime) -> int:
    """Drop entries past their limit, of organisations without a legal hold; return how many.

    The service's role may delete no others.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT observatory_forget_audit(%s)", [kept_since(now=now)])
        dropped: int = cursor.fetchone()[0]
    return dropped


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:  # the subject of another issuer's token
        return None
