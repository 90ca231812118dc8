"""Figures of model calls: performance, and any metric by any dimension."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from rest_framework.request import Request

from analytics.api.caching.views import Question as Asked
from analytics.api.common import filters_of, time_range
from analytics.api.figures import ReportView, question_of, reported
from analytics.api.members import (
    told,
)
from analytics.api.parameters import Parameter, boolean, choice, names, validate
from analytics.queries.plans import Question
from analytics.queries.reports.performance import METADATA, PERFORMANCE, performance
from analytics.queries.reports.tables import DATA, PERCENTILES, Fill, metrics_table
from analytics.queries.reports.tables import METADATA as TABLE_METADATA
from analytics.queries.shapes import Leaf, Tree
from analytics.registry.dimensions import ATTRIBUTES, Dimension, dimension
from analytics.registry.dimensions import BY_KEY as DIMENSIONS_BY_KEY
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.grains import GRANULARITIES, INTERVALS
from analytics.registry.measures import AGGREGATION_ALIASES, AGGREGATIONS, BY_KEY, FIGURES, Figure, figure
from errors.catalog import INVALID_FIELD_VALUE, MISSING_AUTHORIZATION
from errors.exceptions import ApiError

GRANULARITY = Parameter(
    name="granularity",
    read=choice({key: key for key in GRANULARITIES}),
    schema={"type": "string", "enum": list(GRANULARITIES), "default": "1hour"},
    default="1hour",
    description="Width of the buckets of time_series.",
)


@reported("metrics_performance")
class PerformanceView(ReportView):
    """Latency, errors and throughput of model calls, in total and over time."""

    permission = "metrics:read"
    public = True
    route = "/metrics/performance"
    cache_group = "A"
    own = (GRANULARITY,)
    report, shape, metadata = staticmethod(performance), PERFORMANCE, METADATA

    def more(self, request: Request, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return {"grain": GRAINS[values["granularity"]]}


# --- any metric by any dimension --------------------------------------------------------------------------------------
AGGREGATION_NAMES = {one: one for one in AGGREGATIONS} | dict(AGGREGATION_ALIASES)
_DIMENSION_NAMES = [*DIMENSIONS_BY_KEY, f"{ATTRIBUTES}<key>"]
INTERVAL_SCHEMA = {"type": "string", "enum": list(INTERVALS), "default": "1hour"}
TABLE_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="metrics",
        read=names(most=settings.METRICS_MAX_NAMES),
        schema={"type": "string", "examples": ["request_count,total_cost"]},
        required=True,
        description=f"At most {settings.METRICS_MAX_NAMES} of {', '.join(BY_KEY)}.",
    ),
    Parameter(
        name="interval",
        read=choice(INTERVALS),
        schema=INTERVAL_SCHEMA,
        default="1hour",
        description="Width of the buckets; all: one row for the whole range.",
    ),
    Parameter(
        name="group_by",
        read=names(most=settings.METRICS_MAX_DIMENSIONS),
        schema={"type": "string"},
        default=(),
        description=f"At most {settings.METRICS_MAX_DIMENSIONS} of {', '.join(_DIMENSION_NAMES)}.",
    ),
    Parameter(
        name="aggregation",
        read=choice(AGGREGATION_NAMES),
        schema={"type": "string", "enum": list(AGGREGATION_NAMES)},
        description="Of the metrics that have it; the others keep their own.",
    ),
    Parameter(
        name="include_percentiles",
        read=boolean,
        schema={"type": "boolean", "default": False},
        default=False,
        description=f"Adds {', '.join(PERCENTILES)}.",
    ),
    Parameter(
        name="fill",
        read=choice({one.value: one.value for one in Fill}),
        schema={"type": "string", "enum": [one.value for one in Fill], "default": "none"},
        default="none",
        description="What stands in buckets without spans.",
    ),
)


def dimension_named(name: str, *, field: str, request: Request) -> Dimension:
    """Return the dimension of a name; raise 400/1202 for none, 401/1000 for a personal one without a credential."""
    found = dimension(name)
    if found is None:
        raise ApiError(INVALID_FIELD_VALUE, field=field, details=told(name, _DIMENSION_NAMES))
    if found.personal and not request.user.is_authenticated:
        raise ApiError(MISSING_AUTHORIZATION)
    return found


def _figures_named(keys: Sequence[str], aggregation: str | None) -> list[Figure]:
    for key in keys:
        if key not in BY_KEY:
            raise ApiError(INVALID_FIELD_VALUE, field="metrics", details=told(key, BY_KEY))
    if aggregation is not None and not any(aggregation in BY_KEY[key].of for key in keys):
        able = [key for key, one in BY_KEY.items() if aggregation in one.of]
        raise ApiError(INVALID_FIELD_VALUE, field="aggregation", details=f"Metrics that have it: {', '.join(able)}")
    return [figure(key, aggregation if aggregation in BY_KEY[key].of else None) for key in keys]


@reported("metrics_list")
class MetricsView(ReportView):
    """Metrics by dimensions over time, newest bucket first."""

    permission = "metrics:read"
    route = "/metrics"
    window, longest = timedelta(days=1), "METRICS_MAX_RANGE_DAYS"
    own = TABLE_PARAMETERS
    report, shape, metadata = staticmethod(metrics_table), Tree(members={"data": DATA}), TABLE_METADATA

    def ask(self, request: Request, **_path: str) -> Asked:
        values = validate(request.query_params, self.taken())
        where = time_range(values, default=self.window, longest_days=settings.METRICS_MAX_RANGE_DAYS)
        figures = _figures_named(values["metrics"], values["aggregation"])
        figures += [FIGURES[key] for key in PERCENTILES] if values["include_percentiles"] else []
        groups = [dimension_named(name, field="group_by", request=request) for name in values["group_by"]]
        names_shown = [*(one.key for one in groups), *(one.key for one in figures)]
        members = {"timestamp": DATA.members["timestamp"]} | {name: Leaf() for name in names_shown}
        wanted = Tree(members={"data": Tree(members=members, many=True)}).chosen(values["fields"])
        filters = filters_of(request, values)
        table = partial(
            _table,
            figures=[one for one in figures if one.key in wanted.tree("data")],
            grain=GRAINS[values["interval"]],
            group_by=groups,
            filters=filters,
            names=values["metrics"],
            fill=Fill(values["fill"]),
            wanted=wanted,
        )
        return question_of(request, values, where, table)


def _table(*, scope: Any, where: Any, names: Sequence[str], fill: Fill, wanted: Tree, ask: Any, **asked: Any) -> Any:
    question = Question(scope=scope, range=where, limit=settings.METRICS_MAX_ROWS, **asked)
    body = metrics_table(question=question, names=names, fill=fill, ask=ask)
    return {"metadata": body["metadata"], **wanted.cut(body)}
