"""Spans and traces: GET /traces, POST /traces/search, GET /traces/stats, GET /traces/{trace_id} and its spans."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import bodies, schema
from analytics.api.bodies import Member
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, PROJECTS, RANGE, caller_of, canonical, moves, plain_text, time_range
from analytics.api.parameters import Parameter, choice, documented, integer, names, validate
from analytics.api.span_filters import NARROWING_PARAMETERS, asked_of, filter_of, limits_at
from analytics.queries import cursors, spans, traces
from analytics.queries.beside import Addition
from analytics.queries.filters.document import read_filter
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.tree import Node, leaves, searched
from analytics.queries.selection import DEFAULT_SELECTION, Selection, select
from analytics.queries.snapshots import snapshot
from analytics.queries.sorting import RELEVANCE, SORTS, Sort
from analytics.queries.spans import Spans, Within
from analytics.queries.statistics import STATISTICS, span_statistics
from analytics.queries.timerange import TimeRange, round_up
from analytics.registry.fields import FieldType
from analytics.scope import Scope
from analytics.storage.changes import floor
from errors.catalog import INVALID_FIELD_VALUE, TRACE_NOT_FOUND
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_DAY = timedelta(days=1)
_DIRECTIONS = {"asc": "asc", "desc": "desc"}
_WITHIN = {one.value: one.value for one in Within}
_SORT_NAMES = {name: name for name in SORTS}
TOTAL = "total"
LIST_INCLUDES = (*Addition, TOTAL)
DETAIL_INCLUDES = (Addition.CHILDREN, Addition.EVALUATIONS, Addition.FEEDBACK)
_MOST_INCLUDES = 10

WITHIN = Parameter(
    name="scope",
    read=choice(_WITHIN),
    schema={"type": "string", "enum": [*_WITHIN], "default": "all"},
    default=Within.ALL.value,
    description="all spans; calls: model calls that are counted; roots: spans without a stored parent.",
)
LIMIT = Parameter(
    name="limit",
    read=integer(low=1, high=settings.PAGE_MAX_LIMIT),
    schema={
        "type": "integer",
        "minimum": 1,
        "maximum": settings.PAGE_MAX_LIMIT,
        "default": settings.PAGE_DEFAULT_LIMIT,
    },
    default=settings.PAGE_DEFAULT_LIMIT,
    description="Spans of a page.",
)
CURSOR = plain_text("cursor", "The cursor of the page before; keep every other parameter but limit, fields, include.")


def _include(allowed: tuple[str, ...], description: str) -> Parameter:
    return Parameter(
        name="include",
        read=names(most=_MOST_INCLUDES, allowed=allowed),
        schema={"type": "string", "examples": list(allowed)},
        default=(),
        description=f"{description} Several are separated by commas.",
    )


NARROWED: tuple[Parameter, ...] = (*RANGE, PROJECTS, WITHIN, *NARROWING_PARAMETERS)
LIST_PARAMETERS: tuple[Parameter, ...] = (
    *NARROWED,
    Parameter(
        name="sort_by",
        read=choice(_SORT_NAMES),
        schema={"type": "string", "enum": list(SORTS), "default": "ts"},
        default="ts",
        description="Order; spans without the value come last. relevance needs a full-text search.",
    ),
    Parameter(
        name="sort_order",
        read=choice(_DIRECTIONS),
        schema={"type": "string", "enum": ["asc", "desc"], "default": "desc"},
        default="desc",
        description="Direction of the order.",
    ),
    LIMIT,
    CURSOR,
    _include(
        LIST_INCLUDES,
        "children: spans[], the direct children; evaluations, feedback: what was said of the span or of its trace;"
        " highlights: where the search found something; total: how many spans the range has.",
    ),
    FIELDS,
)
STATS_PARAMETERS: tuple[Parameter, ...] = (*NARROWED, FIELDS)
DETAIL_PARAMETERS: tuple[Parameter, ...] = (
    PROJECTS,
    _include(
        tuple(DETAIL_INCLUDES),
        "children: spans[] of the whole trace, earliest first, each with its place in the tree; evaluations, feedback:"
        " what was said of the trace and its spans.",
    ),
    FIELDS,
)
SPANS_PARAMETERS: tuple[Parameter, ...] = (PROJECTS, LIMIT, CURSOR, FIELDS)

_TEXT = settings.MAX_TEXT_PARAMETER_CHARS


def _as_text(parameter: Parameter) -> Member:
    return Member(
        name=parameter.name,
        also=parameter.also,
        read=bodies.read_by(parameter.read),
        schema=parameter.schema,
        default=parameter.default,
        description=parameter.description,
    )


SEARCH_MEMBERS: tuple[Member, ...] = (
    Member(
        name="filter",
        read=bodies.anything,
        schema={"anyOf": [schema.ref("Filter"), {"type": "null"}]},
        description="An expression of the filter language; without one every span of the range is found.",
    ),
    *map(_as_text, (*RANGE, WITHIN)),
    Member(
        name="sort_by",
        read=bodies.read_by(choice(_SORT_NAMES)),
        schema={"type": "string", "enum": list(SORTS), "default": "ts"},
        default="ts",
        description="Order; spans without the value come last. relevance needs a search operator in the filter.",
    ),
    Member(
        name="sort_desc",
        read=bodies.flag,
        schema={"type": "boolean", "default": False},
        default=False,
        description="Whether the greatest comes first.",
    ),
    Member(
        name="limit",
        read=bodies.whole(low=1, high=settings.PAGE_MAX_LIMIT),
        schema=LIMIT.schema,
        default=settings.PAGE_DEFAULT_LIMIT,
        description="Spans of a page.",
    ),
    Member(
        name="cursor",
        read=bodies.text(longest=_TEXT),
        schema={"type": ["string", "null"]},
        description="The cursor of the page before; keep every other member but limit, fields, include.",
    ),
    Member(
        name="fields",
        read=bodies.texts(most=100, longest=_TEXT),
        schema={"type": "array", "items": {"type": "string"}},
        default=(),
        description="Members to send; only these are read.",
    ),
    Member(
        name="include",
        read=bodies.texts(most=_MOST_INCLUDES, longest=_TEXT, allowed=LIST_INCLUDES),
        schema={"type": "array", "items": {"type": "string", "enum": list(LIST_INCLUDES)}},
        default=(),
        description="What to add, as in the list.",
    ),
    _as_text(PROJECTS),
)
_SEARCH_EXAMPLE: dict[str, Any] = {
    "start_time": "now-24h",
    "filter": {
        "operator": "AND",
        "filters": [
            {"field": "status_code", "operator": "eq", "value": "ERROR"},
            {"field": "input_text", "operator": "search", "value": 'refund "order number" -test'},
            {"operator": "NOT", "filters": [{"field": "attributes.shop.cart", "operator": "gt", "value": 100}]},
        ],
    },
    "sort_by": "relevance",
    "sort_desc": True,
    "fields": ["ts", "trace_id", "model", "error_type"],
    "include": ["highlights"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """A page of spans as it was asked for, what cursors of it are bound to, and the link to the next page, if any.

    `spans` has no full-text question yet: the server reads those when it is asked. `path` names their place.
    """

    page: spans.SpanList
    total: bool
    bound_to: bytes
    path: str
    link: "_Link | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """The request that the link to the next page repeats."""

    query: QueryDict
    path: str

    def to(self, cursor: str) -> str:
        query = self.query.copy()
        query["cursor"] = cursor
        return f'<{settings.API_BASE_URL}{self.path}?{query.urlencode()}>; rel="next"'


class _SpanListing(CachedView):
    """What the list and the search do alike: one page of the spans that a filter finds."""

    permission = "traces:read"
    enveloped = True

    def read_filter(self, values: Mapping[str, Any], now: datetime) -> Node | None:
        raise NotImplementedError

    def question(
        self, request: Request, values: Mapping[str, Any], *, sent: Any, sort: Sort, path: str, link: _Link | None
    ) -> Question:
        """Return the question of a page; `sent` is the filter as it was sent, `path` its place in the request."""
        scope = caller_of(request).scope(values["project_id"])
        bounds = {name: values[name] for name in ("start_time", "end_time")}
        bound_to = cursors.binding(scope.tenant, sent, values["scope"], sort.key, sort.descending, bounds)
        after = _decoded(values["cursor"], bound_to)
        clock = (after and after.clock) or round_up(timezone.now(), grid=settings.TIME_GRID_SECONDS)
        node = self.read_filter(values, clock)
        where = _range(values, clock) if after is None else TimeRange(start=after.start, end=after.end)
        page = spans.SpanList(
            spans=Spans(scope=scope, range=where, within=Within(values["scope"]), filter=node),
            selection=_selection(values),
            sort=sort,
            limit=values["limit"],
            clock=clock,
            after=after,
            add=_additions(values["include"], node, sort=sort),
        )
        # The cursor in the reply is bound to the bounds as they were sent, so they are part of the question.
        told = canonical(values) | bounds | _clock_of(node, clock)
        return Question(
            scope=scope,
            values=told,
            range=where,
            moves=after is None and (moves(values) or "clock" in told),
            first=after is None,
            plan=_Listing(page=page, total=TOTAL in values["include"], bound_to=bound_to, path=path, link=link),
        )

    def answer(self, question: Question) -> Answer:
        asked: _Listing = question.plan
        with snapshot():
            plan = replace(asked.page, spans=_with_searches(asked.page.spans, asked.path))
            page = spans.list_spans(plan)
            total = spans.count_spans(plan.spans) if asked.total else None
        pagination: dict[str, Any] = {"has_more": page.next is not None, "limit": plan.limit}
        headers = {}
        if page.next is not None:
            pagination["cursor"] = cursors.encode(page.next, bound_to=asked.bound_to, key=settings.SECRET_KEY)
            headers = {} if asked.link is None else {"Link": asked.link.to(pagination["cursor"])}
        if total is not None:
            pagination["total"] = total
        return Answer(data=orjson.Fragment(page.json), pagination=pagination, headers=headers)


class TraceListView(_SpanListing):
    """Spans, newest first, a page at a time."""

    route = "/traces"
    cache_group = "T"
    audited = "trace"
    parameters = LIST_PARAMETERS

    @extend_schema(
        operation_id="traces_list",
        parameters=documented(LIST_PARAMETERS),
        responses={200: schema.enveloped({"type": "array", "items": schema.ref("Span")}, paged=True), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        return self.respond(request)

    def ask(self, request: Request, **_path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        sort = Sort(key=values["sort_by"], descending=values["sort_order"] == "desc")
        link = _Link(query=request.query_params, path=request.path)
        return self.question(request, values, sent=asked_of(values), sort=sort, path=_place(values), link=link)

    def read_filter(self, values: Mapping[str, Any], now: datetime) -> Node | None:
        return filter_of(values, now=now)


class TraceSearchView(_SpanListing):
    """Spans that an expression of the filter language finds, oldest first, a page at a time."""

    route = "/traces/search"
    cache_group = "P"
    rate_cost = 10
    rate_class = "search"

    @extend_schema(
        operation_id="traces_search",
        request={"application/json": bodies.schema_of(SEARCH_MEMBERS, example=_SEARCH_EXAMPLE)},
        responses={200: schema.enveloped({"type": "array", "items": schema.ref("Span")}, paged=True), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        return self.respond(request)

    def ask(self, request: Request, **_path: str) -> Question:
        validate(request.query_params, ())
        values = bodies.read_body(cast("dict[str, Any]", request.data), SEARCH_MEMBERS)
        sort = Sort(key=values["sort_by"], descending=values["sort_desc"])
        return self.question(request, values, sent=values["filter"], sort=sort, path="filter", link=None)

    def read_filter(self, values: Mapping[str, Any], now: datetime) -> Node | None:
        return None if values["filter"] is None else read_filter(values["filter"], limits=limits_at(now))


class TraceStatsView(CachedView):
    """Figures over the spans of a list."""

    permission = "traces:read"
    route = "/traces/stats"
    cache_group = "T"
    enveloped = True
    parameters = STATS_PARAMETERS

    @extend_schema(
        operation_id="traces_stats",
        parameters=documented(STATS_PARAMETERS),
        responses={200: schema.enveloped(schema.ref("TraceStatistics")), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        return self.respond(request)

    def ask(self, request: Request, **_path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        scope = caller_of(request).scope(values["project_id"])
        clock = round_up(timezone.now(), grid=settings.TIME_GRID_SECONDS)
        node = filter_of(values, now=clock)
        where = _range(values, clock)
        told = canonical(values) | _clock_of(node, clock)
        wanted = Spans(scope=scope, range=where, within=Within(values["scope"]), filter=node)
        return Question(
            scope=scope,
            values=told,
            range=where,
            moves=moves(values) or "clock" in told,
            plan=(wanted, _place(values), _named(values["fields"], STATISTICS)),
        )

    def answer(self, question: Question) -> Answer:
        wanted, path, names_ = question.plan
        with snapshot():
            figures = asdict(span_statistics(_with_searches(wanted, path)))
        return Answer(data={name: figures[name] for name in names_})


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
        after = _decoded(values["cursor"], bound_to)
        link = _Link(query=request.query_params, path=request.path)
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


def _decoded(text: str | None, bound_to: bytes) -> cursors.Cursor | None:
    if text is None:
        return None
    return cursors.decode(text, bound_to=bound_to, key=settings.SECRET_KEY, now=timezone.now())


def _clock_of(node: Node | None, clock: datetime) -> dict[str, datetime]:
    """Return the clock where a comparison with a time may depend on it."""
    return {"clock": clock} if any(leaf.target.type is FieldType.TIME for leaf in leaves(node)) else {}


def _place(values: Mapping[str, Any]) -> str:
    return "search" if values["search"] else "q"


def _range(values: Mapping[str, Any], clock: datetime) -> TimeRange:
    return time_range(
        values,
        default=timedelta(hours=settings.TRACES_DEFAULT_WINDOW_HOURS),
        longest_days=settings.TRACES_MAX_RANGE_DAYS,
        clock=clock,
    )


def _with_searches(wanted: Spans, path: str) -> Spans:
    """Return `wanted` with its full-text questions as the server reads them."""
    return replace(wanted, searches=searches_of(wanted.filter, scope=wanted.scope, where=wanted.range, path=path))


def _additions(include: tuple[str, ...], node: Node | None, *, sort: Sort) -> frozenset[Addition]:
    """Return what to add to each span; what needs a full-text question is refused without one."""
    asks = bool(searched(node))
    if sort.key == RELEVANCE and not asks:
        raise ApiError(INVALID_FIELD_VALUE, field="sort_by", details="relevance needs a full-text search")
    if Addition.HIGHLIGHTS in include and not asks:
        raise ApiError(INVALID_FIELD_VALUE, field="include", details="highlights need a full-text search")
    return frozenset(Addition(name) for name in include if name != TOTAL)


def _selection(values: Mapping[str, Any]) -> Selection:
    return select(values["fields"]) if values["fields"] else DEFAULT_SELECTION


def _named(asked: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    for name in asked:
        if name not in allowed:
            raise ApiError(INVALID_FIELD_VALUE, field="fields", details=f"{name[:64]}: allowed: {', '.join(allowed)}")
    return asked or allowed
