"""What will be spent: the forecast of daily costs from the caller's own history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analytics.queries.figures import Ask, ask
from analytics.queries.forecasting import LEAST_FOR_INTERVALS, Fit, bounds, fitted
from analytics.queries.plans import Filter, Question, Sort
from analytics.queries.reports.cost_summary import full_days
from analytics.queries.reports.parts import figures_named
from analytics.queries.reports.performance import metadata
from analytics.queries.shapes import ORIGIN_MEMBERS, Kind, Tree, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.scope import Scope
from errors.catalog import TOO_LITTLE_HISTORY
from errors.exceptions import ApiError

Reply = dict[str, Any]
LEAST_DAYS = 2
PERIODS = {"next_week": 7, "next_month": 30, "next_quarter": 90}
_MONTH = 30
_HELD_OUT = 5  # the last fifth of the history judges a fit of the rest
_SIX, _FOUR = Decimal("0.000001"), Decimal("0.0001")
_ESTIMATE = "An estimate in dollars, of at most 6 decimals."
FORECAST = Tree(
    members={
        "historical": Tree(
            members={
                "date": leaf(Kind.DATE),
                "cost": leaf(Kind.MONEY),
                "requests": leaf(Kind.COUNT),
            },
            many=True,
            description="Every full UTC day of the history, oldest first.",
        ),
        "forecast": Tree(
            members={
                "date": leaf(Kind.DATE),
                "forecasted_cost": leaf(Kind.MONEY, _ESTIMATE),
                "lower_bound": leaf(Kind.MONEY, "The cost of the day lies between both in 95 of 100.", nullable=True),
                "upper_bound": leaf(Kind.MONEY, nullable=True),
            },
            many=True,
        ),
        "summary": Tree(
            members={
                "total_forecasted_cost": leaf(Kind.MONEY, _ESTIMATE),
                "avg_daily_cost": leaf(Kind.MONEY, _ESTIMATE),
                "projected_monthly_cost": leaf(Kind.MONEY, "30 days of the average."),
                "r_squared": leaf(Kind.NUMBER, "Share of the variation that the fit explains."),
                "mape": leaf(Kind.PERCENT, "Mean error in percent on the last fifth, held out.", nullable=True),
            }
        ),
    }
)
METADATA = Tree(
    members={
        "historical_start": leaf(Kind.DATE),
        "historical_end": leaf(Kind.DATE, "First day that is not part of the history."),
        "forecast_start": leaf(Kind.DATE),
        "forecast_end": leaf(Kind.DATE, "First day that is not part of the forecast."),
        "forecast_days": leaf(Kind.COUNT),
        "model_type": leaf(Kind.TEXT, "linear_regression_weekday from 28 days of history on, else linear_regression."),
        "generated_at": leaf(Kind.TIME, "Time of the data version.", nullable=True),
        **ORIGIN_MEMBERS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a day will cost, and the bounds between which it lies in 95 of 100; `None` of too short a history."""

    cost: Decimal
    lower: Decimal | None
    upper: Decimal | None


def cost_forecast(
    *,
    scope: Scope,
    where: TimeRange,
    days: int,
    with_intervals: bool = True,
    filters: Sequence[Filter] = (),
    wanted: Tree = FORECAST,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted` for `days` days after the history in `where`.

    Raise 400/1204 when fewer than two of its full UTC days have costs.
    """
    question = Question(
        scope=scope,
        range=where,
        filters=filters,
        figures=figures_named("total_cost", "total_requests"),
        grain=GRAINS["1day"],
        sort=Sort(descending=False),
    )
    (answer,) = ask(question)
    history = full_days(answer)
    if sum(1 for _, cost, _ in history if cost) < LEAST_DAYS:
        raise ApiError(TOO_LITTLE_HISTORY, field="historical_start", days=LEAST_DAYS)
    costs = [cost for _, cost, _ in history]
    fit = fitted(costs)
    ahead = expected(fit, days, with_intervals=with_intervals)
    first = history[-1][0] + timedelta(days=1)
    total = sum((one.cost for one in ahead), Decimal(0))
    average = (total / days).quantize(_SIX, ROUND_HALF_UP)
    body = {
        "historical": [{"date": day, "cost": cost, "requests": requests} for day, cost, requests in history],
        "forecast": [
            {
                "date": first + timedelta(days=place),
                "forecasted_cost": day.cost,
                "lower_bound": day.lower,
                "upper_bound": day.upper,
            }
            for place, day in enumerate(ahead)
        ],
        "summary": {
            "total_forecasted_cost": total,
            "avg_daily_cost": average,
            "projected_monthly_cost": average * _MONTH,
            "r_squared": _explained(fit),
            "mape": _error(costs),
        },
    }
    told = metadata(answer)
    return {
        **wanted.cut(body),
        "metadata": {
            "historical_start": history[0][0],
            "historical_end": first,
            "forecast_start": first,
            "forecast_end": first + timedelta(days=days),
            "forecast_days": days,
            "model_type": "linear_regression_weekday" if fit.with_weekdays else "linear_regression",
            "generated_at": told["as_of"],
            "as_of": told["as_of"],
            "data_source": told["data_source"],
        },
    }


def expected(fit: Fit, days: int, *, with_intervals: bool = True) -> list[Expected]:
    """Return what the first `days` days after the history will cost; intervals from 28 days of history on."""
    count = len(fit.values)
    ahead = list(range(count, count + days))
    widths = bounds(fit, ahead) if with_intervals and count >= LEAST_FOR_INTERVALS else [None] * days
    return [_expected(fit.at(day), width) for day, width in zip(ahead, widths, strict=True)]


def _expected(cost: Decimal, width: Decimal | None) -> Expected:
    return Expected(
        cost=_amount(cost),
        lower=None if width is None else _amount(cost - width),
        upper=None if width is None else _amount(cost + width),
    )


def _amount(value: Decimal) -> Decimal:
    return max(value, Decimal(0)).quantize(_SIX, ROUND_HALF_UP)


def _explained(fit: Fit) -> Decimal:
    mean = sum(fit.values, Decimal(0)) / len(fit.values)
    whole = sum(((value - mean) ** 2 for value in fit.values), Decimal(0))
    left = sum((one**2 for one in fit.residuals), Decimal(0))
    return (1 - left / whole).quantize(_FOUR, ROUND_HALF_UP) if whole else Decimal(1)


def _error(costs: Sequence[Decimal]) -> Decimal | None:
    """Return the mean absolute error in percent over the days with cost of the last fifth, of a fit without them."""
    kept = len(costs) - max(len(costs) // _HELD_OUT, 1)
    if kept < LEAST_DAYS:
        return None
    fit = fitted(costs[:kept])
    errors = [
        abs(max(fit.at(day), Decimal(0)) - costs[day]) / costs[day] for day in range(kept, len(costs)) if costs[day]
    ]
    return (sum(errors, Decimal(0)) / len(errors) * 100).quantize(_FOUR, ROUND_HALF_UP) if errors else None
