"""Figures over spans: a pure plan -> one statement -> facts -> measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.facts import FACTS_BY_KEY
from analytics.registry.grains import Grain
from analytics.registry.measures import Measure
from analytics.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class FigurePlan:
    """What is asked: measures of the whole range, measures of each bucket of `grain`, equalities by dimension key."""

    scope: Scope
    range: TimeRange
    equal: Mapping[str, str]
    totals: Sequence[Measure]
    series: Sequence[Measure]
    grain: Grain

    @property
    def facts(self) -> list[str]:
        """The facts that the measures need, each once, in a stable order."""
        needed = {fact for measure in (*self.totals, *self.series) for fact in measure.of.facts}
        # A bucket without requests is left out, so its requests are always counted.
        return sorted(needed | ({"request_count"} if self.series else set()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Values by measure key; `series` is oldest first; `as_of` is when the newest span arrived."""

    totals: Mapping[str, Any]
    series: Sequence[Mapping[str, Any]]
    as_of: datetime | None


def statement(plan: FigurePlan) -> tuple[str, dict[str, Any]]:
    """Return the one statement that answers `plan`, and its parameters.

    Total and buckets are grouping sets of one scan, so that they are of the same snapshot.
    """
    conditions = [
        "s.organisation_id = ANY(%(organisations)s::int[])",
        "s.project_id = ANY(%(projects)s::int[])",
        "s.ts >= %(start)s",
        "s.ts < %(end)s",
        *(f"{DIMENSIONS[key].sql} = %({key})s" for key in sorted(plan.equal)),
    ]
    facts = "".join(f", {FACTS_BY_KEY[key].sql}" for key in plan.facts)
    bucket = "date_bin(%(width)s, s.ts, TIMESTAMPTZ '1970-01-01 00:00Z')" if plan.series else "NULL::timestamptz"
    sql = f"""
        SELECT {"bucket" if plan.series else "NULL"}, max(s.ingested_at){facts}
        FROM (SELECT s.*, {bucket} AS bucket FROM llm_traces AS s WHERE {" AND ".join(conditions)}) AS s
        GROUP BY GROUPING SETS ((){", (bucket)" if plan.series else ""}) ORDER BY 1 NULLS FIRST"""  # noqa: S608  names come from the registry, values are parameters
    return sql, {
        **plan.scope.tenant,
        **plan.equal,
        "start": plan.range.start,
        "end": plan.range.end,
        "width": plan.grain.width,
    }


def figures(plan: FigurePlan) -> Figures:
    """Run `plan`. Rates and means are made of the facts last."""
    with connection.cursor() as cursor:
        cursor.execute(*statement(plan))
        (_, as_of, *total), *buckets = cursor.fetchall()
    seconds = plan.range.seconds
    series = []
    for start, _, *values in buckets:
        facts = dict(zip(plan.facts, values, strict=True))
        if facts["request_count"]:
            series.append({"timestamp": start, **_measured(plan.series, facts, plan.grain.width.total_seconds())})
    totals = _measured(plan.totals, dict(zip(plan.facts, total, strict=True)), seconds)
    return Figures(totals=totals, series=series, as_of=as_of)


def _measured(measures: Sequence[Measure], facts: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    return {measure.key: measure.of.value(facts, seconds) for measure in measures}
