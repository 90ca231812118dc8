"""GET /ingest/rejected: what ingest set aside, and why."""

from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.common import PROJECTS, RANGE, caller_of, enveloped, plain_text, time_range
from analytics.api.parameters import Parameter, choice, documented, integer, validate
from analytics.api.views import AnalyticsView
from analytics.queries import cursors
from analytics.queries.rejected import RejectedList, count_rejected, list_rejected
from analytics.queries.timerange import TimeRange
from analytics.registry.rejections import REASONS
from analytics.scope import Scope
from errors.schema import ERROR_REPLIES

_REASONS = {reason: reason for reason in REASONS}
PARAMETERS: tuple[Parameter, ...] = (
    *RANGE,
    PROJECTS,
    Parameter(
        name="reason",
        read=choice(_REASONS),
        schema={"type": "string", "enum": list(_REASONS)},
        description="Entries of this reason only.",
    ),
    Parameter(
        name="include",
        read=choice({"total": "total"}),
        schema={"type": "string", "enum": ["total"]},
        description="total adds pagination.total, the number of entries in the range.",
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
        description="Entries of a page.",
    ),
    plain_text("cursor", "The cursor of the page before; keep every other parameter but limit and include."),
)


class RejectedView(AnalyticsView):
    """Spans that were set aside and requests that were refused whole, newest first, a page at a time."""

    permission = "traces:read"
    parameters = PARAMETERS

    @extend_schema(
        operation_id="ingest_rejected_list",
        parameters=documented(PARAMETERS),
        responses={
            200: schema.enveloped({"type": "array", "items": schema.ref("RejectedSpan")}, paged=True),
            **ERROR_REPLIES,
        },
    )
    def get(self, request: Request) -> Response:
        started = monotonic()
        values = validate(request.query_params, self.parameters)
        scope = caller_of(request).scope(values["project_id"])
        bound_to, after, where = _place(values, scope)
        plan = RejectedList(
            scope=scope,
            range=where,
            reason=values["reason"],
            limit=values["limit"],
            clock=timezone.now() if after is None else after.clock,
            after=after,
        )
        page = list_rejected(plan)
        pagination: dict[str, Any] = {"has_more": page.next is not None, "limit": values["limit"]}
        if values["include"]:
            pagination["total"] = count_rejected(plan)
        if page.next is not None:
            pagination["cursor"] = cursors.encode(page.next, bound_to=bound_to, key=settings.SECRET_KEY)
        response = enveloped(request, page.entries, started=started, pagination=pagination)
        if page.next is not None:
            query = request.query_params.copy()
            query["cursor"] = pagination["cursor"]
            response["Link"] = f'<{settings.API_BASE_URL}{request.path}?{query.urlencode()}>; rel="next"'
        return response


def _place(values: dict[str, Any], scope: Scope) -> tuple[bytes, cursors.Cursor | None, TimeRange]:
    asked = time_range(
        values,
        default=timedelta(hours=settings.TRACES_DEFAULT_WINDOW_HOURS),
        longest_days=settings.TRACES_MAX_RANGE_DAYS,
    )
    bound_to = cursors.binding("rejected", scope.tenant, values["reason"], values["start_time"], values["end_time"])
    if values["cursor"] is None:
        return bound_to, None, asked
    cursor = cursors.decode(values["cursor"], bound_to=bound_to, key=settings.SECRET_KEY, now=timezone.now())
    return bound_to, cursor, TimeRange(start=cursor.start, end=cursor.end)
