"""How long each kind of data is kept: defaults from the settings, rules of the operator, and legal holds above all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from analytics.registry.rollups import DAY, ROLLUPS
from analytics.storage.changes import floor
from analytics.storage.engines import RELATIONS
from analytics.storage.exclusive import RefusedError
from analytics.storage.holds import hold_list, hold_on
from analytics.storage.horizons import horizons_of
from analytics.storage.sizes import Range, tenants_in
from analytics.storage.spans import Tenant

# Rollups of this time are still refreshed as spans come; nothing is kept for less.
LEAST_DAYS = 2
LONGEST_DAYS = 36_500
EVERYBODY = Tenant(organisation_id=0, project_id=0)
# Which kind a table is of, and the column of its time.
KIND_OF: Mapping[str, str] = {
    "llm_traces": "spans",
    "llm_contents": "content",
    **{rollup.table: rollup.kind for rollup in ROLLUPS},
}


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

    def changed(self, kind: str, days: int, tenant: Tenant) -> "Limits":
        """Return the limits with one rule more, or another."""
        return Limits(rules={**self.rules, tenant: {**self.rules.get(tenant, {}), kind: days}})

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
    """A limit that was changed: days before and after, and all limits as they are then."""

    kind: str
    tenant: Tenant
    before: int
    after: int
    limits: Limits


def limit_set(*, kind: str, days: int, now: datetime, tenant: Tenant = EVERYBODY, dry_run: bool = False) -> Change:
    """Set how long `kind` is kept, by everybody or by one project; raise `RefusedError` with the reason."""
    limits = limits_read()
    changed = limits.changed(kind, days, tenant)
    _check_days(kind, days)
    if tenant != EVERYBODY:
        _check_project(limits, kind, days, tenant)
    for one in (tenant, *(changed.rules if tenant == EVERYBODY else ())):
        if problem := changed.disorder(one):
            whose = "" if one == tenant else f" in project {one.project_id}"
            raise RefusedError(f"Not set{whose}: {problem}.")
    if tenant == EVERYBODY:
        _check_holds(kind, since=limits.cutoff(kind, now=now), until=changed.cutoff(kind, now=now))
    if not dry_run:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO retention_rules (kind, organisation_id, project_id, days) VALUES (%s, %s, %s, %s)
                ON CONFLICT (kind, organisation_id, project_id) DO UPDATE SET days = excluded.days, set_at = now()
                """,
                [kind, tenant.organisation_id, tenant.project_id, days],
            )
    return Change(
        kind=kind,
        tenant=tenant,
        before=limits.days(kind, tenant),
        after=changed.days(kind, tenant),
        limits=changed,
    )


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


def _check_holds(kind: str, *, since: datetime, until: datetime) -> None:
    """Refuse a limit of everybody behind which held data would come to lie; what is past the present one is held on."""
    holds = hold_list()
    for table in (one for one, of in KIND_OF.items() if of == kind and holds and since < until):
        rows = Range(table=table, column="ts" if table in RELATIONS else "bucket", start=since, end=until)
        for tenant in tenants_in(rows):
            if hold := hold_on(tenant, holds):
                raise RefusedError(
                    f"Not set: {kind} from before {until:%Y-%m-%d} are under a legal hold ({hold.reason}), and this"
                    " would drop them. Remove the hold first, or give other projects limits of their own."
                )
