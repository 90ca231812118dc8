"""What is told of stored costs: usage that nothing priced, what a re-pricing changes, usage to hold against a bill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

from analytics.pricing.usage import PARTS, Usage
from analytics.registry.rollups import BY_TABLE
from analytics.storage.costs import tenant_values
from analytics.storage.rows import USAGE_PARTS
from analytics.storage.sizes import Range, tenants_in
from analytics.storage.spans import Tenant

_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
_HOURS = BY_TABLE["llm_metrics_1hour"]
# SQL: the row `r` of an hour has usage that nothing priced.
_HAS_UNPRICED_USAGE = f"{_HOURS.value('usage_count', 'r')} > {_HOURS.value('priced_count', 'r')}"


def models_without_cost(*, since: datetime) -> list[tuple[int, str | None, str | None]]:
    """Return organisation, provider and model of usage without a cost in the hours from `since` on, by the rollups."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT r.organisation_id, r.provider, r.model
            FROM unnest(%(organisations)s::int[], %(projects)s::int[]) AS given (organisation_id, project_id)
            JOIN llm_metrics_1hour AS r USING (organisation_id, project_id)
            WHERE r.bucket >= %(since)s AND {_HAS_UNPRICED_USAGE}
            ORDER BY 1, 2, 3
            """,
            _tenants_since(since),
        )
        found: list[tuple[int, str | None, str | None]] = cursor.fetchall()
    return found


def _tenants_since(since: datetime) -> dict[str, Any]:
    tenants = tenants_in(Range(table=_HOURS.table, column="bucket", start=since, end=_FOREVER))
    return {
        "organisations": [one.organisation_id for one in tenants],
        "projects": [one.project_id for one in tenants],
        "since": since,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a re-pricing changes of a day's calls of one model: spans, and sums over counted usage before and after."""

    day: date
    provider: str
    model: str
    spans: int = 0
    cost_before_nanousd: int = 0
    cost_after_nanousd: int = 0
    unpriced_before: int = 0
    unpriced_after: int = 0

    def __add__(self, other: "Difference") -> "Difference":
        return Difference(
            day=self.day,
            provider=self.provider,
            model=self.model,
            **{name: getattr(self, name) + getattr(other, name) for name in _SUMS},
        )


_SUMS = ("spans", "cost_before_nanousd", "cost_after_nanousd", "unpriced_before", "unpriced_after")


def add_differences(run: int, tenant: Tenant, differences: Sequence[Difference]) -> None:
    """Add to what `run` is known to change of a project; part of the transaction that changes it."""
    if not differences:
        return
    names = ("day", "provider", "model", *_SUMS)
    given = tenant_values(tenant) | {"run": run} | {name: [getattr(one, name) for one in differences] for name in names}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO cost_run_differences AS known
                (run_id, organisation_id, project_id, day, provider, model, {", ".join(_SUMS)})
            SELECT %(run)s, %(organisation)s, %(project)s, given.*
            FROM unnest(%(day)s::date[], %(provider)s::text[], %(model)s::text[],
                {", ".join(f"%({name})s::bigint[]" for name in _SUMS)}) AS given
            ON CONFLICT (run_id, organisation_id, project_id, day, provider, model) DO UPDATE
            SET {", ".join(f"{name} = known.{name} + excluded.{name}" for name in _SUMS)}
            """,
            given,
        )


def differences_of(run: int) -> list[Difference]:
    """Return what a run changed so far, by day and model over all its projects."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT day, provider, model, {", ".join(f"sum({name})::bigint" for name in _SUMS)}
            FROM cost_run_differences WHERE run_id = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """,
            [run],
        )
        names = ("day", "provider", "model", *_SUMS)
        return [Difference(**dict(zip(names, row, strict=True))) for row in cursor]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageOfDay:
    """What was counted on a UTC day of the model that answered: calls and tokens."""

    day: date
    model: str
    requests: int
    usage: Usage

    def __add__(self, other: "UsageOfDay") -> "UsageOfDay":
        return UsageOfDay(
            day=self.day,
            model=self.model,
            requests=self.requests + other.requests,
            usage=Usage(**{part: getattr(self.usage, part) + getattr(other.usage, part) for part in PARTS}),
        )


def usage_by_day(tenant: Tenant, *, provider: str, start: datetime, end: datetime) -> list[UsageOfDay]:
    """Return what a project counted of a provider's models; a model that did not say its name is the one asked for."""
    sums = ", ".join(f"coalesce(sum(s.{name}) FILTER (WHERE s.usage_counted), 0)::bigint" for name in USAGE_PARTS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT (s.ts AT TIME ZONE 'UTC')::date, coalesce(s.response_model, s.model, ''),
                count(*) FILTER (WHERE s.call_counted), {sums}
            FROM llm_traces AS s
            WHERE s.organisation_id = %(organisation)s AND s.project_id = %(project)s
                AND s.ts >= %(start)s AND s.ts < %(end)s AND s.provider = %(provider)s
                AND (s.usage_counted OR s.call_counted)
            GROUP BY 1, 2
            """,
            tenant_values(tenant) | {"provider": provider, "start": start, "end": end},
        )
        return [
            UsageOfDay(day=day, model=model, requests=requests, usage=Usage(**dict(zip(PARTS, parts, strict=True))))
            for day, model, requests, *parts in cursor
        ]
