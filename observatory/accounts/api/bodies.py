"""Readers of what only members of management routes are; all others are those of `analytics.api.bodies`."""

import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from analytics.api.bodies import texts
from analytics.queries.timerange import parse_time, round_up
from errors.catalog import INVALID_FIELD_FORMAT, INVALID_FIELD_VALUE
from errors.exceptions import ApiError
from observatory.accounts.networks import read_networks

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_LONGEST_EMAIL = 150
_MOST_NETWORKS, _LONGEST_NETWORK = 100, 64


def slug(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="1 to 63 lower-case letters, digits and hyphens")
    return value


def email(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value) or len(value) > _LONGEST_EMAIL:
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="an e-mail address")
    return value.lower()


def networks(name: str, value: Any) -> list[str]:
    given = list(texts(most=_MOST_NETWORKS, longest=_LONGEST_NETWORK)(name, value))
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
