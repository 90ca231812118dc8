"""Figures over a range: a plan -> sources -> facts from each -> merged facts -> measures."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection

from analytics.queries.sources import Segment, choose, fitting, widened
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.facts import FACTS_BY_KEY, SKETCHES_BY_KEY, Sketch
from analytics.registry.grains import Grain
from analytics.registry.measures import Measure, Quantile
from analytics.registry.rollups import LABELS, Rollup
from analytics.registry.sketches import estimate, nearest_ranks
from analytics.scope import Scope
from analytics.storage.changes import changes_of
from analytics.storage.horizons import horizons_of
from analytics.storage.rollups import merged
from analytics.storage.transactions import retried

ByBucket = Mapping[datetime | None, Mapping[str, Any]]
_EPOCH = "TIMESTAMPTZ '1970-01-01 00:00Z'"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigurePlan:
    """What is asked: measures of the whole range, measures of each bucket of `grain`, equalities by dimension key.

    Without `with_series` the range is not cut into buckets at all.
    """

    scope: Scope
    range: TimeRange
    equal: Mapping[str, str]
    totals: Sequence[Measure]
    series: Sequence[Measure]
    grain: Grain
    with_series: bool = True

    @property
    def facts(self) -> list[str]:
        """The facts that the measures need, each once, in a stable order."""
        needed = {fact for measure in (*self.totals, *self.series) for fact in measure.of.facts}
        # A bucket without requests is left out, so its requests are always counted.
        return sorted(needed | ({"request_count"} if self.with_series else set()))

    @property
    def quantiles(self) -> list[Quantile]:
        """The percentiles that the measures need, each once."""
        needed = {one for measure in (*self.totals, *self.series) for one in measure.of.quantiles}
        return sorted(needed, key=lambda one: one.key)

    @property
    def width(self) -> timedelta | None:
        """Width of the buckets, `None` when only the whole range is asked for."""
        return self.grain.width if self.with_series else None

    @property
    def rollups(self) -> list[Rollup]:
        """The rollups that can answer, coarsest first."""
        if self.grain.exact or set(self.equal) - set(LABELS):
            return []
        return fitting(labels=bool(self.equal), width=self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Values by measure key; `series` is oldest first; `as_of` is the newest change, `source` where facts came from.

    `range` is what was answered: wider than asked where spans are gone and only whole buckets are left.
    """

    totals: Mapping[str, Any]
    series: Sequence[Mapping[str, Any]]
    as_of: datetime | None
    source: str
    range: TimeRange


def figures(plan: FigurePlan) -> Figures:
    """Run `plan` in one snapshot. Rates and means are made of the facts last."""
    return retried(partial(_figures, plan), snapshot=True)


def _figures(asked: FigurePlan) -> Figures:
    kept = horizons_of(list(asked.scope.projects))
    plan = replace(asked, range=widened(asked.range, asked.rollups, kept))
    changes = changes_of(plan.scope.tenant, plan.range.start, plan.range.end)
    segments = choose(plan.range, plan.rollups, changes.marked, kept)
    by_bucket = _facts(plan, segments)
    for bucket, values in _percentiles(plan, segments, by_bucket).items():
        by_bucket[bucket] |= values
    total = by_bucket.pop(None)
    series = [
        {"timestamp": start, **_measured(plan.series, facts, plan.grain.width.total_seconds())}
        for start, facts in sorted(by_bucket.items())
        if facts["request_count"]
    ]
    return Figures(
        totals=_measured(plan.totals, total, plan.range.seconds),
        series=series,
        as_of=changes.newest,
        source=source_of(segments),
        range=plan.range,
    )


def source_of(segments: Sequence[Segment]) -> str:
    """Return where the facts of an answer came from: rollup, spans, mixed."""
    from_spans = {segment.rollup is None for segment in segments}
    return "mixed" if len(from_spans) > 1 else "spans" if from_spans == {True} else "rollup"


def _measured(measures: Sequence[Measure], facts: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    return {measure.key: measure.of.value(facts, seconds) for measure in measures}


def _facts(plan: FigurePlan, segments: Sequence[Segment]) -> dict[datetime | None, dict[str, Any]]:
    sql, parameters = facts_statement(plan, segments)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {bucket: dict(zip(plan.facts, values, strict=True)) for bucket, *values in cursor}


def facts_statement(plan: FigurePlan, segments: Sequence[Segment]) -> tuple[str, dict[str, Any]]:
    """Return the statement that gives the plan's facts, of the whole range (NULL) and of each bucket."""
    parts = [
        f"""SELECT {_bucket(plan, rollup)} AS bucket{"".join(f", {_fact(key, rollup)} AS {key}" for key in plan.facts)}
            FROM {rollup.table if rollup else "llm_traces"} AS s WHERE {_where(plan, rollup, spans)} GROUP BY 1"""
        for rollup, spans in _by_source(segments)
    ]
    facts = "".join(f", {_merged(key)}" for key in plan.facts)
    sets = "(), (bucket)" if plan.with_series else "()"
    sql = f"""
        SELECT {"bucket" if plan.with_series else "NULL"}{facts}
        FROM ({" UNION ALL ".join(parts)}) AS parts GROUP BY GROUPING SETS ({sets})"""
    return sql, _parameters(plan, segments)


def _merged(key: str) -> str:
    fact = FACTS_BY_KEY[key]
    sql = merged(fact.merge, key)
    return f"coalesce({sql}, 0)" if fact.merge == "sum" else sql


def _fact(key: str, rollup: Rollup | None) -> str:
    fact = FACTS_BY_KEY[key]
    return merged(fact.merge, f"s.{key}") if rollup else fact.over_spans


def _bucket(plan: FigurePlan, rollup: Rollup | None) -> str:
    column = "s.bucket" if rollup else "s.ts"
    return f"date_bin(%(width)s, {column}, {_EPOCH})" if plan.with_series else "NULL::timestamptz"


def _by_source(segments: Sequence[Segment]) -> list[tuple[Rollup | None, list[int]]]:
    places: dict[str, tuple[Rollup | None, list[int]]] = {}
    for place, segment in enumerate(segments):
        name = segment.rollup.table if segment.rollup else ""
        places.setdefault(name, (segment.rollup, []))[1].append(place)
    return list(places.values())


def _where(plan: FigurePlan, rollup: Rollup | None, places: Sequence[int]) -> str:
    column = "s.bucket" if rollup else "s.ts"
    ranges = " OR ".join(f"({column} >= %(from_{place})s AND {column} < %(to_{place})s)" for place in places)
    conditions = [
        "s.organisation_id = ANY(%(organisations)s::int[])",
        "s.project_id = ANY(%(projects)s::int[])",
        # The whole stretch once more: partitions are pruned by it, not by the alternatives.
        f"{column} >= %(from_{places[0]})s AND {column} < %(to_{places[-1]})s",
        f"({ranges})",
        *(f"{_label(key, rollup)} = %(equal_{key})s" for key in sorted(plan.equal)),
    ]
    return " AND ".join(conditions)


def _label(key: str, rollup: Rollup | None) -> str:
    return f"s.{key}" if rollup else DIMENSIONS[key].sql


def _parameters(plan: FigurePlan, segments: Sequence[Segment]) -> dict[str, Any]:
    parameters: dict[str, Any] = {**plan.scope.tenant, "width": plan.grain.width}
    parameters |= {f"equal_{key}": value for key, value in plan.equal.items()}
    for place, segment in enumerate(segments):
        parameters |= {f"from_{place}": segment.start, f"to_{place}": segment.end}
    return parameters


def _percentiles(
    plan: FigurePlan, segments: Sequence[Segment], by_bucket: ByBucket
) -> dict[datetime | None, dict[str, Any]]:
    found: dict[datetime | None, dict[str, Any]] = {bucket: {} for bucket in by_bucket}
    exact = source_of(segments) == "spans"
    for sketch in SKETCHES_BY_KEY.values():
        wanted = [one for one in plan.quantiles if one.sketch == sketch.key]
        if wanted:
            values = (_exact if exact else _estimated)(plan, segments, sketch, wanted, by_bucket)
            for bucket in by_bucket:
                found[bucket] |= values.get(bucket, dict.fromkeys([one.key for one in wanted]))
    return found


def _exact(
    plan: FigurePlan, segments: Sequence[Segment], sketch: Sketch, wanted: Sequence[Quantile], _facts: ByBucket
) -> dict[datetime | None, dict[str, Any]]:
    keys = [one.key for one in wanted]
    with connection.cursor() as cursor:
        cursor.execute(*exact_statement(plan, segments, sketch, wanted))
        return {bucket: dict(zip(keys, values, strict=True)) for bucket, *values in cursor}


def _estimated(
    plan: FigurePlan, segments: Sequence[Segment], sketch: Sketch, wanted: Sequence[Quantile], facts: ByBucket
) -> dict[datetime | None, dict[str, Any]]:
    merged_bins: dict[datetime | None, Counter[int]] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(*sketch_statement(plan, segments, sketch))
        for bucket, bins, counts in cursor:
            for held in {bucket, None}:
                into = merged_bins[held]
                for number, count in zip(bins, counts, strict=True):
                    into[number] += count
    values = {}
    for bucket, binned in merged_bins.items():
        if bucket in facts:
            least, greatest = facts[bucket][f"{sketch.key}_min"], facts[bucket][f"{sketch.key}_max"]
            found = nearest_ranks(binned, [one.percent for one in wanted])
            values[bucket] = {
                one.key: estimate(number, least=least, greatest=greatest)
                for one, number in zip(wanted, found, strict=True)
            }
    return values


def exact_statement(
    plan: FigurePlan, segments: Sequence[Segment], sketch: Sketch, wanted: Sequence[Quantile]
) -> tuple[str, dict[str, Any]]:
    """Return the statement of exact nearest-rank percentiles from spans alone."""
    # percentile_disc is the nearest rank: the least value whose rank is at least p times the count.
    ranks = "".join(
        f", percentile_disc({one.percent / 100}) WITHIN GROUP (ORDER BY {sketch.value})"
        f" FILTER (WHERE {sketch.condition})"
        for one in wanted
    )
    sets = "(), (bucket)" if plan.with_series else "()"
    sql = f"""
        SELECT {"bucket" if plan.with_series else "NULL"}{ranks}
        FROM (SELECT s.*, {_bucket(plan, None)} AS bucket FROM llm_traces AS s
            WHERE {_where(plan, None, range(len(segments)))}) AS s
        GROUP BY GROUPING SETS ({sets})"""
    return sql, _parameters(plan, segments)


def sketch_statement(plan: FigurePlan, segments: Sequence[Segment], sketch: Sketch) -> tuple[str, dict[str, Any]]:
    """Return the statement that gives bins and counts of the plan's buckets: as kept, and of spans binned now.

    A bucket may have several rows. Rows by labels are many, so they are merged before they leave the server.
    """
    parts = []
    for rollup, places in _by_source(segments):
        bucket, where = _bucket(plan, rollup), _where(plan, rollup, places)
        if rollup is None:
            binned = f"""SELECT {bucket} AS bucket, observatory_bin({sketch.value}) AS bin, count(*) AS n
                FROM llm_traces AS s WHERE {where} AND {sketch.condition} GROUP BY 1, 2"""
        elif rollup.labels:
            binned = f"""SELECT {bucket} AS bucket, held.bin, sum(held.n)::bigint AS n
                FROM {rollup.table} AS s CROSS JOIN LATERAL unnest(s.{sketch.bins}, s.{sketch.counts}) AS held (bin, n)
                WHERE {where} GROUP BY 1, 2"""
        else:
            parts.append(
                f"SELECT {bucket}, s.{sketch.bins}, s.{sketch.counts} FROM {rollup.table} AS s"
                f" WHERE {where} AND s.{sketch.bins} IS NOT NULL"
            )
            continue
        parts.append(f"SELECT bucket, array_agg(bin), array_agg(n) FROM ({binned}) AS binned GROUP BY 1")
    return " UNION ALL ".join(parts), _parameters(plan, segments)
