"""The base of routes that answer figures: parameters, one call with scope and range, a place in the schema."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, FILTERS, PROJECTS, RANGE, caller_of, canonical, filters_of, moves, time_range
from analytics.api.parameters import Parameter, boolean, documented, validate
from analytics.queries.explaining import Explained, explain
from analytics.queries.figures import ask
from analytics.queries.shapes import Tree
from analytics.queries.timerange import TimeRange
from analytics.storage.transactions import retried
from errors.schema import ERROR_REPLIES

Report = Callable[..., Mapping[str, Any]]
View = TypeVar("View", bound=type["ReportView"])

EXPLAIN = Parameter(
    name="explain",
    read=boolean,
    schema={"type": "boolean", "default": False},
    default=False,
    description="true: how it would be answered, instead of the answer (needs metrics:query).",
)
DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)


class FigureView(CachedView):
    """A route of figures, whose question carries its report: a domain call that is told how to ask.

    All statements of a reply see one snapshot.
    """

    def answer(self, question: Question) -> Answer:
        if not question.values.get("explain"):
            return Answer(data=retried(partial(question.plan, ask=ask), snapshot=True))
        try:
            return Answer(data=question.plan(ask=explain))
        except Explained as how:
            return Answer(data={"plan": how.plans})


class ReportView(FigureView):
    """A reading route of figures.

    `report` makes the body of a scope, a range, filters, the wanted members of `shape`, and what `more` gives.
    `window` is the range without bounds, `longest` the setting of the longest range. `own` are the parameters beside
    those that all such routes have.
    """

    report: ClassVar[Report]
    shape: ClassVar[Tree]
    metadata: ClassVar[Tree]
    window: ClassVar[timedelta] = WEEK
    longest: ClassVar[str] = "ANALYTICS_MAX_RANGE_DAYS"
    own: ClassVar[Sequence[Parameter]] = ()
    cache_group = "B"

    def get(self, request: Request, **_path: str) -> Response:
        return self.respond(request)

    @classmethod
    def taken(cls) -> tuple[Parameter, ...]:
        """Return every parameter of the route."""
        return (*RANGE, PROJECTS, *FILTERS, *cls.own, EXPLAIN, FIELDS)

    def ask(self, request: Request, **path: str) -> Question:
        values = validate(request.query_params, self.taken())
        where = time_range(values, default=self.window, longest_days=getattr(settings, self.longest))
        report = partial(
            type(self).report,
            filters=filters_of(request, values),
            wanted=self.shape.chosen(values["fields"]),
            **self.more(request, values),
        )
        return question_of(request, values | path, where, report)

    def more(self, request: Request, values: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002  for those that have some
        """Return what the report takes besides."""
        return {}


def question_of(request: Request, values: Mapping[str, Any], where: TimeRange, report: Report) -> Question:
    """Return the question of validated `values` whose report is called with the caller's scope and the range."""
    caller = caller_of(request)
    if values.get("explain"):
        caller.require("metrics:query")
    scope = caller.scope(values["project_id"])
    plan = partial(report, scope=scope, where=where)
    return Question(scope=scope, values=canonical(values), range=where, moves=moves(values), plan=plan)


def reported(operation: str) -> Callable[[View], View]:
    """Return the decorator that gives a view its place in the OpenAPI document."""

    def decorate(view: View) -> View:
        view.parameters = view.taken()
        replies = {200: schema.bare(view.shape, view.metadata), **ERROR_REPLIES}
        get = extend_schema(operation_id=operation, parameters=documented(view.parameters), responses=replies)
        decorated: View = extend_schema_view(get=get)(view)
        return decorated

    return decorate
