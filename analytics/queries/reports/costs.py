"""What was spent: in total, over time, by what and whom; what has no price."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analytics.queries.figures import Answer, Ask, Row, ask
from analytics.queries.plans import Comparison, Filter, Groups, Having, Question, Sort
from analytics.queries.reports.parts import change, figures_named, of_whole_range, share
from analytics.queries.reports.performance import exactly, metadata, over_time
from analytics.queries.reports.samples import dearest_spans, unpriced_spans
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, TIMESTAMP_LEAF, Kind, Node, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.dimensions import Dimension
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.grains import Grain
from analytics.registry.measures import FIGURES
from analytics.scope import Scope

Reply = dict[str, Any]
NINE = Decimal(1).scaleb(-9)
METADATA = Tree(members={**RANGE_MEMBERS, "granularity": leaf(Kind.TEXT), **ORIGIN_MEMBERS})
PLAIN_METADATA = Tree(members={**RANGE_MEMBERS, **ORIGIN_MEMBERS})
_COSTS = ("total_cost", "prompt_cost", "completion_cost")
SERIES: Mapping[str, Node] = {"timestamp": TIMESTAMP_LEAF, **figures(*_COSTS, "request_count")}

# --- over time --------------------------------------------------------------------------------------------------------
GROUPS = ("provider", "model", "environment")
ANALYTICS = Tree(
    members={
        **figures(*_COSTS, "request_count", "unpriced_requests", "avg_cost_per_request"),
        "time_series": Tree(
            members={**SERIES, **{name: leaf(Kind.TEXT, "With group_by.", nullable=True) for name in GROUPS}},
            many=True,
            always=("timestamp",),
            description="Oldest first.",
        ),
    }
)


def cost_analytics(
    *,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter] = (),
    grain: Grain,
    group_by: str | None = None,
    wanted: Tree = ANALYTICS,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted`: costs in total and over time, by a dimension where one is named."""
    series = wanted.tree("time_series")
    asked = Question(scope=scope, range=where, filters=filters, grain=exactly(grain), figures=wanted.figures)
    questions = [asked]
    if series.members:
        groups = [DIMENSIONS[group_by]] if group_by else []
        questions.append(replace(over_time(asked, grain, series), group_by=groups, presence=None))
    answers = ask(*questions)
    body: Reply = dict(answers[0].totals)
    if series.members:
        body["time_series"] = list(answers[1].items())
    return {**wanted.cut(body), "metadata": metadata(*answers, granularity=grain.key)}


# --- by what and whom -------------------------------------------------------------------------------------------------
_SHARES = Tree(
    members={
        "dimension": leaf(Kind.TEXT, nullable=True),
        **figures("total_cost", "request_count"),
        "percentage": leaf(Kind.PERCENT, "Share of the whole cost."),
    },
    many=True,
    description="Dearest first.",
)
_BREAKDOWNS: Mapping[str, tuple[str, int | None]] = {
    "by_model": ("model", 20),
    "by_user": ("user_id", 20),
    "by_provider": ("provider", None),
}
ANONYMOUS = "anonymous"
BREAKDOWN = Tree(
    members={
        **dict.fromkeys(_BREAKDOWNS, _SHARES),
        "by_time": Tree(members=SERIES, many=True, always=("timestamp",), description="Oldest first."),
    }
)


def cost_breakdown(
    *,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter] = (),
    grain: Grain,
    wanted: Tree = BREAKDOWN,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted`: costs by model, by user, by provider, and over time."""
    shown = figures_named("total_cost", "request_count")
    total = of_whole_range(scope, where, filters, shown)
    questions = {"total": total}
    for name, (dimension, limit) in _BREAKDOWNS.items():
        if name in wanted:
            questions[name] = of_whole_range(
                scope, where, filters, shown, dimension, sort=Sort(by="total_cost"), limit=limit
            )
    if series := wanted.tree("by_time").members and wanted.tree("by_time"):
        questions["by_time"] = replace(over_time(total, grain, series), presence=None)
    answers = dict(zip(questions, ask(*questions.values()), strict=True))
    whole = answers["total"].totals["total_cost"]
    body: Reply = {
        name: [
            _share(answers[name], row, whole, ANONYMOUS if dimension == "user_id" else None)
            for row in answers[name].rows
        ]
        for name, (dimension, _) in _BREAKDOWNS.items()
        if name in answers
    }
    if "by_time" in answers:
        body["by_time"] = list(answers["by_time"].items())
    return {**wanted.cut(body), "metadata": metadata(*answers.values(), granularity=grain.key)}


def _share(answer: Answer, row: Row, whole: Decimal | None, missing: str | None) -> Reply:
    found = answer.figures_of(row)
    return {"dimension": row.labels[0] or missing, **found, "percentage": share(found["total_cost"], whole)}


# --- whom it is attributed to -----------------------------------------------------------------------------------------
# What a cost can be attributed to, and the dimension that it is.
ATTRIBUTABLE: Mapping[str, str] = {
    "user": "user_id",
    "team": "team_id",
    "tag": "tag",
    "provider": "provider",
    "model": "model",
    "environment": "environment",
    "project": "project_id",
}
_ATTRIBUTED = (*_COSTS, "request_count", "unpriced_requests", "total_tokens")
ATTRIBUTION = Tree(
    members={
        "items": Tree(
            members={
                "dimension_value": leaf(Kind.TEXT, nullable=True),
                **figures(*_ATTRIBUTED),
                "cost_percentage": leaf(Kind.PERCENT, "Share of the cost of the whole range."),
                **figures("avg_cost_per_request"),
                "by_provider": leaf(Kind.OBJECT, "Cost by provider."),
                "by_model": leaf(Kind.OBJECT, "Cost by model."),
            },
            many=True,
            description="Dearest first.",
        ),
        "other": Tree(
            members={"items": leaf(Kind.COUNT), **figures("total_cost", "request_count")},
            description="Everything that items do not show.",
        ),
        "summary": Tree(
            members={
                **figures("total_cost", "total_requests"),
                "unique_items": leaf(Kind.COUNT, "Different values in the range."),
                "avg_cost_per_item": leaf(Kind.MONEY, nullable=True),
            }
        ),
    }
)
ATTRIBUTION_METADATA = Tree(
    members={
        "dimension": leaf(Kind.TEXT),
        **RANGE_MEMBERS,
        "total_items": leaf(Kind.COUNT, "Values that cost at least min_cost."),
        **ORIGIN_MEMBERS,
    }
)
_PARTS: Mapping[str, str] = {"by_provider": "provider", "by_model": "model"}
UNKNOWN = "unknown"


def cost_attribution(
    *,
    scope: Scope,
    where: TimeRange,
    dimension: Dimension,
    name: str,
    limit: int,
    min_cost: Decimal = Decimal(0),
    filters: Sequence[Filter] = (),
    wanted: Tree = ATTRIBUTION,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted`: what each value of a dimension cost. `name` is what that was asked as."""
    cost = FIGURES["total_cost"]
    asked = Question(
        scope=scope,
        range=where,
        filters=filters,
        group_by=[dimension],
        figures=figures_named(*_ATTRIBUTED, "avg_cost_per_request"),
        having=[Having(figure=cost, comparison=Comparison.GTE, value=min_cost)] if min_cost else (),
        sort=Sort(by="total_cost"),
        limit=limit,
        counted=True,
    )
    whole = of_whole_range(scope, where, filters, figures_named("total_cost", "total_requests"))
    everything = replace(asked, having=(), limit=1, figures=[cost])
    total, found, every = ask(whole, asked, everything)
    shown = [(row.labels[0] or "",) for row in found.rows]
    parts, rest = _parts(asked, shown, wanted, ask)
    spent = total.totals["total_cost"]
    items = [_item(found, row, spent, parts) for row in found.rows]
    body = {
        "items": items,
        "other": {"items": every.counted - len(items), **(rest or {})},
        "summary": {
            **total.totals,
            "unique_items": every.counted,
            "avg_cost_per_item": _each(spent, every.counted),
        },
    }
    told = metadata(total, found)
    origin = {"dimension": name, "total_items": found.counted, **told}
    return {**wanted.cut(body), "metadata": {key: origin[key] for key in ATTRIBUTION_METADATA.members}}


def _each(cost: Decimal | None, count: int) -> Decimal | None:
    return None if cost is None or not count else (cost / count).quantize(NINE, ROUND_HALF_UP)


def _parts(
    asked: Question, shown: Sequence[tuple[str, ...]], wanted: Tree, ask: Ask
) -> tuple[Mapping[str, Mapping[str | None, Reply]], Reply | None]:
    """Return the costs of the shown values by provider and model, and the figures of everything else."""
    plain = replace(asked, having=(), limit=None, counted=False)
    costs = replace(plain, figures=[FIGURES["total_cost"]], presence=("usage_count",))
    inside = Groups(dimensions=asked.group_by, rows=shown, inside=True)
    names = [name for name in _PARTS if shown and name in wanted.tree("items")]
    questions = [replace(costs, group_by=[*asked.group_by, DIMENSIONS[_PARTS[name]]], groups=inside) for name in names]
    if "other" in wanted:
        outside = Groups(dimensions=asked.group_by, rows=shown, inside=False) if shown else None
        rest = figures_named("total_cost", "request_count")
        questions.append(replace(plain, figures=rest, group_by=(), groups=outside, sort=Sort()))
    answers = ask(*questions) if questions else []
    parts: dict[str, dict[str | None, Reply]] = {name: {} for name in names}
    for name, answer in zip(names, answers, strict=False):
        for row in answer.rows:
            value, part = row.labels[0], row.labels[-1]
            parts[name].setdefault(value, {})[part or UNKNOWN] = row.values[0]
    return parts, answers[-1].totals if "other" in wanted else None


def _item(answer: Answer, row: Row, spent: Decimal | None, parts: Mapping[str, Mapping[str | None, Reply]]) -> Reply:
    found = answer.figures_of(row)
    return {
        "dimension_value": row.labels[0],
        **found,
        "cost_percentage": share(found["total_cost"], spent),
        **{name: by_value.get(row.labels[0], {}) for name, by_value in parts.items()},
    }


# --- what has no price ------------------------------------------------------------------------------------------------
UNPRICED = Tree(
    members={
        "items": Tree(
            members={
                "provider": leaf(Kind.TEXT, nullable=True),
                "model": leaf(Kind.TEXT, nullable=True),
                "reason": leaf(Kind.TEXT, "no_price, no_part_price or no_usage."),
                "request_count": leaf(Kind.COUNT),
                "total_tokens": leaf(Kind.COUNT),
                "first_seen": leaf(Kind.TIME),
                "last_seen": leaf(Kind.TIME),
            },
            many=True,
            description="Most requests first.",
        ),
        "summary": Tree(members={"request_count": leaf(Kind.COUNT), "total_tokens": leaf(Kind.COUNT)}),
    }
)


def costs_unpriced(
    *, scope: Scope, where: TimeRange, filters: Sequence[Filter] = (), wanted: Tree = UNPRICED, ask: Ask = ask
) -> Reply:
    """Return the members of `wanted`: what has no price, by provider, model and reason."""
    (counted,) = ask(_of_spans(scope, where, filters))
    items = unpriced_spans(scope, counted.range, filters)
    totals = {name: sum(one[name] for one in items) for name in ("request_count", "total_tokens")}
    return {**wanted.cut({"items": items, "summary": totals}), "metadata": metadata(counted)}


def _of_spans(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> Question:
    """Return a question that only spans answer, and so only over what is kept of them."""
    exact = replace(GRAINS["all"], exact=True)
    return Question(scope=scope, range=where, filters=filters, figures=figures_named("unpriced_requests"), grain=exact)


# --- summary ----------------------------------------------------------------------------------------------------------
MOST_OF_A_KIND = 50
_DAY, _WEEK_DAYS = timedelta(days=1), 7
_BY = ("provider", "model", "environment")
_OVERVIEW = (*_COSTS, "total_requests", "unpriced_requests", "total_tokens", "avg_cost_per_request")
_BUCKETS = Tree(
    members={
        "date": leaf(Kind.DATE, "First day of the bucket."),
        "cost": leaf(Kind.MONEY, nullable=True),
        "requests": leaf(Kind.COUNT),
    },
    many=True,
    description="Oldest first.",
)
_TRENDS = ("growth_rate_daily", "growth_rate_weekly", "slope_usd_daily", "slope_usd_weekly")
COST_SUMMARY = Tree(
    members={
        "overview": Tree(
            members={
                **figures(*_OVERVIEW),
                "avg_cost_per_1k_tokens": leaf(Kind.MONEY, nullable=True),
                "day_over_day_change": leaf(Kind.PERCENT, "Last full UTC day against the day before.", nullable=True),
                "week_over_week_change": leaf(Kind.PERCENT, "Last 7 full UTC days, likewise.", nullable=True),
            }
        ),
        **{
            f"by_{name}": Tree(
                members={
                    "name": leaf(Kind.TEXT, nullable=True),
                    "cost": leaf(Kind.MONEY, nullable=True),
                    "requests": leaf(Kind.COUNT),
                    "percentage": leaf(Kind.PERCENT),
                    **figures("avg_cost_per_request"),
                },
                many=True,
                description=f"Dearest first, at most {MOST_OF_A_KIND}.",
            )
            for name in _BY
        },
        "trends": Tree(
            members={
                "daily": _BUCKETS,
                "weekly": _BUCKETS,
                **{name: leaf(Kind.NUMBER, nullable=True) for name in _TRENDS},
            },
            nullable=True,
        ),
        "top_traces": Tree(
            members={
                "trace_id": leaf(Kind.TEXT),
                "timestamp": leaf(Kind.TIME),
                "provider": leaf(Kind.TEXT, nullable=True),
                "model": leaf(Kind.TEXT, nullable=True),
                "cost": leaf(Kind.MONEY),
                "tokens": leaf(Kind.COUNT),
                "duration_ms": leaf(Kind.COUNT),
                "user_id": leaf(Kind.TEXT, nullable=True),
            },
            many=True,
            nullable=True,
            description="The spans that cost most.",
        ),
    }
)
SUMMARY_METADATA = Tree(
    members={
        **RANGE_MEMBERS,
        "period_days": leaf(Kind.NUMBER),
        "generated_at": leaf(Kind.TIME, "Time of the data version.", nullable=True),
        **ORIGIN_MEMBERS,
    }
)


def cost_summary(
    *,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter] = (),
    include_trends: bool = True,
    include_top_traces: bool = True,
    top_limit: int = 10,
    wanted: Tree = COST_SUMMARY,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted`: what was spent in a range, on what, and where it is going."""
    cost = figures_named("total_cost", "total_requests")
    overview = wanted.tree("overview")
    questions = {"overview": of_whole_range(scope, where, filters, figures_named(*_OVERVIEW))}
    for name in _BY:
        if f"by_{name}" in wanted:
            questions[name] = of_whole_range(
                scope,
                where,
                filters,
                [*cost, FIGURES["avg_cost_per_request"]],
                name,
                sort=Sort(by="total_cost"),
                limit=MOST_OF_A_KIND,
            )
    trends = include_trends and "trends" in wanted
    if trends or {"day_over_day_change", "week_over_week_change"} & set(overview.members):
        questions["daily"] = Question(
            scope=scope, range=where, filters=filters, figures=cost, grain=GRAINS["1day"], sort=Sort(descending=False)
        )
    answers = dict(zip(questions, ask(*questions.values()), strict=True))
    totals = answers["overview"].totals
    body: Reply = {
        f"by_{name}": [_spent(answers[name], row, totals["total_cost"]) for row in answers[name].rows]
        for name in _BY
        if name in answers
    }
    days = full_days(answers["daily"]) if "daily" in answers else []
    body["overview"] = {**totals, "avg_cost_per_1k_tokens": _per_1k(totals), **_recent(days)}
    body["trends"] = _trends(answers["daily"], days) if trends else None
    body["top_traces"] = (
        dearest_spans(scope, answers["overview"].range, filters, limit=top_limit)
        if include_top_traces and "top_traces" in wanted
        else None
    )
    told = metadata(*answers.values())
    more = {
        "period_days": (Decimal(str(where.seconds)) / 86_400).quantize(Decimal("0.0001"), ROUND_HALF_UP),
        "generated_at": told["as_of"],
    }
    return {**wanted.cut(body), "metadata": told | more}


def _spent(answer: Answer, row: Row, whole: Decimal | None) -> Reply:
    found = answer.figures_of(row)
    return {
        "name": row.labels[0],
        "cost": found["total_cost"],
        "requests": found["total_requests"],
        "percentage": share(found["total_cost"], whole),
        "avg_cost_per_request": found["avg_cost_per_request"],
    }


def _per_1k(totals: Mapping[str, Any]) -> Decimal | None:
    cost, tokens = totals["total_cost"], totals["total_tokens"]
    return None if cost is None or not tokens else (cost * 1000 / tokens).quantize(NINE, ROUND_HALF_UP)


def _dated(answer: Answer) -> dict[date, tuple[Decimal | None, int]]:
    return {row.bucket.date(): (row.values[0], row.values[1]) for row in answer.rows if row.bucket is not None}


def full_days(answer: Answer) -> list[tuple[date, Decimal, int]]:
    """Return date, cost and requests of every full UTC day of the range, 0 where there was nothing."""
    known = _dated(answer)
    return [
        (day, known.get(day, (None, 0))[0] or Decimal(0), known.get(day, (None, 0))[1]) for day in _days(answer.range)
    ]


def _days(where: TimeRange) -> Iterator[date]:
    day = _midnight(where.start)
    day = day if day == where.start else day + _DAY
    while day + _DAY <= where.end:
        yield day.date()
        day += _DAY


def _midnight(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _recent(days: Sequence[tuple[date, Decimal, int]]) -> Reply:
    costs = [cost for _, cost, _ in days]
    week = _WEEK_DAYS
    return {
        "day_over_day_change": change(costs[-1], costs[-2]) if len(costs) > 1 else None,
        "week_over_week_change": (
            change(sum(costs[-week:], Decimal(0)), sum(costs[-2 * week : -week], Decimal(0)))
            if len(costs) >= 2 * week
            else None
        ),
    }


def _trends(daily: Answer, days: Sequence[tuple[date, Decimal, int]]) -> Reply:
    weeks: dict[date, list[tuple[Decimal, int]]] = {}
    for day, cost, requests in days:
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append((cost, requests))
    full = [sum(cost for cost, _ in week) for week in weeks.values() if len(week) == _WEEK_DAYS]
    slope_daily, growth_daily = _slope([cost for _, cost, _ in days])
    slope_weekly, growth_weekly = _slope([Decimal(cost) for cost in full])
    return {
        "daily": [{"date": day, "cost": cost, "requests": requests} for day, (cost, requests) in _dated(daily).items()],
        "weekly": [
            {
                "date": start,
                "cost": sum((cost for cost, _ in week), Decimal(0)),
                "requests": sum(requests for _, requests in week),
            }
            for start, week in weeks.items()
        ],
        "growth_rate_daily": growth_daily,
        "growth_rate_weekly": growth_weekly,
        "slope_usd_daily": slope_daily,
        "slope_usd_weekly": slope_weekly,
    }


def _slope(costs: Sequence[Decimal]) -> tuple[Decimal | None, Decimal | None]:
    """Return the least-squares slope of costs a bucket in dollars, and in percent of their mean; `None` of too few."""
    count = len(costs)
    if count < 2:  # noqa: PLR2004  a line takes two points
        return None, None
    middle, mean = Decimal(count - 1) / 2, sum(costs, Decimal(0)) / count
    spread = sum(((place - middle) ** 2 for place in range(count)), Decimal(0))
    slope = sum(((place - middle) * cost for place, cost in enumerate(costs)), Decimal(0)) / spread
    growth = (slope / mean * 100).quantize(Decimal("0.0001"), ROUND_HALF_UP) if mean else Decimal(0)
    return slope.quantize(NINE, ROUND_HALF_UP), growth
