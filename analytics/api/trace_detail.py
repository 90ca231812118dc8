"""One trace: GET /traces/{trace_id} and its spans."""

from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, PROJECTS, caller_of, canonical
from analytics.api.parameters import Parameter, documented, validate
from analytics.api.traces import CURSOR, LIMIT, Link, decoded, include
from analytics.queries import cursors, traces
from analytics.queries.beside import Addition
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope
from analytics.storage.changes import floor
from errors.catalog import TRACE_NOT_FOUND
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_DAY = timedelta(days=1)
DETAIL_INCLUDES = (Addition.CHILDREN, Addition.EVALUATIONS, Addition.FEEDBACK)
DETAIL_PARAMETERS: tuple[Parameter, ...] = (
    PROJECTS,
    include(
        tuple(DETAIL_INCLUDES),
        "children: spans[] of the whole trace, earliest first, each with its place in the tree; evaluations, feedback:"
        " what was said of the trace and its spans.",
    ),
    FIELDS,
)
SPANS_PARAMETERS: tuple[Parameter, ...] = (PROJECTS, LIMIT, CURSOR, FIELDS)


class _TraceView(CachedView):
    """A route of one trace; its version is that of the trace's days."""

    permission = "traces:read"
    cache_group = "T"
    audited = "trace"
    enveloped = True

    def range_of(self, question: Question) -> TimeRange:
        where = _located(question.scope, question.plan[0]).range
        return TimeRange(start=floor(where.start, _DAY), end=floor(where.end, _DAY) + _DAY)


class TraceDetailView(_TraceView):
    """One trace: its root span with the figures of the whole."""

    route = "/traces/{trace_id}"
    cache_ttl = "CACHE_TRACE_TTL"
    parameters = DETAIL_PARAMETERS

    @extend_schema(
        operation_id="traces_retrieve",
        parameters=documented(DETAIL_PARAMETERS),
        responses={200: schema.enveloped(schema.ref("Trace")), **ERROR_REPLIES},
    )
    def get(self, request: Request, trace_id: str) -> Response:  # noqa: ARG002  `ask` gets it
        return self.respond(request)

    def ask(self, request: Request, **path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        add = frozenset(Addition(name) for name in values["include"])
        selection = traces.select_detail(values["fields"], add=add, inline=settings.TRACE_MAX_INLINE_SPANS)
        return Question(
            scope=caller_of(request).scope(values["project_id"]),
            values=canonical(values) | path,
            range=None,
            plan=(path["trace_id"], selection),
        )

    def answer(self, question: Question) -> Answer:
        trace_id, selection = question.plan
        detail = traces.trace_detail(question.scope, trace_id, selection=selection)
        if detail is None:
            raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
        return Answer(data=orjson.Fragment(detail))


class TraceSpansView(_TraceView):
    """The spans of one trace, earliest first, each with its place in the tree."""

    route = "/traces/{trace_id}/spans"
    parameters = SPANS_PARAMETERS

    @extend_schema(
        operation_id="traces_spans",
        parameters=documented(SPANS_PARAMETERS),
        responses={
            200: schema.enveloped({"type": "array", "items": schema.ref("TraceSpan")}, paged=True),
            **ERROR_REPLIES,
        },
    )
    def get(self, request: Request, trace_id: str) -> Response:  # noqa: ARG002  `ask` gets it
        return self.respond(request)

    def ask(self, request: Request, **path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        scope = caller_of(request).scope(values["project_id"])
        bound_to = cursors.binding(scope.tenant, path["trace_id"])
        after = decoded(values["cursor"], bound_to)
        link = Link(query=request.query_params, path=request.path)
        return Question(
            scope=scope,
            values=canonical(values) | path,
            range=None,
            first=after is None,
            plan=(path["trace_id"], traces.select_spans(values["fields"]), values["limit"], after, bound_to, link),
        )

    def answer(self, question: Question) -> Answer:
        trace_id, selection, limit, after, bound_to, link = question.plan
        page = traces.trace_spans(_located(question.scope, trace_id), selection=selection, limit=limit, after=after)
        pagination: dict[str, Any] = {"has_more": page.next is not None, "limit": limit}
        headers = {}
        if page.next is not None:
            pagination["cursor"] = cursors.encode(page.next, bound_to=bound_to, key=settings.SECRET_KEY)
            headers = {"Link": link.to(pagination["cursor"])}
        return Answer(data=orjson.Fragment(page.json), pagination=pagination, headers=headers)


def _located(scope: Scope, trace_id: str) -> traces.Located:
    where = traces.locate_trace(scope, trace_id)
    if where is None:
        raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
    return where
