"""Lists of spans and figures of them: GET /traces and /traces/stats."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, PROJECTS, RANGE, caller_of, canonical, moves, plain_text, time_range
from analytics.api.parameters import Parameter, choice, documented, integer, names, validate
from analytics.api.span_filters import NARROWING_PARAMETERS, asked_of, filter_of
from analytics.queries import cursors, spans
from analytics.queries.beside import Addition, Chosen, members_beside, members_of
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.tree import Node, leaves, searched
from analytics.queries.selection import DEFAULT_SELECTION, Selection, select
from analytics.queries.snapshots import snapshot
from analytics.queries.sorting import RELEVANCE, SORTS, Sort
from analytics.queries.spans import Spans, Within
from analytics.queries.statistics import STATISTICS, span_statistics
from analytics.queries.timerange import TimeRange, round_up
from analytics.registry.fields import ALIASES, FieldType
from errors.catalog import INVALID_FIELD_VALUE
from errors.exceptions import ApiError
from errors.nearest import hint
from errors.schema import ERROR_REPLIES

_DAY = timedelta(days=1)
_DIRECTIONS = {"asc": "asc", "desc": "desc"}
_WITHIN = {one.value: one.value for one in Within}
SORT_NAMES = {name: name for name in SORTS}
TOTAL = "total"
LIST_INCLUDES = (*Addition, TOTAL)
MOST_INCLUDES = 10

WITHIN = Parameter(
    name="scope",
    read=choice(_WITHIN),
    schema={"type": "string", "enum": [*_WITHIN], "default": "all"},
    default=Within.ALL.value,
    description="all spans; calls: model calls that are counted; roots: spans without a stored parent, which"
    " counts whenever it was; one that names itself has none.",
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


def include(allowed: tuple[str, ...], description: str) -> Parameter:
    """Return the parameter that names what to add."""
    return Parameter(
        name="include",
        read=names(most=MOST_INCLUDES, allowed=allowed),
        schema={"type": "string", "examples": list(allowed)},
        default=(),
        description=f"{description} Several are separated by commas.",
    )


NARROWED: tuple[Parameter, ...] = (*RANGE, PROJECTS, WITHIN, *NARROWING_PARAMETERS)
LIST_PARAMETERS: tuple[Parameter, ...] = (
    *NARROWED,
    Parameter(
        name="sort_by",
        read=choice(SORT_NAMES),
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
    include(
        LIST_INCLUDES,
        "children: spans[], the direct children; evaluations, feedback: what was said of the span or of its trace;"
        " highlights: where the search found something; total: how many spans the range has.",
    ),
    FIELDS,
)
STATS_PARAMETERS: tuple[Parameter, ...] = (*NARROWED, FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """A page of spans as it was asked for, what cursors of it are bound to, and the link to the next page, if any.

    `spans` has no full-text question yet: the server reads those when it is asked.
    """

    page: spans.SpanList
    total: bool
    bound_to: bytes
    link: "Link | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The request that the link to the next page repeats."""

    query: QueryDict
    path: str

    def to(self, cursor: str) -> str:
        """Return the header of the page that begins at a cursor."""
        query = self.query.copy()
        query["cursor"] = cursor
        return f'<{settings.API_BASE_URL}{self.path}?{query.urlencode()}>; rel="next"'


class SpanListing(CachedView):
    """What the list and the search do alike: one page of the spans that a filter finds."""

    permission = "traces:read"
    enveloped = True

    def read_filter(self, values: Mapping[str, Any], now: datetime) -> Node | None:
        """Return the filter of a request; relative times in it count from `now`."""
        raise NotImplementedError

    def question(
        self, request: Request, values: Mapping[str, Any], *, sent: Any, sort: Sort, link: Link | None
    ) -> Question:
        """Return the question of a page; `sent` is the filter as it was sent."""
        scope = caller_of(request).scope(values["project_id"])
        bounds = {name: values[name] for name in ("start_time", "end_time")}
        bound_to = cursors.binding(scope.tenant, sent, values["scope"], sort.key, sort.descending, bounds)
        after = decoded(values["cursor"], bound_to)
        clock = (after and after.clock) or round_up(timezone.now(), grid=settings.TIME_GRID_SECONDS)
        node = self.read_filter(values, clock)
        where = _range(values, clock) if after is None else TimeRange(start=after.start, end=after.end)
        selection, add = _selections(values["fields"], _additions(values["include"], node, sort=sort))
        page = spans.SpanList(
            spans=Spans(scope=scope, range=where, within=Within(values["scope"]), filter=node),
            selection=selection,
            sort=sort,
            limit=values["limit"],
            clock=clock,
            after=after,
            add=add,
        )
        # The cursor in the reply is bound to the bounds as they were sent, so they are part of the question.
        told = canonical(values) | bounds | _clock_of(node, clock)
        return Question(
            scope=scope,
            values=told,
            range=where,
            beyond=values["scope"] == Within.ROOTS or Addition.CHILDREN in page.add,
            moves=after is None and (moves(values) or "clock" in told),
            first=after is None,
            plan=_Listing(page=page, total=TOTAL in values["include"], bound_to=bound_to, link=link),
        )

    def answer(self, question: Question) -> Answer:
        asked: _Listing = question.plan
        with snapshot():
            plan = replace(asked.page, spans=_with_searches(asked.page.spans))
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


class TraceListView(SpanListing):
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
        link = Link(query=request.query_params, path=request.path)
        return self.question(request, values, sent=asked_of(values), sort=sort, link=link)

    def read_filter(self, values: Mapping[str, Any], now: datetime) -> Node | None:
        return filter_of(values, now=now)


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
            beyond=values["scope"] == Within.ROOTS,
            moves=moves(values) or "clock" in told,
            plan=(wanted, _figures_named(values["fields"])),
        )

    def answer(self, question: Question) -> Answer:
        wanted, asked = question.plan
        with snapshot():
            figures = asdict(span_statistics(_with_searches(wanted)))
        return Answer(data={name: figures[figure] for name, figure in asked.items()})


def decoded(text: str | None, bound_to: bytes) -> cursors.Cursor | None:
    """Return the cursor of a request; raise 400 for one of another question, or one that is too old."""
    if text is None:
        return None
    return cursors.decode(text, bound_to=bound_to, key=settings.SECRET_KEY, now=timezone.now())


def _clock_of(node: Node | None, clock: datetime) -> dict[str, datetime]:
    """Return the clock where a comparison with a time may depend on it."""
    return {"clock": clock} if any(leaf.target.type is FieldType.TIME for leaf in leaves(node)) else {}


def _range(values: Mapping[str, Any], clock: datetime) -> TimeRange:
    return time_range(
        values,
        default=timedelta(hours=settings.TRACES_DEFAULT_WINDOW_HOURS),
        longest_days=settings.TRACES_MAX_RANGE_DAYS,
        clock=clock,
    )


def _with_searches(wanted: Spans) -> Spans:
    """Return `wanted` with its full-text questions as the server reads them."""
    return replace(wanted, searches=searches_of(wanted.filter, scope=wanted.scope, where=wanted.range))


def _additions(include: tuple[str, ...], node: Node | None, *, sort: Sort) -> frozenset[Addition]:
    """Return what to add to each span; what needs a full-text question is refused without one."""
    asks = bool(searched(node))
    if sort.key == RELEVANCE and not asks:
        raise ApiError(INVALID_FIELD_VALUE, field="sort_by", details="relevance needs a full-text search")
    if Addition.HIGHLIGHTS in include and not asks:
        raise ApiError(INVALID_FIELD_VALUE, field="include", details="highlights need a full-text search")
    return frozenset(Addition(name) for name in include if name != TOTAL)


def _selections(names: tuple[str, ...], add: frozenset[Addition]) -> tuple[Selection, Mapping[Addition, Chosen]]:
    """Return what to send of each span, and of what is added to it."""
    own, chosen = members_of(names, add)
    return select(own, beside=members_beside(add)) if names else DEFAULT_SELECTION, chosen


def _figures_named(asked: tuple[str, ...]) -> dict[str, str]:
    """Return which figure is sent under which of its names; raise 400/1202 for a name of none."""
    told = {name: ALIASES.get(name, name) for name in asked or STATISTICS}
    for name, figure in told.items():
        if figure not in STATISTICS:
            details = f"{name[:64]}: {hint(name, STATISTICS)}allowed: {', '.join(STATISTICS)}"
            raise ApiError(INVALID_FIELD_VALUE, field="fields", details=details)
    return told
