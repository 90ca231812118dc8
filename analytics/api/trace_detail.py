"""One trace: GET /traces/{trace_id} and its spans."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, PROJECTS, caller_of, canonical
from analytics.api.parameters import Parameter, documented, validate
from analytics.api.traces import CURSOR, LIMIT, TOTAL, Link, decoded, include
from analytics.queries import cursors, traces
from analytics.queries.beside import Addition
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope
from analytics.storage.changes import floor
from analytics.storage.versions import RangeVersion
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
SPANS_PARAMETERS: tuple[Parameter, ...] = (
    PROJECTS,
    LIMIT,
    CURSOR,
    include((TOTAL,), "total: how many spans the trace has."),
    FIELDS,
)


class _TraceView(CachedView):
    """A route of one trace; its version is that of the trace's days."""

    permission = "traces:read"
    cache_group = "T"
    audited = "trace"
    enveloped = True

    def located(self, question: Question) -> traces.Located:
        """Return where the trace of a question is; raise 404 where there is none."""
        return _located(question.scope, question.plan[0])

    def range_of(self, question: Question) -> TimeRange:
        where = self.located(question).range
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

    def version(self, question: Question, where: TimeRange) -> RangeVersion:
        """Return the version of the trace's days, and of the links to it from other projects, whose days are others."""
        known = super().version(question, where)
        trace_id, selection = question.plan
        if "linked_from" not in selection.links or len(question.scope.projects) == 1:
            return known
        return replace(known, text=f"{known.text}.{traces.links_told(question.scope, trace_id)}")

    def answer(self, question: Question) -> Answer:
        trace_id, selection = question.plan
        detail = traces.trace_detail(question.scope, trace_id, selection=selection)
        if detail is None:
            raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
        return Answer(data=orjson.Fragment(detail))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """A page of the spans of a trace as it was asked for, what its cursors are bound to, and since when they are good.

    A cursor holds the project of the first page: the trace of that id in another one may become the newer meanwhile.
    """

    trace_id: str
    selection: traces.SpansSelection
    limit: int
    total: bool
    after: cursors.Cursor | None
    clock: datetime
    bound_to: bytes
    link: Link


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
        bound_to = cursors.binding(self.route, scope.tenant, path["trace_id"])
        after = decoded(values["cursor"], bound_to)
        return Question(
            scope=scope,
            values=canonical(values) | path,
            range=None,
            first=after is None,
            plan=_Listing(
                trace_id=path["trace_id"],
                selection=traces.select_spans(values["fields"]),
                limit=values["limit"],
                total=TOTAL in values["include"],
                after=after,
                clock=timezone.now() if after is None else after.clock,
                bound_to=bound_to,
                link=Link(query=request.query_params, path=request.path),
            ),
        )

    def located(self, question: Question) -> traces.Located:
        asked: _Listing = question.plan
        return _located(question.scope, asked.trace_id, after=asked.after)

    def answer(self, question: Question) -> Answer:
        asked: _Listing = question.plan
        where = self.located(question)
        page = traces.trace_spans(where, selection=asked.selection, limit=asked.limit, after=asked.after)
        pagination: dict[str, Any] = {"has_more": page.last is not None, "limit": asked.limit}
        headers = {}
        if page.last is not None:
            cursor = where.cursor(page.last, clock=asked.clock)
            pagination["cursor"] = cursors.encode(cursor, bound_to=asked.bound_to, key=settings.SECRET_KEY)
            headers = {"Link": asked.link.to(pagination["cursor"])}
        if asked.total:
            pagination["total"] = traces.trace_summary(where).span_count
        return Answer(data=orjson.Fragment(page.json), pagination=pagination, headers=headers)


def _located(scope: Scope, trace_id: str, *, after: cursors.Cursor | None = None) -> traces.Located:
    where = traces.locate_trace(scope, trace_id, after=after)
    if where is None:
        raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
    return where
