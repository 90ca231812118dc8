"""GET /metrics/performance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, PROJECTS, RANGE, caller_of, canonical, moves, plain_text, time_range
from analytics.api.parameters import Parameter, choice, documented, validate
from analytics.queries.figures import FigurePlan, figures
from analytics.queries.timerange import check_length
from analytics.registry.dimensions import DIMENSIONS
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import BY_KEY as MEASURES
from analytics.registry.measures import Measure
from errors.catalog import INVALID_FIELD_VALUE, MISSING_AUTHORIZATION
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_SERIES_KEYS = (
    "avg_latency_ms", "min_latency_ms", "max_latency_ms", "p95_latency_ms", "request_count", "total_tokens"
)  # fmt: skip
_DEFAULT_RANGE = timedelta(days=7)

PERFORMANCE_PARAMETERS: tuple[Parameter, ...] = (
    *RANGE,
    PROJECTS,
    *(plain_text(dimension.key, dimension.description) for dimension in DIMENSIONS),
    Parameter(
        name="granularity",
        read=choice({key: key for key in GRAINS}),
        schema={"type": "string", "enum": list(GRAINS), "default": "1hour"},
        default="1hour",
        description="Width of the buckets of time_series.",
    ),
    FIELDS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Measures of the range and of the buckets that a selection needs."""

    totals: Sequence[Measure]
    series: Sequence[Measure]
    series_asked: bool


class PerformanceView(CachedView):
    """Latency, errors and throughput of model calls, in total and over time."""

    permission = "metrics:read"
    public = True
    parameters = PERFORMANCE_PARAMETERS
    route = "/metrics/performance"
    cache_group = "A"

    @extend_schema(
        operation_id="metrics_performance",
        parameters=documented(PERFORMANCE_PARAMETERS),
        responses={200: schema.performance(_SERIES_KEYS), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        return self.respond(request)

    def ask(self, request: Request, **_path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        caller = caller_of(request)
        equal = {one.key: values[one.key] for one in DIMENSIONS if values[one.key] is not None}
        if not request.user.is_authenticated and any(one.personal and one.key in equal for one in DIMENSIONS):
            raise ApiError(MISSING_AUTHORIZATION)
        where = time_range(values, default=_DEFAULT_RANGE, longest_days=settings.ANALYTICS_MAX_RANGE_DAYS)
        grain = GRAINS[values["granularity"]]
        check_length(where, longest=(equal and grain.longest_by_label) or grain.longest, instead=grain.next)
        asked = _asked(values["fields"])
        plan = FigurePlan(
            scope=caller.scope(values["project_id"]),
            range=where,
            equal=equal,
            totals=asked.totals,
            series=asked.series,
            with_series=asked.series_asked,
            grain=grain,
        )
        return Question(scope=plan.scope, values=canonical(values), range=where, moves=moves(values), plan=plan)

    def answer(self, question: Question) -> Answer:
        plan: FigurePlan = question.plan
        found = figures(plan)
        body: dict[str, Any] = dict(found.totals)
        if plan.with_series:
            body["time_series"] = found.series
        metadata = {
            "start_time": found.range.start,
            "end_time": found.range.end,
            "granularity": plan.grain.key,
            "as_of": found.as_of,
            "data_source": found.source,
        }
        return Answer(data=body | {"metadata": metadata})


def _asked(names: Sequence[str]) -> _Asked:
    series = [MEASURES[key] for key in _SERIES_KEYS]
    if not names:
        return _Asked(totals=tuple(MEASURES.values()), series=series, series_asked=True)
    allowed: Mapping[str, Measure | None] = {
        **MEASURES,
        "time_series": None,
        "time_series.timestamp": None,
        **{f"time_series.{measure.key}": measure for measure in series},
    }
    for name in names:
        if name not in allowed:
            raise ApiError(INVALID_FIELD_VALUE, field="fields", details=f"{name}: allowed: {', '.join(allowed)}")
    whole = "time_series" in names
    return _Asked(
        totals=[MEASURES[name] for name in names if name in MEASURES],
        series=[one for one in series if whole or f"time_series.{one.key}" in names],
        series_asked=any(name.startswith("time_series") for name in names),
    )
