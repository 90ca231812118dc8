"""Scheduled exports: days that go into a folder, one file each."""

import re
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import bodies, schema
from analytics.api.bodies import Member
from analytics.api.common import LIMIT_AND_OFFSET, caller_of
from analytics.api.export_shapes import schedule_url, shown_schedule
from analytics.api.exports import SELECTING, ExportView, chosen_of
from analytics.api.idempotency import once
from analytics.api.parameters import documented, validate
from analytics.exports import schedules
from analytics.models import Cadence, ExportSchedule
from errors.catalog import INVALID_FIELD_FORMAT
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_TEXT = settings.MAX_TEXT_PARAMETER_CHARS
_LONGEST_PREFIX, _MOST_KEEP_DAYS = 100, 3650
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")


def _prefix(name: str, value: Any) -> str:
    found: str = bodies.text(longest=_LONGEST_PREFIX, shortest=1)(name, value)
    if not _PREFIX.fullmatch(found):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="folders of a-z, 0-9, - and _, with / between them")
    return found


def _day(name: str, value: Any) -> date:
    try:
        return date.fromisoformat(bodies.text(longest=10, shortest=10)(name, value))
    except ValueError:
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a day such as 2026-03-01") from None


NAME = Member(
    name="name", read=bodies.text(longest=_TEXT, shortest=1), schema={"type": "string"}, description="For people."
)
EVERY = Member(
    name="every",
    read=bodies.one_of({one.value: one.value for one in Cadence}),
    schema={"type": "string", "enum": list(Cadence.values)},
    description="daily: each day an hour after its end; weekly: the days of a week, from Monday, together.",
)
ENABLED = Member(name="enabled", read=bodies.flag, schema={"type": "boolean", "default": True})
NEXT_DAY = Member(
    name="next_day",
    read=_day,
    schema={"type": "string", "format": "date"},
    description="The first day (UTC) that is to be exported; today by default. Set back, days are made again: their"
    " files are replaced.",
)
KEEP_DAYS = Member(
    name="keep_days",
    read=bodies.whole(low=1, high=_MOST_KEEP_DAYS),
    schema={"type": ["integer", "null"], "minimum": 1, "maximum": _MOST_KEEP_DAYS},
    description="How long each file is kept; null: until somebody deletes it.",
)
CHANGEABLE = (NAME, EVERY, ENABLED, NEXT_DAY, KEEP_DAYS)
MEMBERS: tuple[Member, ...] = (
    Member(
        name="prefix",
        read=_prefix,
        schema={"type": "string", "pattern": f"^{_PREFIX.pattern}$", "maxLength": _LONGEST_PREFIX},
        description="The folder below that of the organisation; of one schedule.",
        required=True,
    ),
    *(Member(name=one.name, read=one.read, schema=one.schema, description=one.description,
             required=one in (NAME, EVERY)) for one in CHANGEABLE),
    *SELECTING,
)  # fmt: skip
_EXAMPLE: dict[str, Any] = {
    "name": "Calls for the warehouse",
    "prefix": "warehouse/calls",
    "every": "daily",
    "format": "parquet",
    "compression": "gzip",
    "scope": "calls",
    "environment": "production",
}


class SchedulesView(ExportView):
    """Schedules whose projects are all in reach, by name."""

    permissions = {"GET": "exports:read", "POST": "exports:create"}
    audited = "export_schedule"

    @extend_schema(
        operation_id="export_schedules",
        parameters=documented(LIMIT_AND_OFFSET),
        responses={200: schema.named_list("schedules", schema.ref("ExportSchedule")), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        values = validate(request.query_params, LIMIT_AND_OFFSET)
        caller = caller_of(request)
        rows = schedules.schedules_of(caller.organisation_id, caller.scope().projects)
        total, limit, offset = rows.count(), values["limit"], values["offset"]
        shown = [shown_schedule(one) for one in rows[offset : offset + limit]]
        pagination = {"total": total, "limit": limit, "offset": offset, "has_more": offset + len(shown) < total}
        return Response({"schedules": shown, "pagination": pagination})

    @extend_schema(
        operation_id="export_schedule_create",
        request={"application/json": bodies.schema_of(MEMBERS, example=_EXAMPLE)},
        responses={201: schema.ref("ExportSchedule"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        return once(request, partial(self._create, request))

    @staticmethod
    def _create(request: Request) -> Response:
        now = timezone.now()
        validate(request.query_params, ())
        values = bodies.read_body(cast("dict[str, Any]", request.data), MEMBERS)
        caller = caller_of(request)
        chosen, scope = chosen_of(values, now=now), caller.scope(values["project_id"])
        numbers = sorted(scope.projects)
        made = schedules.schedule_create(
            ExportSchedule(
                organisation_id=caller.organisation_id,
                organisation_uuid=caller.organisation_uuid,
                project_ids=numbers,
                project_uuids=[scope.projects[number].public_id for number in numbers],
                format=values["format"],
                compression=values["compression"],
                within=values["scope"],
                filter=chosen.filter,
                asked=dict(chosen.told),
                fields=list(values["fields"]),
                name=values["name"],
                prefix=values["prefix"],
                every=values["every"],
                enabled=values["enabled"] is not False,
                next_day=values["next_day"] or now.date(),
                keep_days=values["keep_days"],
                created_at=now,
            )
        )
        response = Response(
            shown_schedule(made), status=status.HTTP_201_CREATED, headers={"Location": schedule_url(made)}
        )
        response.audited_id = str(made.id)  # type: ignore[attr-defined]  # for the audit log
        return response


class ScheduleView(ExportView):
    """One schedule. What it selects and writes stays: the files of a folder are alike."""

    permissions = {"GET": "exports:read", "PATCH": "exports:create", "DELETE": "exports:create"}
    audited = "export_schedule"

    @extend_schema(operation_id="export_schedule", responses={200: schema.ref("ExportSchedule"), **ERROR_REPLIES})
    def get(self, request: Request, schedule_id: str) -> Response:
        return Response(shown_schedule(self._found(request, schedule_id)))

    @extend_schema(
        operation_id="export_schedule_change",
        request={"application/json": bodies.schema_of(CHANGEABLE, example={"enabled": False})},
        responses={200: schema.ref("ExportSchedule"), **ERROR_REPLIES},
    )
    def patch(self, request: Request, schedule_id: str) -> Response:
        found = self._found(request, schedule_id)
        body = cast("dict[str, Any]", request.data)
        values = bodies.read_body(body, CHANGEABLE)
        for name, value in body.items():
            if value is None and name != KEEP_DAYS.name:
                raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a value")
        changed = {name: values[name] for name in body}
        return Response(shown_schedule(schedules.schedule_change(found, changed)))

    @extend_schema(operation_id="export_schedule_delete", responses={204: None, **ERROR_REPLIES})
    def delete(self, request: Request, schedule_id: str) -> Response:
        self._found(request, schedule_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @staticmethod
    def _found(request: Request, schedule_id: str) -> ExportSchedule:
        validate(request.query_params, ())
        caller = caller_of(request)
        return schedules.schedule_get(caller.organisation_id, caller.scope().projects, schedule_id)


VIEWS: Sequence[tuple[str, type[ExportView]]] = (
    ("export/schedules", SchedulesView),
    ("export/schedules/<str:schedule_id>", ScheduleView),
)
