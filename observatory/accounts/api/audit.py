"""GET /audit: what was done in the organisation, the newest first, by keyset."""

from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.common import RANGE, enveloped, plain_text, time_range
from analytics.api.parameters import Parameter, choice, documented, integer, validate
from analytics.api.traces import TOTAL, Link, include
from analytics.queries import cursors
from analytics.queries.timerange import TimeRange
from errors.catalog import INVALID_FIELD_FORMAT
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES
from observatory.accounts.api import shapes
from observatory.accounts.api.views import ManagementView, caller_of
from observatory.accounts.audit import ACTIONS
from observatory.accounts.models import AuditEntry

_DEFAULT_RANGE, _LONGEST_DAYS = timedelta(days=7), 90
_NO_SPAN = b"\0" * 8


def _identifier(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a UUID") from None


PARAMETERS: tuple[Parameter, ...] = (
    *RANGE,
    Parameter(
        name="action",
        read=choice({one: one for one in ACTIONS}),
        schema={"type": "string", "enum": list(ACTIONS)},
        description="What was done.",
    ),
    plain_text("resource_type", "Kind of thing it was done to: key, member, project, token, trace …"),
    plain_text("resource_id", "Id of that thing."),
    Parameter(name="user_id", read=_identifier, schema={"type": "string", "format": "uuid"}, description="Who did it."),
    Parameter(
        name="success",
        read=choice({"true": "true", "false": "false"}),
        schema={"type": "string", "enum": ["true", "false"]},
        description="Whether it came to pass.",
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
    include((TOTAL,), "total: how many entries the range has."),
)


class AuditView(ManagementView):
    """The organisation's audit log."""

    permissions = {"GET": "audit:read"}

    @extend_schema(
        operation_id="audit_list",
        parameters=documented(PARAMETERS),
        responses={
            200: schema.enveloped({"type": "array", "items": shapes.ref("AuditEntry")}, paged=True),
            **ERROR_REPLIES,
        },
    )
    def get(self, request: Request) -> Response:
        started = monotonic()
        values = validate(request.query_params, PARAMETERS)
        where, after, bound_to = self._page(request, values)
        rows = AuditEntry.objects.filter(_asked(values), organisation_id=caller_of(request).organisation_id)
        rows = every = rows.filter(ts__gte=where.start, ts__lt=where.end)
        if after is not None:
            rows = rows.filter(Q(ts__lt=after.ts) | Q(ts=after.ts, id__lt=UUID(bytes=after.trace_id)))
        limit = values["limit"]
        found = list(rows.order_by("-ts", "-id")[: limit + 1])
        pagination: dict[str, Any] = {"has_more": len(found) > limit, "limit": limit}
        if len(found) > limit:
            last = found[limit - 1]
            cursor = cursors.Cursor(
                ts=last.ts,
                trace_id=last.id.bytes,
                span_id=_NO_SPAN,
                start=where.start,
                end=where.end,
                clock=timezone.now() if after is None else after.clock,
            )
            pagination["cursor"] = cursors.encode(cursor, bound_to=bound_to, key=settings.SECRET_KEY)
        if values["include"]:
            pagination["total"] = every.count()
        entries = [shapes.shown_entry(one) for one in found[:limit]]
        response = enveloped(request, entries, started=started, pagination=pagination)
        if "cursor" in pagination:
            response["Link"] = Link(query=request.query_params, path=request.path).to(pagination["cursor"])
        return response

    @staticmethod
    def _page(request: Request, values: dict[str, Any]) -> tuple[TimeRange, cursors.Cursor | None, bytes]:
        asked = time_range(values, default=_DEFAULT_RANGE, longest_days=_LONGEST_DAYS)
        kept = {name: str(value) for name, value in values.items() if name not in ("limit", "cursor", "include")}
        bound_to = cursors.binding(
            {"organisations": [caller_of(request).organisation_id], "projects": []}, kept, "audit", None, None
        )
        if values["cursor"] is None:
            return asked, None, bound_to
        cursor = cursors.decode(values["cursor"], bound_to=bound_to, key=settings.SECRET_KEY, now=timezone.now())
        return TimeRange(start=cursor.start, end=cursor.end), cursor, bound_to


def _asked(values: dict[str, Any]) -> Q:
    names = ("action", "resource_type", "resource_id", "user_id")
    asked = Q(**{name: values[name] for name in names if values[name] is not None})
    return asked if values["success"] is None else asked & Q(success=values["success"] == "true")
