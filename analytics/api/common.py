"""Parameters and reply parts that several routes share."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Any, cast

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.bodies import Member, listed_or, not_empty, read_by, texts
from analytics.api.parameters import Parameter, integer, text
from analytics.api.parameters import names as comma_list
from analytics.queries.plans import Filter
from analytics.queries.timerange import TimeRange, Window, resolve
from analytics.registry.dimensions import EQUALITIES
from analytics.scope import Caller
from errors.catalog import MISSING_AUTHORIZATION
from errors.envelope import request_id
from errors.exceptions import ApiError
from errors.json import dumps

_MOST_PROJECTS = 20
_MOST_FIELDS = 100
MOST_OFFSET = 10**9
_TAG_DIGITS = 32


def plain_text(name: str, description: str) -> Parameter:
    """Return a parameter of free text."""
    return Parameter(
        name=name,
        read=text(longest=settings.MAX_TEXT_PARAMETER_CHARS),
        schema={"type": "string", "maxLength": settings.MAX_TEXT_PARAMETER_CHARS},
        description=description,
    )


_INSTANT = {"type": "string", "examples": ["2026-11-05T10:30:00Z", "2026-11-05", "now-7d", "now/d"]}

RANGE = tuple(
    Parameter(
        name=name,
        also=(other,),
        read=text(longest=64),
        schema=_INSTANT,
        description=f"{what}: RFC 3339 with an offset, a date, or relative to now.",
    )
    for name, other, what in (("start_time", "from", "Start, inclusive"), ("end_time", "to", "End, exclusive"))
)
PROJECTS = Parameter(
    name="project_id",
    read=comma_list(most=_MOST_PROJECTS),
    schema={"type": "string"},
    default=(),
    description=f"UUIDs or slugs of at most {_MOST_PROJECTS} projects, separated by commas.",
)


def as_member(parameter: Parameter, **changed: Any) -> Member:
    """Return a query parameter as the member of a body."""
    given = {
        "name": parameter.name,
        "also": parameter.also,
        "read": read_by(parameter.read),
        "schema": parameter.schema,
        "default": parameter.default,
        "description": parameter.description,
    }
    return Member(**given | changed)


# Projects and fields as members of a body are lists as well.
PROJECTS_OF_BODY = Member(
    name="project_id",
    read=listed_or(PROJECTS.read, most=_MOST_PROJECTS, what="UUIDs or slugs"),
    schema={
        "anyOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _MOST_PROJECTS},
            {"type": "string"},
        ]
    },
    default=(),
    description=f"UUIDs or slugs of at most {_MOST_PROJECTS} projects: a list, or one text with commas between.",
)
FIELDS_OF_BODY = Member(
    name="fields",
    read=not_empty(texts(most=_MOST_FIELDS, longest=settings.MAX_TEXT_PARAMETER_CHARS)),
    schema={"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _MOST_FIELDS},
    default=(),
    description="Members to send, in this order; only these are read.",
)
FILTERS = tuple(plain_text(dimension.key, dimension.description) for dimension in EQUALITIES)
LIMIT_AND_OFFSET = (
    Parameter(
        name="limit",
        read=integer(low=1, high=settings.OFFSET_MAX_LIMIT),
        schema={
            "type": "integer",
            "minimum": 1,
            "maximum": settings.OFFSET_MAX_LIMIT,
            "default": settings.OFFSET_DEFAULT_LIMIT,
        },
        default=settings.OFFSET_DEFAULT_LIMIT,
        description="Items of a page.",
    ),
    Parameter(
        name="offset",
        read=integer(low=0, high=MOST_OFFSET),
        schema={"type": "integer", "minimum": 0, "maximum": MOST_OFFSET, "default": 0},
        default=0,
        description="Items before the page.",
    ),
)
FIELDS = Parameter(
    name="fields",
    read=comma_list(most=_MOST_FIELDS),
    schema={"type": "string"},
    default=(),
    description="Members to send, separated by commas; only these are read.",
)


def caller_of(request: Request) -> Caller:
    """Return the authenticated caller."""
    return cast("Caller", request.user)


def time_range(
    values: Mapping[str, Any],
    *,
    default: timedelta,
    longest_days: int,
    clock: datetime | None = None,
    names: Sequence[str] = ("start_time", "end_time"),
) -> TimeRange:
    """Return the range of validated `values`, against the present clock unless one is given.

    `names` are those of the request's bounds.
    """
    window = Window(default=default, longest=timedelta(days=longest_days), grid=settings.TIME_GRID_SECONDS)
    return resolve(values["start_time"], values["end_time"], window=window, clock=clock or timezone.now(), names=names)


def moves(values: Mapping[str, Any]) -> bool:
    """Return whether the range of `values` changes with the clock: a bound is relative, or follows from `now`."""
    start, end = values["start_time"], values["end_time"]
    return end is None or end.startswith("now") or (start is not None and start.startswith("now"))


def canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer depends on besides its range and its projects, which a question names itself."""
    return {name: value for name, value in values.items() if name not in ("start_time", "end_time", "project_id")}


def meta(request: Request | HttpRequest, *, started: float, cached: bool) -> dict[str, Any]:
    """Return the `meta` of an enveloped reply."""
    return {
        "timestamp": timezone.now().replace(microsecond=0),
        "execution_time_ms": round((monotonic() - started) * 1000),
        "cached": cached,
        "version": "1.0",
        "request_id": request_id(request),
    }


def filters_of(request: Request, values: Mapping[str, Any]) -> list[Filter]:
    """Return the equalities of validated `values`; raise 401/1000 for a personal one without a credential."""
    given = [one for one in EQUALITIES if values[one.key] is not None]
    if not request.user.is_authenticated and any(one.personal for one in given):
        raise ApiError(MISSING_AUTHORIZATION)
    return [Filter(dimension=one, values=(values[one.key],)) for one in given]


def enveloped(request: Request, data: Any, *, started: float, pagination: Mapping[str, Any] | None = None) -> Response:
    """Return the enveloped reply of a route without a data version: status, data, pagination of lists, meta."""
    shown = dumps(data)
    body: dict[str, Any] = {"status": "success", "data": orjson.Fragment(shown)}
    if pagination is not None:
        body["pagination"] = pagination
    body["meta"] = meta(request, started=started, cached=False)
    # `meta` varies from reply to reply, so the tag is of the rest, and weak.
    tag = sha256(shown + dumps(pagination)).hexdigest()[:_TAG_DIGITS]
    return Response(body, headers={"ETag": f'W/"{tag}"'})
