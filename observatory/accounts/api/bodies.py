"""Members of JSON bodies as data: each route lists its own; validation and the schema come from the list."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request

from analytics.queries.timerange import parse_time, round_up
from errors.catalog import (
    INVALID_FIELD_FORMAT,
    INVALID_FIELD_VALUE,
    LIMIT_EXCEEDED,
    MISSING_REQUIRED_FIELD,
    NUMBER_OUT_OF_RANGE,
    TEXT_TOO_LONG,
    UNKNOWN_MEMBER,
)
from errors.exceptions import ApiError
from observatory.accounts.networks import read_networks

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_LONGEST_EMAIL = 150
_MOST_NETWORKS = 100
Read = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a body: how its value is read, how the schema shows it, whether a new resource needs it."""

    name: str
    read: Read
    schema: Mapping[str, Any]
    required: bool = False


def body_of(request: Request, members: Sequence[Member], *, partial: bool = False) -> dict[str, Any]:
    """Return the members that were sent, read; raise 400/1200-1205 naming the first that is wrong.

    Without `partial` those that are required must be there.
    """
    given = cast("dict[str, Any]", request.data)
    known = {one.name: one for one in members}
    for name in given:
        if name not in known:
            raise ApiError(UNKNOWN_MEMBER, field=str(name)[:100], details=f"Allowed: {', '.join(known)}")
    for one in members:
        if one.required and not partial and one.name not in given:
            raise ApiError(MISSING_REQUIRED_FIELD, field=one.name)
    return {name: known[name].read(name, value) for name, value in given.items()}


def schema_of(members: Sequence[Member], *, partial: bool = False) -> dict[str, Any]:
    """Return the body as the schema shows it."""
    required = [one.name for one in members if one.required and not partial]
    return {
        "type": "object",
        **({"required": required} if required else {}),
        "properties": {one.name: dict(one.schema) for one in members},
        "additionalProperties": False,
    }


def text(*, longest: int) -> Read:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="text that is not empty")
        if len(value) > longest:
            raise ApiError(TEXT_TOO_LONG, field=name, high=longest)
        return value.strip()

    return read


def slug(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="1 to 63 lower-case letters, digits and hyphens")
    return value


def email(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value) or len(value) > _LONGEST_EMAIL:
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="an e-mail address")
    return value.lower()


def boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="true or false")
    return value


def choice(*allowed: str) -> Read:
    def read(name: str, value: Any) -> str:
        if value not in allowed:
            raise ApiError(INVALID_FIELD_VALUE, field=name, details=f"Allowed: {', '.join(allowed)}")
        return cast("str", value)

    return read


def integer(*, low: int, high: int) -> Read:
    def read(name: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a whole number")
        if not low <= value <= high:
            raise ApiError(NUMBER_OUT_OF_RANGE, field=name, details=f"Received value: {value}", low=low, high=high)
        return value

    return read


def names(*, most: int, least: int = 0) -> Read:
    """Return a reader of a list of texts, each kept once."""

    def read(name: str, value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) and one and "\0" not in one for one in value):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a list of texts")
        if not least <= len(value) <= most:
            raise ApiError(LIMIT_EXCEEDED, field=name, low=least, high=most)
        return list(dict.fromkeys(value))

    return read


def networks(name: str, value: Any) -> list[str]:
    given = names(most=_MOST_NETWORKS)(name, value)
    try:
        return read_networks(given)
    except ValueError as problem:
        raise ApiError(
            INVALID_FIELD_FORMAT, field=name, details=str(problem), expected="networks such as 192.0.2.0/24"
        ) from None


def future(name: str, value: Any) -> datetime | None:
    """Read an instant that is still to come, or null."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="RFC 3339 with an offset, or null")
    instant = parse_time(value, field=name, now=round_up(timezone.now(), grid=settings.TIME_GRID_SECONDS))
    if instant <= datetime.now(UTC):
        raise ApiError(INVALID_FIELD_VALUE, field=name, details="Allowed: an instant in the future")
    return instant
