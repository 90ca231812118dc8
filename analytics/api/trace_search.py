"""Spans by an expression of the filter language: POST /traces/search."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import bodies, schema
from analytics.api.bodies import Member
from analytics.api.caching.views import Question
from analytics.api.common import FIELDS_OF_BODY, PROJECTS_OF_BODY, RANGE, as_member
from analytics.api.parameters import choice, validate
from analytics.api.span_filters import limits_at
from analytics.api.traces import LIMIT, LIST_INCLUDES, MOST_INCLUDES, SORT_NAMES, WITHIN, SpanListing
from analytics.queries.filters.document import read_filter
from analytics.queries.filters.tree import Node
from analytics.queries.sorting import SORTS, Sort
from errors.catalog import OFFSET_UNSUPPORTED
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_TEXT = settings.MAX_TEXT_PARAMETER_CHARS
SEARCH_MEMBERS: tuple[Member, ...] = (
    Member(
        name="filter",
        read=bodies.anything,
        schema={"anyOf": [schema.ref("Filter"), {"type": "null"}]},
        description="An expression of the filter language; without one every span of the range is found.",
    ),
    *map(as_member, (*RANGE, WITHIN)),
    Member(
        name="sort_by",
        read=bodies.read_by(choice(SORT_NAMES)),
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
    FIELDS_OF_BODY,
    Member(
        name="include",
        read=bodies.texts(most=MOST_INCLUDES, longest=_TEXT, allowed=LIST_INCLUDES),
        schema={"type": "array", "items": {"type": "string", "enum": list(LIST_INCLUDES)}},
        default=(),
        description="What to add, as in the list.",
    ),
    PROJECTS_OF_BODY,
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


class TraceSearchView(SpanListing):
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
        body = cast("dict[str, Any]", request.data)
        if "offset" in body:
            raise ApiError(OFFSET_UNSUPPORTED, field="offset")
        values = bodies.read_body(body, SEARCH_MEMBERS)
        sort = Sort(key=values["sort_by"], descending=values["sort_desc"])
        return self.question(request, values, sent=values["filter"], sort=sort, link=None)

    def read_filter(self, values: Mapping[str, Any], now: datetime) -> Node | None:
        return None if values["filter"] is None else read_filter(values["filter"], limits=limits_at(now))
