"""Summary, quality, labels: GET /metrics/summary, /metrics/quality, /metrics/labels and their values."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from rest_framework.request import Request

from analytics.api.caching.views import Question
from analytics.api.common import filters_of, plain_text, time_range
from analytics.api.figures import DAY, ReportView, question_of, reported
from analytics.api.metrics import GRANULARITY, dimension_named
from analytics.api.parameters import Parameter, boolean, integer, validate
from analytics.queries.reports.labels import LABELS, VALUES, label_values, labels
from analytics.queries.reports.optimization import METADATA as OPTIMIZATION_METADATA
from analytics.queries.reports.optimization import OPTIMIZATION, optimization
from analytics.queries.reports.performance import METADATA
from analytics.queries.reports.quality import QUALITY, quality
from analytics.queries.reports.summary import METADATA as SUMMARY_METADATA
from analytics.queries.reports.summary import SUMMARY, summary
from analytics.queries.shapes import Tree
from analytics.registry.dimensions import dimension
from analytics.registry.grains import BY_KEY as GRAINS
from errors.catalog import UNKNOWN_LABEL
from errors.exceptions import ApiError


def flag(name: str, description: str) -> Parameter:
    """Return a parameter that is true unless it is said to be false."""
    schema = {"type": "boolean", "default": True}
    return Parameter(name=name, read=boolean, schema=schema, default=True, description=description)


def bounded(name: str, *, low: int = 1, high: int, default: int, description: str) -> Parameter:
    """Return a parameter that is a whole number."""
    return Parameter(
        name=name,
        read=integer(low=low, high=high),
        schema={"type": "integer", "minimum": low, "maximum": high, "default": default},
        default=default,
        description=description,
    )


@reported("metrics_summary")
class SummaryView(ReportView):
    """A period beside the one before it."""

    permission = "metrics:read"
    route = "/metrics/summary"
    window, longest = DAY, "METRICS_MAX_RANGE_DAYS"
    own = (flag("compare_previous_period", "Also the period of the same length before."),)
    report, shape, metadata = staticmethod(summary), SUMMARY, SUMMARY_METADATA

    def more(self, request: Request, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return {"compare": values["compare_previous_period"]}


@reported("metrics_quality")
class QualityView(ReportView):
    """How many requests succeed, and what goes wrong with the others."""

    permission = "metrics:read"
    public = True
    route = "/metrics/quality"
    cache_group = "A"
    own = (GRANULARITY,)
    report, shape, metadata = staticmethod(quality), QUALITY, METADATA

    def more(self, request: Request, values: Mapping[str, Any]) -> Mapping[str, Any]:
        # Messages may quote what users wrote.
        return {"grain": GRAINS[values["granularity"]], "with_messages": bool(request.user.is_authenticated)}


@reported("optimization")
class OptimizationView(ReportView):
    """What could be better, with the numbers behind it."""

    permission = "metrics:read"
    route = "/optimization"
    rate_cost = 10
    report, shape, metadata = staticmethod(optimization), OPTIMIZATION, OPTIMIZATION_METADATA


@reported("metrics_labels")
class LabelsView(ReportView):
    """What figures can be grouped and narrowed by."""

    permission = "metrics:read"
    route = "/metrics/labels"
    cache_group = "L"
    window, longest = DAY, "METRICS_MAX_RANGE_DAYS"
    report, shape, metadata = staticmethod(labels), LABELS, Tree(members={})


@reported("metrics_label_values")
class LabelValuesView(ReportView):
    """The values of one label, most frequent first."""

    permission = "metrics:read"
    route = "/metrics/labels/{name}/values"
    cache_group = "L"
    window, longest = DAY, "METRICS_MAX_RANGE_DAYS"
    own = (
        plain_text("prefix", "Beginning of the values."),
        bounded("limit", high=1000, default=100, description="Most values."),
    )
    report, shape, metadata = staticmethod(label_values), VALUES, Tree(members={})

    def ask(self, request: Request, **path: str) -> Question:
        values = validate(request.query_params, self.taken())
        name = path["name"]
        if dimension(name) is None:
            raise ApiError(UNKNOWN_LABEL, label=name[:300])
        report = partial(
            label_values,
            dimension=dimension_named(name, field="name", request=request),
            prefix=values["prefix"],
            limit=values["limit"],
            filters=filters_of(request, values),
            wanted=VALUES.chosen(values["fields"]),
        )
        where = time_range(values, default=DAY, longest_days=settings.METRICS_MAX_RANGE_DAYS)
        return question_of(request, values | path, where, report)
