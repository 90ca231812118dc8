"""GET /traces and GET /traces/{trace_id}."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, PROJECTS, RANGE, caller_of, canonical, moves, plain_text, time_range
from analytics.api.parameters import Parameter, choice, documented, integer, validate
from analytics.queries import cursors, spans
from analytics.queries.selection import DEFAULT_SELECTION, Selection, select
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import BY_KEY, EQUALITY_KEYS
from analytics.scope import Scope
from analytics.storage.changes import floor
from errors.catalog import TRACE_NOT_FOUND
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_STATUSES = {"ok": "OK", "error": "ERROR", "unset": "UNSET", "success": "OK"}
_DAY = timedelta(days=1)
_DIRECTIONS = {"asc": "asc", "desc": "desc"}

LIST_PARAMETERS: tuple[Parameter, ...] = (
    *RANGE,
    PROJECTS,
    *(plain_text(key, BY_KEY[key].description) for key in EQUALITY_KEYS),
    Parameter(
        name="status",
        read=choice(_STATUSES),
        schema={"type": "string", "enum": ["OK", "ERROR", "UNSET", "success", "error"]},
        description="Status, in any case; success means OK.",
    ),
    Parameter(
        name="sort_order",
        read=choice(_DIRECTIONS),
        schema={"type": "string", "enum": ["asc", "desc"], "default": "desc"},
        default="desc",
        description="Oldest or newest first.",
    ),
    Parameter(
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
    ),
    plain_text("cursor", "The cursor of the page before; keep every other parameter but limit and fields."),
    FIELDS,
)
_INCLUDES = {"children": "children"}
DETAIL_PARAMETERS: tuple[Parameter, ...] = (
    PROJECTS,
    Parameter(
        name="include",
        read=choice(_INCLUDES),
        schema={"type": "string", "enum": ["children"]},
        description="children adds spans[], earliest first.",
    ),
    FIELDS,
)


class TraceListView(CachedView):
    """Spans, newest first, a page at a time."""

    permission = "traces:read"
    route = "/traces"
    cache_group = "T"
    enveloped = True
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
        scope = caller_of(request).scope(values["project_id"])
        bound_to, after, where = _page(values, scope)
        plan = spans.SpanList(
            scope=scope,
            range=where,
            equal=_equalities(values),
            selection=_selection(values),
            descending=values["sort_order"] == "desc",
            limit=values["limit"],
            after=after,
        )
        # The cursor in the reply is bound to the bounds as they were sent, so they are part of the question.
        bounds = {name: values[name] for name in ("start_time", "end_time")}
        return Question(
            scope=scope,
            values=canonical(values) | bounds,
            range=where,
            moves=after is None and moves(values),
            first=after is None,
            plan=_Page(spans=plan, bound_to=bound_to, query=request.query_params, path=request.path),
        )

    def answer(self, question: Question) -> Answer:
        asked: _Page = question.plan
        page = spans.list_spans(asked.spans)
        pagination: dict[str, Any] = {"has_more": page.next is not None, "limit": asked.spans.limit}
        if page.next is None:
            return Answer(data=page.spans, pagination=pagination)
        pagination["cursor"] = cursors.encode(page.next, bound_to=asked.bound_to, key=settings.SECRET_KEY)
        return Answer(data=page.spans, pagination=pagination, headers={"Link": asked.link_to(pagination["cursor"])})


class TraceDetailView(CachedView):
    """One trace: its root span with the figures of the whole."""

    permission = "traces:read"
    route = "/traces/{trace_id}"
    cache_group = "T"
    cache_ttl = "CACHE_TRACE_TTL"
    enveloped = True
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
        selection = spans.select_detail(
            values["fields"], inline=settings.TRACE_MAX_INLINE_SPANS if values["include"] else 0
        )
        return Question(
            scope=caller_of(request).scope(values["project_id"]),
            values=canonical(values) | path,
            range=None,
            plan=(path["trace_id"], selection),
        )

    def range_of(self, question: Question) -> TimeRange:
        trace_id, _ = question.plan
        found = spans.locate_trace(question.scope, trace_id)
        if found is None:
            raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
        _, where = found
        return TimeRange(start=floor(where.start, _DAY), end=floor(where.end, _DAY) + _DAY)

    def answer(self, question: Question) -> Answer:
        trace_id, selection = question.plan
        detail = spans.trace_detail(question.scope, trace_id, selection=selection)
        if detail is None:
            raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
        return Answer(data=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page of spans, what its cursor is bound to, and the request that the link to the next page repeats."""

    spans: spans.SpanList
    bound_to: bytes
    query: QueryDict
    path: str

    def link_to(self, cursor: str) -> str:
        query = self.query.copy()
        query["cursor"] = cursor
        return f'<{settings.API_BASE_URL}{self.path}?{query.urlencode()}>; rel="next"'


def _page(values: dict[str, Any], scope: Scope) -> tuple[bytes, cursors.Cursor | None, TimeRange]:
    asked = time_range(
        values,
        default=timedelta(hours=settings.TRACES_DEFAULT_WINDOW_HOURS),
        longest_days=settings.TRACES_MAX_RANGE_DAYS,
    )
    bound_to = cursors.binding(
        scope.tenant,
        _equalities(values),
        values["sort_order"],
        values["start_time"],
        values["end_time"],
    )
    if values["cursor"] is None:
        return bound_to, None, asked
    cursor = cursors.decode(values["cursor"], bound_to=bound_to, key=settings.SECRET_KEY)
    return bound_to, cursor, TimeRange(start=cursor.start, end=cursor.end)


def _equalities(values: dict[str, Any]) -> dict[str, str]:
    given = {key: values[key] for key in EQUALITY_KEYS} | {"status_code": values["status"]}
    return {key: value for key, value in given.items() if value is not None}


def _selection(values: dict[str, Any]) -> Selection:
    return select(values["fields"]) if values["fields"] else DEFAULT_SELECTION
