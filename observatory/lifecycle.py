"""A run of retention over everything that ages, the audit log with it, and the entries about it in that log."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from analytics.storage.ageing import Report, retention_apply, retention_foreseen
from analytics.storage.costs import forget_costs_behind
from analytics.storage.exclusive import RefusedError
from analytics.storage.retention import Change, limit_set
from analytics.storage.spans import Tenant
from observatory.accounts import audit
from observatory.accounts.models import Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was freed, or would be: of the storage, and of the audit log."""

    storage: Report
    audit_rows: int
    audit_bytes: int


def retention_run(
    command: str,
    *,
    now: datetime,
    dry_run: bool = False,
    planned: Callable[[int], Callable[[int], None]] = lambda _: lambda _: None,
) -> Freed:
    """Free what is past its limit, by a command; each organisation that loses something is told so in its audit log.

    Raises `RefusedError` when the limits contradict each other, `BusyError` when it runs elsewhere.
    """
    begun = monotonic()
    report = retention_apply(now=now, dry_run=dry_run, planned=planned)
    rows, size = audit.past_limit(before=audit.kept_since(now=now))
    if not dry_run:
        forget_costs_behind()
        audit.forget(now=now)
        for organisation_id, tables in _losers(report).items():
            act = audit.Act(
                action="delete", resource_type="retention", organisation_id=organisation_id, changes=sorted(tables)
            )
            audit.record_command(command, act, seconds=monotonic() - begun)
    return Freed(storage=report, audit_rows=rows, audit_bytes=size)


def limit_change(*, kind: str, days: int, tenant: Tenant, now: datetime, dry_run: bool) -> tuple[Change, Freed | None]:
    """Set a limit; return the change, and of a dry run what the next run of retention would free under it.

    Raises `RefusedError` when a limit cannot be, or held data would come to lie behind it.
    """
    since = audit.kept_since(now=now)
    change = limit_set(kind=kind, days=days, tenant=tenant, now=now, dry_run=True)
    until = change.limits.cutoff("audit", now=now)
    if kind == "audit" and (reason := audit.held(since=since, until=until)):
        raise RefusedError(f"Not set: entries from before {until:%Y-%m-%d} are under a legal hold ({reason}).")
    if not dry_run:
        return limit_set(kind=kind, days=days, tenant=tenant, now=now), None
    rows, size = audit.past_limit(before=until)
    return change, Freed(storage=retention_foreseen(change.limits, now=now), audit_rows=rows, audit_bytes=size)


def _losers(report: Report) -> Mapping[int, set[str]]:
    """Return the tables that lost rows by organisation; a whole partition may have had rows of everybody."""
    everybody = list(Organisation.objects.values_list("id", flat=True))
    found: defaultdict[int, set[str]] = defaultdict(set)
    for loss in report.losses:
        for organisation_id in everybody if loss.tenant is None else [loss.tenant.organisation_id]:
            found[organisation_id].add(loss.of.table)
    return found
