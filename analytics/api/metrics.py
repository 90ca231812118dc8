"""Figures of model calls: GET /metrics/performance."""

from datetime import timedelta
from functools import partial

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.caching.views import Question
from analytics.api.common import FIELDS, FILTERS, PROJECTS, RANGE, filters_of, time_range
from analytics.api.figures import FigureView, question_of
from analytics.api.parameters import Parameter, choice, documented, validate
from analytics.queries.performance import METADATA, PERFORMANCE, performance
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.grains import GRANULARITIES
from errors.schema import ERROR_REPLIES

WEEK = timedelta(days=7)

GRANULARITY = Parameter(
    name="granularity",
    read=choice({key: key for key in GRANULARITIES}),
    schema={"type": "string", "enum": list(GRANULARITIES), "default": "1hour"},
    default="1hour",
    description="Width of the buckets of time_series.",
)
PERFORMANCE_PARAMETERS: tuple[Parameter, ...] = (*RANGE, PROJECTS, *FILTERS, GRANULARITY, FIELDS)


class PerformanceView(FigureView):
    """Latency, errors and throughput of model calls, in total and over time."""

    permission = "metrics:read"
    public = True
    route = "/metrics/performance"
    cache_group = "A"
    parameters = PERFORMANCE_PARAMETERS

    @extend_schema(
        operation_id="metrics_performance",
        parameters=documented(PERFORMANCE_PARAMETERS),
        responses={200: schema.bare(PERFORMANCE, METADATA), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        return self.respond(request)

    def ask(self, request: Request, **_path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        where = time_range(values, default=WEEK, longest_days=settings.ANALYTICS_MAX_RANGE_DAYS)
        report = partial(
            performance,
            filters=filters_of(request, values),
            grain=GRAINS[values["granularity"]],
            wanted=PERFORMANCE.chosen(values["fields"]),
        )
        return question_of(request, values, where, report)
