"""The domain call of every route of figures, with the parameters that it has when a client sends none."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from analytics.queries.plans import Question, Sort
from analytics.queries.reports.comparison import comparison
from analytics.queries.reports.cost_summary import cost_summary
from analytics.queries.reports.costs import cost_analytics, cost_attribution, cost_breakdown, costs_unpriced
from analytics.queries.reports.forecast import cost_forecast
from analytics.queries.reports.labels import label_values, labels
from analytics.queries.reports.optimization import optimization
from analytics.queries.reports.people import SESSIONS, USERS, people
from analytics.queries.reports.performance import performance
from analytics.queries.reports.quality import quality
from analytics.queries.reports.summary import summary
from analytics.queries.reports.tables import Fill, metrics_table, query_table
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import FIGURES
from benchmarks.loading import Loaded

Call = Callable[[], Any]
DAY, WEEK, MONTH = 1, 7, 30
# Whose rollup has a row for every user: what they read grows with the rows of it.
BY_USER: Mapping[str, str] = {"costs_attribution_by_user": "llm_usage_1day", "costs_breakdown": "llm_usage_1hour"}


def calls(what: Loaded) -> dict[str, Call]:
    """Return the calls by the names of their routes, over all projects of the organisation."""
    hour, scope = GRAINS["1hour"], what.scope()

    def over(days: int) -> dict[str, Any]:
        return {"scope": scope, "where": TimeRange(start=what.end - timedelta(days=days), end=what.end)}

    def listed(listing: Any) -> Call:
        sort = Sort(by="last_ts")
        return partial(
            people,
            listing=listing,
            filters=(),
            sort=sort,
            limit=50,
            after=None,
            wanted=listing.shape,
            link_to=str,
            **over(DAY),
        )

    asked = Question(
        scope=scope,
        range=over(DAY)["where"],
        figures=[FIGURES["request_count"], FIGURES["total_cost"]],
        grain=hour,
        limit=10_000,
    )
    return {
        "metrics": partial(metrics_table, question=asked, names=[], fill=Fill.NONE),
        "metrics_query": partial(query_table, question=asked, filters=[], conditions=[]),
        "performance": partial(performance, grain=hour, **over(WEEK)),
        "quality": partial(quality, grain=hour, **over(WEEK)),
        "summary": partial(summary, **over(DAY)),
        "labels": partial(labels, **over(DAY)),
        "label_values": partial(label_values, dimension=DIMENSIONS["model"], prefix=None, limit=100, **over(DAY)),
        "compare": partial(comparison, models=["gpt-4o", "gpt-4o-mini"], **over(WEEK)),
        "optimization": partial(optimization, **over(WEEK)),
        "costs_summary": partial(cost_summary, **over(MONTH)),
        "costs_attribution_by_model": _attributed("model", over(MONTH)),
        "costs_attribution_by_user": _attributed("user_id", over(MONTH)),
        "costs_analytics": partial(cost_analytics, grain=hour, **over(WEEK)),
        "costs_breakdown": partial(cost_breakdown, grain=hour, **over(WEEK)),
        "costs_unpriced": partial(costs_unpriced, **over(MONTH)),
        "costs_forecast": partial(cost_forecast, days=30, **over(MONTH)),
        "users": listed(USERS),
        "sessions": listed(SESSIONS),
    }


def _attributed(dimension: str, over: Mapping[str, Any]) -> Call:
    return partial(cost_attribution, dimension=DIMENSIONS[dimension], name=dimension, limit=100, **over)
