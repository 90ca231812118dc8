"""What was spent and will be: GET /costs/summary, attribution, analytics, breakdown, unpriced, forecast."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request

from analytics.api.bodies import told
from analytics.api.caching.views import Question
from analytics.api.common import FIELDS, FILTERS, PROJECTS, filters_of, time_range
from analytics.api.figures import EXPLAIN, MONTH, ReportView, question_of, reported
from analytics.api.metrics import GRANULARITY, dimension_named
from analytics.api.overviews import bounded, flag
from analytics.api.parameters import Parameter, choice, integer, number, text, validate
from analytics.queries.reports import cost_summary, costs
from analytics.queries.reports.forecast import FORECAST, PERIODS, cost_forecast
from analytics.queries.reports.forecast import METADATA as FORECAST_METADATA
from analytics.queries.shapes import Tree
from analytics.queries.timerange import check_shortest
from analytics.registry.dimensions import ATTRIBUTES
from analytics.registry.grains import BY_KEY as GRAINS
from errors.catalog import INVALID_FIELD_VALUE, MISSING_REQUIRED_FIELD
from errors.exceptions import ApiError

More = Mapping[str, Any]


class CostView(ReportView):
    """A route of cost figures."""

    permission = "costs:read"
    metadata = costs.PLAIN_METADATA


@reported("costs_analytics")
class CostAnalyticsView(CostView):
    """Costs in total and over time."""

    route = "/costs/analytics"
    own = (
        GRANULARITY,
        Parameter(
            name="group_by",
            read=choice({one: one for one in costs.GROUPS}),
            schema={"type": "string", "enum": list(costs.GROUPS)},
            description="What the buckets are cut by.",
        ),
    )
    report, shape, metadata = staticmethod(costs.cost_analytics), costs.ANALYTICS, costs.METADATA

    def more(self, request: Request, values: More) -> More:  # noqa: ARG002
        return {"grain": GRAINS[values["granularity"]], "group_by": values["group_by"]}


@reported("costs_breakdown")
class CostBreakdownView(CostView):
    """Costs by model, user and provider, and over time."""

    route = "/costs/breakdown"
    own = (GRANULARITY,)
    report, shape, metadata = staticmethod(costs.cost_breakdown), costs.BREAKDOWN, costs.METADATA

    def more(self, request: Request, values: More) -> More:  # noqa: ARG002
        return {"grain": GRAINS[values["granularity"]]}


@reported("costs_unpriced")
class UnpricedView(CostView):
    """What has no price."""

    route = "/costs/unpriced"
    window = MONTH
    report, shape = staticmethod(costs.costs_unpriced), costs.UNPRICED


@reported("costs_summary")
class CostSummaryView(CostView):
    """What was spent, on what, and where it is going."""

    route = "/costs/summary"
    window = MONTH
    own = (
        flag("include_trends", "Costs by day and week, and their slopes."),
        flag("include_top_traces", "The spans that cost most."),
        bounded("top_limit", high=100, default=10, description="Most top_traces."),
    )
    report, shape, metadata = (
        staticmethod(cost_summary.cost_summary),
        cost_summary.COST_SUMMARY,
        cost_summary.SUMMARY_METADATA,
    )

    def more(self, request: Request, values: More) -> More:  # noqa: ARG002
        return {name: values[name] for name in ("include_trends", "include_top_traces", "top_limit")}


@reported("costs_attribution")
class AttributionView(CostView):
    """What each user, team, tag, model … cost."""

    route = "/costs/attribution"
    own = (
        Parameter(
            name="dimension",
            read=text(longest=300),
            schema={"type": "string", "examples": [*costs.ATTRIBUTABLE, f"{ATTRIBUTES}<key>"]},
            required=True,
            description=f"One of {', '.join(costs.ATTRIBUTABLE)}, {ATTRIBUTES}<key>.",
        ),
        bounded("limit", high=1000, default=100, description="Most items."),
        Parameter(
            name="min_cost",
            read=number(low=0),
            schema={"type": "number", "minimum": 0, "default": 0},
            default=0,
            description="Leaves out what cost less, in dollars.",
        ),
    )
    report, shape, metadata = staticmethod(costs.cost_attribution), costs.ATTRIBUTION, costs.ATTRIBUTION_METADATA

    def ask(self, request: Request, **path: str) -> Question:
        for name, other in (("start_time", "from"), ("end_time", "to")):
            if name not in request.query_params and other not in request.query_params:
                validate(request.query_params, self.taken())  # what is wrong with the others is told first
                raise ApiError(MISSING_REQUIRED_FIELD, field=name)
        return super().ask(request, **path)

    def more(self, request: Request, values: More) -> More:
        name = values["dimension"]
        if name not in costs.ATTRIBUTABLE and not name.startswith(ATTRIBUTES):
            allowed = [*costs.ATTRIBUTABLE, f"{ATTRIBUTES}<key>"]
            raise ApiError(INVALID_FIELD_VALUE, field="dimension", details=told(name, allowed))
        found = dimension_named(costs.ATTRIBUTABLE.get(name, name), field="dimension", request=request)
        return {"dimension": found, "name": name, "limit": values["limit"], "min_cost": values["min_cost"]}


_HISTORY = tuple(
    Parameter(
        name=name,
        read=text(longest=64),
        schema={"type": "string", "examples": ["now-60d"]},
        description=f"{what} of the history: RFC 3339 with an offset, a date, or relative to now.",
    )
    for name, what in (("historical_start", "Start"), ("historical_end", "End"))
)
SHORTEST_HISTORY = timedelta(days=7)
CUSTOM = "custom"


@reported("costs_forecast")
class ForecastView(CostView):
    """What will be spent, from the caller's own history."""

    route = "/costs/forecast"
    cache_group = "F"
    rate_cost = 5
    own = (
        Parameter(
            name="forecast_period",
            read=choice({one: one for one in (*PERIODS, CUSTOM)}),
            schema={"type": "string", "enum": [*PERIODS, CUSTOM], "default": "next_month"},
            default="next_month",
            description="How far ahead; custom needs forecast_days.",
        ),
        Parameter(
            name="forecast_days",
            read=integer(low=1, high=365),
            schema={"type": "integer", "minimum": 1, "maximum": 365},
            description="Days ahead, with forecast_period=custom.",
        ),
        flag("include_confidence_intervals", "Bounds of each day."),
    )
    report: ClassVar[Any] = staticmethod(cost_forecast)
    shape: ClassVar[Tree] = FORECAST
    metadata = FORECAST_METADATA

    @classmethod
    def taken(cls) -> tuple[Parameter, ...]:
        return (*_HISTORY, PROJECTS, *FILTERS, *cls.own, EXPLAIN, FIELDS)

    def ask(self, request: Request, **_path: str) -> Question:
        values = validate(request.query_params, self.taken())
        history = values | {"start_time": values["historical_start"], "end_time": values["historical_end"]}
        where = time_range(
            history, default=MONTH, longest_days=settings.ANALYTICS_MAX_RANGE_DAYS, names=[one.name for one in _HISTORY]
        )
        check_shortest(where, SHORTEST_HISTORY, field="historical_start")
        report = partial(
            cost_forecast,
            days=_days(values),
            with_intervals=values["include_confidence_intervals"],
            filters=filters_of(request, values),
            wanted=FORECAST.chosen(values["fields"]),
        )
        return question_of(request, history, where, report)


def _days(values: More) -> int:
    period: str = values["forecast_period"]
    if period != CUSTOM:
        return PERIODS[period]
    days: int | None = values["forecast_days"]
    if days is None:
        raise ApiError(MISSING_REQUIRED_FIELD, field="forecast_days")
    return days


VIEWS: Sequence[type[CostView]] = (
    CostSummaryView,
    AttributionView,
    CostAnalyticsView,
    CostBreakdownView,
    UnpricedView,
    ForecastView,
)
