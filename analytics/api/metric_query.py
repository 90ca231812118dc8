"""POST /metrics/query: metrics by dimensions, with conditions on labels and figures, an order, a row for the rest."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.bodies import (
    Member,
    anything,
    flag,
    list_of,
    number,
    object_of,
    one_of,
    read_body,
    schema_of,
    text,
    told,
    whole,
)
from analytics.api.caching.views import Question as Asked
from analytics.api.common import PROJECTS_OF_BODY, time_range
from analytics.api.figures import FigureView, question_of
from analytics.api.metrics import AGGREGATION_NAMES, INTERVAL_SCHEMA, dimension_named
from analytics.queries.plans import ASKED, TIMESTAMP, Comparison, Filter, Having, Operator, Question, Sort
from analytics.queries.reports.tables import DATA, QUERY_METADATA, query_table
from analytics.queries.shapes import Tree
from analytics.registry.dimensions import Dimension
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.grains import INTERVALS
from analytics.registry.measures import AGGREGATIONS, BY_KEY, Figure, figure
from errors.catalog import FIELD_VALUE_REFUSED, INVALID_FIELD_FORMAT, INVALID_FIELD_VALUE, UNPROCESSABLE_CONTENT
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_NAME = {"type": "string"}
_TEXT = text(longest=settings.MAX_TEXT_PARAMETER_CHARS, shortest=1)
_ALIAS = text(longest=63, shortest=1, expected="a lower-case name of letters, digits and _ that begins with a letter")
_METRIC = Member(name="metric", read=one_of(BY_KEY), schema={**_NAME, "enum": list(BY_KEY)}, required=True)
_AGGREGATION = Member(
    name="aggregation", read=one_of(AGGREGATION_NAMES), schema={**_NAME, "enum": list(AGGREGATION_NAMES)}
)
_METRICS = (
    _METRIC,
    _AGGREGATION,
    Member(name="alias", read=_ALIAS, schema={**_NAME, "pattern": "^[a-z][a-z0-9_]{0,62}$"}),
)
_OPERATORS = {one.value: one for one in ASKED}
_FILTERS = (
    Member(name="dimension", read=_TEXT, schema=_NAME, required=True),
    Member(name="operator", read=one_of(_OPERATORS), schema={**_NAME, "enum": list(_OPERATORS)}, required=True),
    Member(
        name="value",
        read=anything,
        schema={"oneOf": [_NAME, {"type": "array", "items": _NAME}]},
        required=True,
    ),
)
_COMPARISONS = {one.value: one for one in Comparison}
_HAVING = (
    _METRIC,
    _AGGREGATION,
    Member(name="operator", read=one_of(_COMPARISONS), schema={**_NAME, "enum": list(_COMPARISONS)}, required=True),
    Member(name="value", read=number(), schema={"type": "number"}, required=True),
)
_SORT = (
    Member(name="field", read=_TEXT, schema=_NAME, required=True),
    Member(name="descending", read=flag, schema={"type": "boolean", "default": True}, default=True),
)
_INSTANT = text(longest=64, shortest=1, expected="a time")


def _objects(members: Sequence[Member]) -> dict[str, Any]:
    return {"type": "array", "items": schema_of(members)}


QUERY_BODY: tuple[Member, ...] = (
    Member(
        name="metrics",
        read=list_of(object_of(_METRICS), least=1, most=settings.METRICS_MAX_NAMES),
        schema={**_objects(_METRICS), "minItems": 1, "maxItems": settings.METRICS_MAX_NAMES},
        required=True,
    ),
    Member(name="interval", read=one_of(INTERVALS), schema=INTERVAL_SCHEMA, default="1hour"),
    Member(name="start_time", also=("from",), read=_INSTANT, schema=_NAME, required=True),
    Member(name="end_time", also=("to",), read=_INSTANT, schema=_NAME, required=True),
    PROJECTS_OF_BODY,
    Member(
        name="group_by",
        read=list_of(_TEXT, most=settings.METRICS_MAX_DIMENSIONS),
        schema={"type": "array", "items": _NAME, "maxItems": settings.METRICS_MAX_DIMENSIONS},
        default=(),
    ),
    Member(name="filters", read=list_of(object_of(_FILTERS), most=100), schema=_objects(_FILTERS), default=()),
    Member(
        name="having",
        read=list_of(object_of(_HAVING), most=settings.METRICS_MAX_HAVING),
        schema=_objects(_HAVING),
        default=(),
    ),
    Member(name="sort_by", read=object_of(_SORT), schema=schema_of(_SORT), default=None),
    Member(
        name="limit",
        read=whole(low=1, high=settings.METRICS_MAX_ROWS),
        schema={"type": "integer", "minimum": 1, "maximum": settings.METRICS_MAX_ROWS, "default": 1000},
        default=1000,
    ),
    Member(name="other", read=flag, schema={"type": "boolean", "default": False}, default=False),
    Member(name="explain", read=flag, schema={"type": "boolean", "default": False}, default=False),
)


class MetricsQueryView(FigureView):
    """Metrics by dimensions with conditions, order and a row for the rest."""

    permission = "metrics:query"
    route = "/metrics/query"
    cache_group = "P"
    rate_cost, rate_class = 10, "query"

    @extend_schema(
        operation_id="metrics_query",
        request={"application/json": schema_of(QUERY_BODY)},
        responses={200: schema.bare(Tree(members={"data": DATA}), QUERY_METADATA), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        return self.respond(request)

    def ask(self, request: Request, **_path: str) -> Asked:
        body = cast("dict[str, Any]", request.data)
        values = read_body(body, QUERY_BODY)
        if values["other"] and values["interval"] != "all":
            raise ApiError(UNPROCESSABLE_CONTENT, field="other", details="Send it with interval all.")
        where = time_range(values, default=timedelta(days=1), longest_days=settings.METRICS_MAX_RANGE_DAYS)
        figures = _aliased(values["metrics"])
        groups = list(
            dict.fromkeys(dimension_named(name, field="group_by", request=request) for name in values["group_by"])
        )
        _check_names(figures, groups)
        report = partial(
            _query,
            figures=figures,
            grain=GRAINS[values["interval"]],
            group_by=groups,
            filters=[_filter(one, place, request) for place, one in enumerate(values["filters"])],
            having=[_having(one, place) for place, one in enumerate(values["having"])],
            sort=_sort(values["sort_by"], figures, groups),
            limit=values["limit"],
            other=values["other"],
            told=(body.get("filters") or [], body.get("having") or []),
        )
        kept = {name: value for name, value in body.items() if name not in {"project_id", "from", "to"}}
        return question_of(request, {**values, "body": kept, **_BY_BODY}, where, report)


# What of the validated values holds figures of the registry and stands for the body, which is part of the key itself.
_BY_BODY: Mapping[str, Any] = dict.fromkeys(("metrics", "filters", "having", "sort_by", "group_by"))


def _query(*, scope: Any, where: Any, told: tuple[Any, Any], ask: Any, **asked: Any) -> Any:
    filters, conditions = told
    return query_table(
        question=Question(scope=scope, range=where, **asked), filters=filters, conditions=conditions, ask=ask
    )


def _aliased(given: Sequence[Mapping[str, Any]]) -> list[Figure]:
    found: list[Figure] = []
    for place, one in enumerate(given):
        made = _figure(one, f"metrics[{place}]")
        default = made.key if made.aggregation not in AGGREGATIONS else f"{made.aggregation}_{made.key}"
        alias = one["alias"] or default
        if not alias.isascii() or not alias.isidentifier() or alias != alias.lower() or alias.startswith("_"):
            raise ApiError(
                INVALID_FIELD_FORMAT,
                field=f"metrics[{place}].alias",
                expected="a lower-case name of letters, digits and _ that begins with a letter",
            )
        if alias in {other.key for other in found}:
            raise ApiError(
                FIELD_VALUE_REFUSED, field=f"metrics[{place}].alias", details=f"There are two figures named {alias}."
            )
        found.append(Figure(key=alias, measure=made.measure, aggregation=made.aggregation))
    return found


def _figure(given: Mapping[str, Any], path: str) -> Figure:
    measure, aggregation = given["metric"], given["aggregation"]
    if aggregation is not None and aggregation not in measure.of:
        raise ApiError(
            INVALID_FIELD_VALUE,
            field=f"{path}.aggregation",
            details=f"{measure.key} has {', '.join(one for one in measure.of if one in AGGREGATIONS) or 'none'}",
        )
    return figure(measure.key, aggregation)


def _check_names(figures: Sequence[Figure], groups: Sequence[Dimension]) -> None:
    taken = {TIMESTAMP, "other", *(one.key for one in groups)}
    for place, one in enumerate(figures):
        if one.key in taken:
            raise ApiError(
                FIELD_VALUE_REFUSED,
                field=f"metrics[{place}].alias",
                details=f"A member of each row has the name {one.key} already.",
            )


def _filter(given: Mapping[str, Any], place: int, request: Request) -> Filter:
    path = f"filters[{place}]"
    operator: Operator = given["operator"]
    many = operator in {Operator.IN, Operator.NOT_IN}
    read = list_of(_TEXT, least=1, most=1000) if many else _TEXT
    values = read(f"{path}.value", given["value"])
    return Filter(
        dimension=dimension_named(given["dimension"], field=f"{path}.dimension", request=request),
        operator=operator,
        values=values if many else (values,),
    )


def _having(given: Mapping[str, Any], place: int) -> Having:
    return Having(figure=_figure(given, f"having[{place}]"), comparison=given["operator"], value=given["value"])


def _sort(given: Mapping[str, Any] | None, figures: Sequence[Figure], groups: Sequence[Dimension]) -> Sort:
    if given is None:
        return Sort()
    allowed = [*(one.key for one in figures), *(one.key for one in groups), TIMESTAMP]
    if given["field"] not in allowed:
        raise ApiError(INVALID_FIELD_VALUE, field="sort_by.field", details=told(given["field"], allowed))
    return Sort(by=given["field"], descending=given["descending"])
