"""Models beside each other: GET and POST /models/compare."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.bodies import Member, list_of, one_of, read_body, schema_of, text
from analytics.api.caching.views import Question
from analytics.api.common import FIELDS_OF_BODY, PROJECTS_OF_BODY, filters_of, time_range
from analytics.api.figures import WEEK, FigureView, ReportView, question_of, reported
from analytics.api.parameters import Parameter, choice, names, validate
from analytics.queries.reports.comparison import COMPARISON, METADATA, METRICS, comparison
from analytics.registry.dimensions import EQUALITIES
from errors.catalog import LIMIT_EXCEEDED
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

LEAST, MOST = 2, 10
_METRICS = {one: one for one in METRICS}
_NAME = {"type": "string"}


def _models(name: str, value: str) -> tuple[str, ...]:
    found = names(most=MOST)(name, value)
    if len(found) < LEAST:
        raise ApiError(LIMIT_EXCEEDED, field=name, low=LEAST, high=MOST, details=f"Received items: {len(found)}")
    return found


def _metrics(name: str, value: str) -> tuple[str, ...]:
    return tuple(choice(_METRICS)(name, one) for one in names(most=len(METRICS))(name, value))


COMPARE_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="models",
        read=_models,
        schema={"type": "string", "examples": ["gpt-4o,anthropic/claude-3-5-sonnet-20241022"]},
        required=True,
        description=f"{LEAST} to {MOST} of model or provider/model, separated by commas.",
    ),
    Parameter(
        name="metrics",
        read=_metrics,
        schema={"type": "string"},
        default=tuple(METRICS),
        description=f"Any of {', '.join(METRICS)}; all by default.",
    ),
)
_TEXT = text(longest=settings.MAX_TEXT_PARAMETER_CHARS, shortest=1)
_INSTANT = text(longest=64, shortest=1, expected="a time")
_NAMES = {"type": "array", "items": _NAME}
COMPARE_BODY: tuple[Member, ...] = (
    Member(name="models", read=list_of(_TEXT, least=LEAST, most=MOST), schema=_NAMES, required=True),
    Member(
        name="metrics",
        read=list_of(one_of(_METRICS), least=1, most=len(METRICS)),
        schema={"type": "array", "items": {**_NAME, "enum": list(METRICS)}},
        default=tuple(METRICS),
    ),
    Member(name="start_time", also=("from",), read=_INSTANT, schema=_NAME),
    Member(name="end_time", also=("to",), read=_INSTANT, schema=_NAME),
    PROJECTS_OF_BODY,
    *(Member(name=one.key, read=_TEXT, schema=_NAME, description=one.description) for one in EQUALITIES),
    FIELDS_OF_BODY,
)


def _question(request: Request, values: Mapping[str, Any]) -> Question:
    where = time_range(values, default=WEEK, longest_days=settings.ANALYTICS_MAX_RANGE_DAYS)
    report = partial(
        comparison,
        models=values["models"],
        metrics=values["metrics"],
        filters=filters_of(request, values),
        wanted=COMPARISON.chosen(values["fields"]),
    )
    return question_of(request, values, where, report)


class _ByPost(FigureView):
    """The same, asked by POST: nobody keeps its replies but the service itself."""

    route = "POST /models/compare"
    cache_group = "P"

    def ask(self, request: Request, **_path: str) -> Question:
        return _question(request, read_body(cast("dict[str, Any]", request.data), COMPARE_BODY))


@reported("models_compare")
class CompareView(ReportView):
    """Models beside each other, and which does best in what."""

    permission = "metrics:read"
    public = True
    route = "/models/compare"
    cache_group = "A"
    rate_cost, rate_class = 20, "compare"
    own = COMPARE_PARAMETERS
    report, shape, metadata = staticmethod(comparison), COMPARISON, METADATA

    def ask(self, request: Request, **_path: str) -> Question:
        return _question(request, validate(request.query_params, self.taken()))

    @extend_schema(
        operation_id="models_compare_post",
        request={"application/json": schema_of(COMPARE_BODY)},
        responses={200: schema.bare(COMPARISON, METADATA), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        asked = _ByPost()
        asked.kwargs = self.kwargs
        return asked.respond(request)
