"""Users and sessions: GET /users, /sessions and /sessions/{session_id}."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request

from analytics.api import schema
from analytics.api.caching.views import Answer, Question
from analytics.api.common import (
    FIELDS,
    FILTERS,
    PROJECTS,
    RANGE,
    caller_of,
    canonical,
    filters_of,
    moves,
    plain_text,
    time_range,
)
from analytics.api.figures import DAY, ReportView
from analytics.api.overviews import bounded
from analytics.api.parameters import Parameter, choice, documented, validate
from analytics.api.traces import TOTAL, Link, include
from analytics.queries import cursors
from analytics.queries.plans import Filter, Sort
from analytics.queries.reports.people import (
    SESSION,
    SESSIONS,
    USERS,
    Listing,
    Page,
    count_people,
    people,
    select_session,
    session,
)
from analytics.queries.shapes import Tree
from analytics.queries.timerange import TimeRange
from analytics.storage.transactions import retried
from errors.catalog import CURSOR_EXPIRED, INVALID_CURSOR, SESSION_NOT_FOUND
from errors.exceptions import ApiError
from errors.json import rfc3339
from errors.schema import ERROR_REPLIES

_SALT = "people 2"  # the number is that of the form of cursors
_ORDERS = {"asc": "asc", "desc": "desc"}


def _list_parameters(listing: Listing) -> tuple[Parameter, ...]:
    return (
        *RANGE,
        PROJECTS,
        *FILTERS,
        Parameter(
            name="sort_by",
            read=choice({one: one for one in listing.sorts}),
            schema={"type": "string", "enum": list(listing.sorts), "default": listing.sorts[0]},
            default=listing.sorts[0],
            description="Order; items without the value come last.",
        ),
        Parameter(
            name="sort_order",
            read=choice(_ORDERS),
            schema={"type": "string", "enum": list(_ORDERS), "default": "desc"},
            default="desc",
            description="Direction.",
        ),
        bounded(
            "limit", high=settings.PAGE_MAX_LIMIT, default=settings.PAGE_DEFAULT_LIMIT, description="Items a page."
        ),
        plain_text("cursor", "The cursor of the page before; keep every other parameter but limit, include, fields."),
        include((TOTAL,), "total: how many items the range has."),
        FIELDS,
    )


class ListView(ReportView):
    """A page of users or sessions."""

    listing: ClassVar[Listing]
    cache_group = "T"
    enveloped = True

    def ask(self, request: Request, **_path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        scope, filters = caller_of(request).scope(values["project_id"]), filters_of(request, values)
        bound = cursors.binding(
            self.route,
            scope.tenant,
            {one.dimension.key: one.values for one in filters},
            [values[name] for name in ("sort_by", "sort_order", "start_time", "end_time")],
        ).hex()
        where = time_range(values, default=DAY, longest_days=settings.METRICS_MAX_RANGE_DAYS)
        after, since = None, timezone.now()
        if values["cursor"] is not None:
            where, after, since = _decoded(values["cursor"], bound, now=since)
        page = partial(
            people,
            listing=self.listing,
            scope=scope,
            where=where,
            filters=filters,
            sort=Sort(by=values["sort_by"], descending=values["sort_order"] == "desc"),
            limit=values["limit"],
            after=after,
            wanted=self.listing.shape.chosen(values["fields"]),
            link_to=_linking(self.listing, where, values["project_id"], filters),
        )
        count = partial(count_people, listing=self.listing, scope=scope, where=where, filters=filters)
        plan = partial(
            _paged,
            page,
            count=count if TOTAL in values["include"] else None,
            cursor_after=partial(_encoded, where=where, bound=bound, since=since),
            limit=values["limit"],
            link=Link(query=request.query_params, path=request.path),
        )
        first = values["cursor"] is None
        return Question(scope=scope, values=canonical(values), range=where, moves=moves(values), plan=plan, first=first)

    def answer(self, question: Question) -> Answer:
        answer: Answer = retried(question.plan, snapshot=True)
        return answer


def _linking(
    listing: Listing, where: TimeRange, projects: Sequence[str], filters: Sequence[Filter]
) -> Callable[[str], str]:
    """Return what makes of the label of an item where its spans are listed: those of the range, projects, filters."""
    asked = {one.dimension.key: one.values[0] for one in filters} | {
        "start_time": rfc3339(where.start),
        "end_time": rfc3339(where.end),
        **({"project_id": ",".join(projects)} if projects else {}),
    }
    return lambda label: f"{settings.API_BASE_URL}/api/v1/traces?{urlencode(asked | {listing.dimension: label})}"


def _paged(
    page: partial[Page],
    *,
    count: partial[int] | None,
    cursor_after: Callable[[tuple[Any, str]], str],
    limit: int,
    link: Link,
) -> Answer:
    found = page()
    pagination: dict[str, Any] = {"has_more": found.next is not None, "limit": limit}
    headers = {}
    if found.next is not None:
        pagination["cursor"] = cursor_after(found.next)
        headers = {"Link": link.to(pagination["cursor"])}
    if count is not None:
        pagination["total"] = count()
    return Answer(data=found.items, pagination=pagination, headers=headers)


def _encoded(last: tuple[Any, str], *, where: TimeRange, bound: str, since: datetime) -> str:
    value, label = last
    kind = "t" if isinstance(value, datetime) else "d" if isinstance(value, Decimal) else "n"
    told = value.isoformat() if isinstance(value, datetime) else str(value) if kind == "d" else value
    times = [one.isoformat() for one in (where.start, where.end, since)]
    return signing.dumps([kind, told, label, times, bound], salt=_SALT, compress=True)


def _decoded(text: str, bound: str, *, now: datetime) -> tuple[TimeRange, tuple[Any, str], datetime]:
    try:
        kind, told, label, times, known = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        raise ApiError(INVALID_CURSOR, field="cursor") from None
    if known != bound:
        raise ApiError(INVALID_CURSOR, field="cursor")
    start, end, since = map(datetime.fromisoformat, times)
    if since + cursors.GOOD_FOR < now:
        raise ApiError(CURSOR_EXPIRED, field="cursor")
    value = datetime.fromisoformat(told) if kind == "t" else Decimal(told) if kind == "d" else told
    return TimeRange(start=start, end=end), (value, label), since


def _listed(operation: str, listing: Listing) -> Any:
    item = schema.shape(listing.shape)
    replies = {200: schema.enveloped({"type": "array", "items": item}, paged=True), **ERROR_REPLIES}
    get = extend_schema(operation_id=operation, parameters=documented(_list_parameters(listing)), responses=replies)
    return extend_schema_view(get=get)


@_listed("users_list", USERS)
class UsersView(ListView):
    """End users, a page at a time."""

    permission = "usage:read"
    route = "/users"
    listing, shape, metadata = USERS, USERS.shape, Tree(members={})
    parameters = _list_parameters(USERS)


@_listed("sessions_list", SESSIONS)
class SessionsView(ListView):
    """Sessions, a page at a time."""

    permission = "traces:read"
    route = "/sessions"
    listing, shape, metadata = SESSIONS, SESSIONS.shape, Tree(members={})
    parameters = _list_parameters(SESSIONS)


SESSION_PARAMETERS = (*RANGE, PROJECTS, FIELDS)


@extend_schema_view(
    get=extend_schema(
        operation_id="sessions_retrieve",
        parameters=documented(SESSION_PARAMETERS),
        responses={200: schema.enveloped(schema.shape(SESSION)), **ERROR_REPLIES},
    )
)
class SessionView(ReportView):
    """One session with its traces."""

    permission = "traces:read"
    route = "/sessions/{session_id}"
    cache_group = "T"
    enveloped = True
    shape, metadata = SESSION, Tree(members={})
    parameters = SESSION_PARAMETERS

    def ask(self, request: Request, **path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        if "\0" in path["session_id"]:  # no text of a span has it
            raise _unknown(path["session_id"])
        days = settings.METRICS_MAX_RANGE_DAYS
        where = time_range(values, default=timedelta(days=days), longest_days=days)
        scope = caller_of(request).scope(values["project_id"])
        wanted = select_session(values["fields"])
        link_to = _linking(SESSIONS, where, values["project_id"], [])
        plan = partial(session, scope=scope, where=where, session_id=path["session_id"], wanted=wanted, link_to=link_to)
        told = canonical(values) | path
        return Question(
            scope=scope,
            values=told,
            range=where,
            beyond=wanted.has_traces,
            moves=moves(values),
            plan=plan,
        )

    def answer(self, question: Question) -> Answer:
        found = retried(question.plan, snapshot=True)
        if found is None:
            raise _unknown(str(question.values["session_id"]))
        return Answer(data=found)


def _unknown(session_id: str) -> ApiError:
    return ApiError(SESSION_NOT_FOUND, session_id=session_id[:200])
