"""Exports: POST /export/traces, the jobs, their files, figures over them."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import bodies, schema
from analytics.api.bodies import Member
from analytics.api.caching.validators import lists, matches_strongly
from analytics.api.common import FIELDS_OF_BODY, LIMIT_AND_OFFSET, PROJECTS_OF_BODY, RANGE, caller_of, time_range
from analytics.api.export_shapes import job_url, shown_job
from analytics.api.idempotency import once
from analytics.api.parameters import Parameter, choice, documented, integer, validate
from analytics.api.resources import paged
from analytics.api.span_filters import NARROWINGS, limits_at
from analytics.api.traces import WITHIN
from analytics.api.views import ByMethodView
from analytics.exports import selectors
from analytics.exports.files import StoreError, store
from analytics.exports.formats import COMPRESSIONS, FORMATS
from analytics.exports.selecting import file_name_of, format_of
from analytics.exports.service import Asked, export_cancel, export_create
from analytics.models import ExportStatus
from analytics.queries.filters.document import read_filter
from analytics.queries.selection import select
from analytics.queries.spans import Within
from analytics.queries.timerange import round_up
from errors.catalog import RANGE_NOT_SATISFIABLE, STORAGE_ERROR
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_TEXT = settings.MAX_TEXT_PARAMETER_CHARS
_NARROWED_BY = ("provider", "model", "environment", "user_id", "session_id")
_STATUS = next(one.parameter for one in NARROWINGS if one.field == "status_code")
_ONE_RANGE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*")


def as_member(parameter: Parameter, **changed: Any) -> Member:
    """Return a query parameter as the member of a body."""
    given = {
        "name": parameter.name,
        "also": parameter.also,
        "read": bodies.read_by(parameter.read),
        "schema": parameter.schema,
        "default": parameter.default,
        "description": parameter.description,
    }
    return Member(**given | changed)


SELECTING: tuple[Member, ...] = (
    Member(
        name="format",
        read=bodies.one_of({key: key for key in FORMATS}),
        schema={"type": "string", "enum": list(FORMATS)},
        description=" ".join(f"{one.key}: {one.description}" for one in FORMATS.values()),
        required=True,
    ),
    Member(
        name="compression",
        read=bodies.one_of({key: key for key in COMPRESSIONS}),
        schema={"type": "string", "enum": list(COMPRESSIONS), "default": "none"},
        default="none",
        description="gzip: the whole file; of Parquet its pages.",
    ),
    PROJECTS_OF_BODY,
    as_member(WITHIN),
    *(as_member(one.parameter) for one in NARROWINGS if one.parameter.name in _NARROWED_BY),
    as_member(_STATUS, name="status_code"),
    Member(
        name="filter",
        read=bodies.anything,
        schema={"anyOf": [schema.ref("Filter"), {"type": "null"}]},
        description="An expression of the filter language.",
    ),
    FIELDS_OF_BODY,
)
EXPORT_MEMBERS: tuple[Member, ...] = (
    *SELECTING,
    *map(as_member, RANGE),
    Member(
        name="limit",
        read=bodies.whole(low=1, high=settings.EXPORT_MAX_ROWS),
        schema={"type": "integer", "minimum": 1, "maximum": settings.EXPORT_MAX_ROWS},
        description="Most spans, the earliest; without it every span of the selection.",
    ),
)
_EXAMPLE: dict[str, Any] = {
    "format": "parquet",
    "compression": "gzip",
    "start_time": "now-7d/d",
    "end_time": "now/d",
    "environment": "production",
    "filter": {"field": "total_cost_usd", "operator": "gt", "value": 0.01},
    "fields": ["ts", "trace_id", "model", "total_cost_usd", "attributes.shop.cart"],
}
LIST_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="status",
        read=choice({value: value for value in ExportStatus.values}),
        schema={"type": "string", "enum": list(ExportStatus.values)},
        description="Only exports of this status.",
    ),
    *LIMIT_AND_OFFSET,
)
_MOST_DAYS, _DAYS = 365, 30
STATISTICS_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="days",
        read=integer(low=1, high=_MOST_DAYS),
        schema={"type": "integer", "minimum": 1, "maximum": _MOST_DAYS, "default": _DAYS},
        default=_DAYS,
        description="Exports that were created in this many days.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a body says of the spans: one expression that means all, and the comparisons as sent."""

    filter: Mapping[str, Any] | None
    told: Mapping[str, Any]


def chosen_of(values: Mapping[str, Any], *, now: datetime) -> Chosen:
    """Return the filter of validated `values`; raise 400/1202-1213 for members and comparisons that cannot be."""
    if values["fields"]:
        select(values["fields"])
    clock = round_up(now, grid=settings.TIME_GRID_SECONDS)
    parts: list[Mapping[str, Any]] = []
    told = {name: values[name] for name in ("project_id", "filter") if values[name]} | {"scope": values["scope"]}
    for name in (*_NARROWED_BY, "status_code"):
        if values[name] is not None:
            parts.append({"field": name, "operator": "eq", "value": values[name]})
            told[name] = values[name]
    if values["filter"] is not None:
        read_filter(values["filter"], limits=limits_at(clock))
        parts.append(values["filter"])
    if not parts:
        return Chosen(filter=None, told=told)
    return Chosen(filter=parts[0] if len(parts) == 1 else {"operator": "AND", "filters": parts}, told=told)


class ExportView(ByMethodView):
    """A route of exports."""

    audited = "export"


class ExportTracesView(ExportView):
    """Begins an export of spans."""

    permissions = {"POST": "exports:create"}
    rate_cost = 100
    rate_class = "export"

    @extend_schema(
        operation_id="export_traces",
        request={"application/json": bodies.schema_of(EXPORT_MEMBERS, example=_EXAMPLE)},
        responses={202: schema.ref("ExportAccepted"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        return once(request, partial(self._create, request))

    @staticmethod
    def _create(request: Request) -> Response:
        now = timezone.now()
        validate(request.query_params, ())
        values = bodies.read_body(cast("dict[str, Any]", request.data), EXPORT_MEMBERS)
        caller = caller_of(request)
        where = time_range(
            values,
            default=timedelta(hours=settings.TRACES_DEFAULT_WINDOW_HOURS),
            longest_days=settings.ANALYTICS_MAX_RANGE_DAYS,
            clock=now,
        )
        chosen = chosen_of(values, now=now)
        job = export_create(
            Asked(
                scope=caller.scope(values["project_id"]),
                organisation_id=caller.organisation_id,
                organisation_uuid=caller.organisation_uuid,
                range=where,
                format=values["format"],
                compression=values["compression"],
                within=Within(values["scope"]),
                filter=chosen.filter,
                told=chosen.told,
                fields=values["fields"],
                limit=values["limit"],
            ),
            now=now,
        )
        shown = {
            "job_id": str(job.id),
            "status": job.status,
            "created_at": job.created_at,
            "estimated_completion_at": selectors.estimated_completion(job, now=now),
            "status_url": job_url(job),
        }
        response = Response(shown, status=status.HTTP_202_ACCEPTED, headers={"Location": job_url(job)})
        response.audited_id = str(job.id)  # type: ignore[attr-defined]  # for the audit log
        return response


class ExportJobsView(ExportView):
    """Exports whose projects are all in reach, the newest first."""

    permissions = {"GET": "exports:read"}
    parameters = LIST_PARAMETERS

    @extend_schema(
        operation_id="export_jobs",
        parameters=documented(LIST_PARAMETERS),
        responses={200: schema.named_list("jobs", schema.ref("ExportJob")), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        values = validate(request.query_params, self.parameters)
        caller, now = caller_of(request), timezone.now()
        jobs = selectors.jobs_of(caller.organisation_id, caller.scope().projects)
        if values["status"] is not None:
            jobs = selectors.jobs_with_status(jobs, values["status"], now=now)
        return paged("jobs", jobs, partial(shown_job, now=now), limit=values["limit"], offset=values["offset"])


class ExportJobView(ExportView):
    """One export."""

    permissions = {"GET": "exports:read", "DELETE": "exports:cancel"}

    @extend_schema(operation_id="export_job", responses={200: schema.ref("ExportJob"), **ERROR_REPLIES})
    def get(self, request: Request, job_id: str) -> Response:
        validate(request.query_params, ())
        caller = caller_of(request)
        job = selectors.job_get(caller.organisation_id, caller.scope().projects, job_id)
        return Response(shown_job(job, now=timezone.now()))

    @extend_schema(operation_id="export_cancel", responses={204: None, **ERROR_REPLIES})
    def delete(self, request: Request, job_id: str) -> Response:
        validate(request.query_params, ())
        caller = caller_of(request)
        job = selectors.job_get(caller.organisation_id, caller.scope().projects, job_id)
        export_cancel(job, now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportStatisticsView(ExportView):
    """Figures over the exports in reach."""

    permissions = {"GET": "exports:read"}
    parameters = STATISTICS_PARAMETERS

    @extend_schema(
        operation_id="export_statistics",
        parameters=documented(STATISTICS_PARAMETERS),
        responses={200: schema.ref("ExportStatistics"), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        values = validate(request.query_params, self.parameters)
        caller = caller_of(request)
        figures = selectors.export_statistics(
            caller.scope(), caller.organisation_id, days=values["days"], now=timezone.now()
        )
        return Response(asdict(figures))


_FILE = {"type": "string", "format": "binary"}
_FILES: Mapping[Any, Any] = {
    (code, media_type): _FILE
    for code in (200, 206)
    for media_type in sorted({one.file_type(how) for one in FORMATS.values() for how in COMPRESSIONS})
}


class ExportDownloadView(ExportView):
    """The file of a completed export, whole or a part of it."""

    permissions = {"GET": "exports:download"}
    audit_action = "export"
    cache_control = "private, no-store"

    def perform_content_negotiation(self, request: Request, force: bool = True) -> Any:
        """Take any `Accept`: the file has the one form that it was made in."""
        return super().perform_content_negotiation(request, force=force)

    @extend_schema(
        operation_id="export_download",
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="bytes=0-1023: only these octets."),
            OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="Range counts for this ETag only."),
        ],
        responses={**_FILES, **ERROR_REPLIES, 410: ERROR_REPLIES[400], 416: ERROR_REPLIES[400]},
    )
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        validate(request.query_params, ())
        caller, now = caller_of(request), timezone.now()
        try:
            file = selectors.file_get(caller.organisation_id, caller.scope().projects, job_id, now=now)
            return self._reply(request, file)
        except StoreError as problem:
            raise ApiError(STORAGE_ERROR) from problem

    @staticmethod
    def _reply(request: Request, file: selectors.ExportedFile) -> HttpResponseBase:
        job, tag = file.job, f'"{file.job.sha256}"'
        part = _part(request, tag, file.size)
        start, end = part or (0, file.size)
        headers = {
            "ETag": tag,
            "Accept-Ranges": "bytes",
            "Content-Disposition": f'attachment; filename="{file_name_of(job)}"',
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(job.sha256)).decode()}:",
            "Content-Length": str(end - start),
        }
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        code = status.HTTP_200_OK if part is None else status.HTTP_206_PARTIAL_CONTENT
        given: dict[str, Any] = {
            "status": code, "content_type": format_of(job).file_type(job.compression), "headers": headers
        }  # fmt: skip
        response: Any
        if lists(request.headers.get("If-None-Match", ""), tag):
            response = HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
        elif request.method == "HEAD":
            response = HttpResponse(**given)
        else:
            response = StreamingHttpResponse(_octets(job.file_name, start, end), **given)
        response.row_tag = True  # never compressed: tag and length are of these octets
        return cast("HttpResponseBase", response)


def _octets(name: str, start: int, end: int) -> Iterator[bytes]:
    return store().read(name, start, end)


def _part(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """Return the octets that are asked for, from and up to; `None` for all of them.

    What is no single range of octets is passed over, as HTTP lets a server do; raise 416/1200 for one behind the end.
    """
    match = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    unless = request.headers.get("If-Range")
    if match is None or (unless is not None and not matches_strongly(unless, tag)):
        return None
    first, last, final = match.groups()
    if final is not None:
        start, end = max(size - int(final), 0), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < start:
            return None
    if start >= end:
        raise ApiError(RANGE_NOT_SATISFIABLE, size=size, headers={"Content-Range": f"bytes */{size}"})
    return start, end


VIEWS: Sequence[tuple[str, type[ExportView]]] = (
    ("export/traces", ExportTracesView),
    ("export/jobs", ExportJobsView),
    ("export/jobs/<str:job_id>", ExportJobView),
    ("export/jobs/<str:job_id>/download", ExportDownloadView),
    ("export/statistics", ExportStatisticsView),
)
