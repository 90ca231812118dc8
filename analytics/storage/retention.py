"""How long each kind of data is kept: defaults from the settings, rules of the operator, and legal holds above all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from analytics.registry.rollups import DAY
from analytics.storage.changes import floor
from analytics.storage.exclusive import RefusedError
from analytics.storage.horizons import horizons_of
from analytics.storage.spans import Tenant

# Rollups of this time are still refreshed as spans come; nothing is kept for less.
LEAST_DAYS = 2
LONGEST_DAYS = 36_500
EVERYBODY = Tenant(organisation_id=0, project_id=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What can be kept for a time of its own: its default, and which kind must be kept at least as long.

    The default is a setting, or a number of days that nobody needs to change in the environment.
    """

    key: str
    within: str | None
    setting: str = ""
    days: int = 0
    by_project: bool = False


# Minutes may go before spans, which answer in their place; hours and days may not, for nothing could make them anew.
KINDS: tuple[Kind, ...] = (
    Kind(key="content", setting="RETENTION_CONTENT_DAYS", within="spans", by_project=True),
    Kind(key="spans", setting="RETENTION_SPANS_DAYS", within="hour", by_project=True),
    Kind(key="minute", setting="RETENTION_MINUTE_DAYS", within="hour"),
    Kind(key="hour", setting="RETENTION_HOUR_DAYS", within="day"),
    Kind(key="day", setting="RETENTION_DAY_DAYS", within=None),
    # Hours of usage serve the day that is still open, and the ends of a week.
    Kind(key="usage_hour", days=7, within="usage_day"),
    Kind(key="usage_day", setting="RETENTION_DAY_DAYS", within=None),
    Kind(key="detail_hour", days=37, within="detail_day"),
    Kind(key="detail_day", setting="RETENTION_DAY_DAYS", within=None),
    Kind(key="model_day", setting="RETENTION_DAY_DAYS", within=None),
    # The ends of a week, and the hour that is still open.
    Kind(key="recent", days=8, within=None),
    Kind(key="audit", setting="RETENTION_AUDIT_DAYS", within=None),
)
BY_KEY: Mapping[str, Kind] = {kind.key: kind for kind in KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rules that were set (tenant -> kind -> days); 0/0 is everybody, whose gaps the settings fill."""

    rules: Mapping[Tenant, Mapping[str, int]]

    def days(self, kind: str, tenant: Tenant = EVERYBODY) -> int:
        """Return how many days `kind` is kept: a project's own limit can only be shorter than everybody's."""
        everybody = self.rules.get(EVERYBODY, {}).get(kind) or self._default(kind)
        return min(self.rules.get(tenant, {}).get(kind, everybody), everybody, self._bound(kind, tenant))

    def cutoff(self, kind: str, *, now: datetime, tenant: Tenant = EVERYBODY) -> datetime:
        """Return the UTC midnight before which `kind` is past its limit."""
        return floor(now - timedelta(days=self.days(kind, tenant)), DAY)

    def tenants(self, kind: str) -> list[Tenant]:
        """Return the projects that keep `kind` for a shorter time than everybody."""
        shorter = [one for one in self.rules if self.days(kind, one) < self.days(kind)]
        return sorted(shorter, key=lambda one: (one.organisation_id, one.project_id))

    def disorder(self, tenant: Tenant = EVERYBODY) -> str | None:
        """Return the sentence about a kind that would be kept longer than what it must not outlive."""
        asked = self.rules.get(tenant, {})
        for kind in KINDS:
            # Content without a rule lives as long as its span at most.
            if kind.within is None or (kind.key == "content" and "content" not in asked):
                continue
            days, most = self._asked(kind.key, tenant), self._asked(kind.within, tenant)
            if days > most:
                return f"{kind.key} ({days} days) must not be kept longer than {kind.within} ({most} days)"
        return None

    def _asked(self, kind: str, tenant: Tenant) -> int:
        everybody = self.rules.get(EVERYBODY, {}).get(kind) or self._default(kind)
        return self.rules.get(tenant, {}).get(kind, everybody)

    def _default(self, kind: str) -> int:
        if kind == "content" and not settings.RETENTION_CONTENT_ENABLED:
            return self._asked("spans", EVERYBODY)
        known = BY_KEY[kind]
        days: int = getattr(settings, known.setting) if known.setting else known.days
        return days

    def _bound(self, kind: str, tenant: Tenant) -> int:
        return self.days("spans", tenant) if kind == "content" else LONGEST_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """For how many days a project's spans are kept, by everybody's limit and by a shorter one of its own.

    Spans from before `dropped_before` are gone already. A legal hold suspends the project's own limit and nothing else:
    everybody's limit moves the horizon behind which no figure is made of spans, held or not.
    """

    days: int
    own_days: int | None
    dropped_before: datetime


def spans_kept(tenant: Tenant) -> Kept:
    """Return for how long the spans of a project are kept now."""
    limits = limits_read()
    days, own_days = limits.days("spans"), limits.days("spans", tenant)
    suspended = own_days == days or hold_on(tenant, hold_list())
    return Kept(
        days=days,
        own_days=None if suspended else own_days,
        dropped_before=horizons_of([tenant.project_id]).spans,
    )


def limits_read() -> Limits:
    """Return the limits as they are now."""
    rules: dict[Tenant, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT organisation_id, project_id, kind, days FROM retention_rules")
        for organisation_id, project_id, kind, days in cursor:
            tenant = Tenant(organisation_id=organisation_id, project_id=project_id)
            rules.setdefault(tenant, {})[kind] = days
    return Limits(rules=rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A limit that was changed: days before and after."""

    kind: str
    tenant: Tenant
    before: int
    after: int


def limit_set(*, kind: str, days: int, tenant: Tenant = EVERYBODY, dry_run: bool = False) -> Change:
    """Set how long `kind` is kept, by everybody or by one project; raise `RefusedError` with the reason."""
    limits = limits_read()
    before = limits.days(kind, tenant)
    changed = Limits(rules={**limits.rules, tenant: {**limits.rules.get(tenant, {}), kind: days}})
    _check_days(kind, days)
    if tenant != EVERYBODY:
        _check_project(limits, kind, days, tenant)
    for one in (tenant, *(changed.rules if tenant == EVERYBODY else ())):
        if problem := changed.disorder(one):
            whose = "" if one == tenant else f" in project {one.project_id}"
            raise RefusedError(f"Not set{whose}: {problem}.")
    if not dry_run:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO retention_rules (kind, organisation_id, project_id, days) VALUES (%s, %s, %s, %s)
                ON CONFLICT (kind, organisation_id, project_id) DO UPDATE SET days = excluded.days, set_at = now()
                """,
                [kind, tenant.organisation_id, tenant.project_id, days],
            )
    return Change(kind=kind, tenant=tenant, before=before, after=changed.days(kind, tenant))


def limit_unset(*, kind: str, tenant: Tenant) -> None:
    """Forget a project's own limit: everybody's holds for it again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM retention_rules WHERE kind = %s AND organisation_id = %s AND project_id = %s",
            [kind, tenant.organisation_id, tenant.project_id],
        )


def _check_days(kind: str, days: int) -> None:
    if days < LEAST_DAYS:
        why = ", for rollups of that time are refreshed" if kind != "audit" else ""
        raise RefusedError(f"Not set: {kind} must be kept at least {LEAST_DAYS} days{why}.")
    if days > LONGEST_DAYS:
        raise RefusedError(f"Not set: at most {LONGEST_DAYS} days.")


def _check_project(limits: Limits, kind: str, days: int, tenant: Tenant) -> None:
    if not BY_KEY[kind].by_project:
        what = "the audit log is" if kind == "audit" else f"{kind} rollups are"
        raise RefusedError(f"Not set: {what} kept equally long for every project.")
    if days > (most := limits.days(kind)):
        raise RefusedError(f"Not set: a project may keep {kind} for less than everybody's {most} days, not for more.")
    if days < limits.days(kind, tenant) and (hold := hold_on(tenant, hold_list())):
        raise RefusedError(f"Not set: the project is under a legal hold ({hold.reason}), and this would drop its data.")


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
