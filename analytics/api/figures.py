"""The base of routes that answer figures: what is asked becomes one call with a scope and a range."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rest_framework.request import Request

from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import caller_of, canonical, moves
from analytics.queries.timerange import TimeRange

Report = Callable[..., Mapping[str, Any]]


class FigureView(CachedView):
    """A route whose question carries its report: a domain call that gives the body."""

    def answer(self, question: Question) -> Answer:
        return Answer(data=question.plan())


def question_of(request: Request, values: Mapping[str, Any], where: TimeRange, report: Report) -> Question:
    """Return the question of validated `values` whose report is called with the caller's scope and the range."""
    scope = caller_of(request).scope(values["project_id"])
    plan = partial(report, scope=scope, where=where)
    return Question(scope=scope, values=canonical(values), range=where, moves=moves(values), plan=plan)
