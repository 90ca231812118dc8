"""What was spent in total, and how it goes: by day and week, against the days before, its dearest spans."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analytics.queries.figures import Answer, Ask, Row, ask
from analytics.queries.plans import Filter, Question, Sort
from analytics.queries.reports.costs import COSTS, NINE, Reply
from analytics.queries.reports.parts import change, figures_named, of_whole_range, share
from analytics.queries.reports.performance import metadata
from analytics.queries.reports.samples import dearest_spans
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, Kind, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import FIGURES
from analytics.scope import Scope

MOST_OF_A_KIND = 50
_DAY, _WEEK_DAYS = timedelta(days=1), 7
_BY = ("provider", "model", "environment")
_OVERVIEW = (*COSTS, "total_requests", "unpriced_requests", "total_tokens", "avg_cost_per_request")
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
