"""A project's choices about content: read from a request or a form, checked, and handed to ingest as one value."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings

from analytics.registry.redaction import DETECTOR_NAMES, MODES, MOST_PATTERNS, CustomPattern, Redaction
from analytics.scope import IngestPolicy
from errors.catalog import (
    FIELD_VALUE_REFUSED,
    INVALID_FIELD_FORMAT,
    LIMIT_EXCEEDED,
    MISSING_REQUIRED_FIELD,
    UNKNOWN_MEMBER,
)
from errors.exceptions import ApiError

_MEMBERS = ("mode", "detectors", "custom_patterns")
_OF_A_PATTERN = ("name", "pattern")
MOST_SCOPES, LONGEST_SCOPE = 100, 200


def default_redaction() -> dict[str, Any]:
    """Return what a new project begins with."""
    return {
        "mode": settings.REDACTION_MODE,
        "detectors": list(settings.REDACTION_DETECTORS),
        "custom_patterns": [],
    }


def read_redaction(value: Any, *, onto: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return `value` as a project stores it, members that it leaves out from `onto` (default: a new project's).

    Raises 400/1201, 1202, 1203 and 1205 naming the member: a pattern that RE2 does not know is 400/1203.
    """
    given = _object(value, "redaction", _MEMBERS)
    kept = {**default_redaction(), **(onto or {}), **given}
    if kept["mode"] not in MODES:
        raise ApiError(FIELD_VALUE_REFUSED, field="redaction.mode", details=f"Allowed: {', '.join(MODES)}")
    detectors = _list(kept["detectors"], "redaction.detectors", most=len(DETECTOR_NAMES))
    for name in detectors:
        if name not in DETECTOR_NAMES:
            raise ApiError(
                FIELD_VALUE_REFUSED, field="redaction.detectors", details=f"Allowed: {', '.join(DETECTOR_NAMES)}"
            )
    patterns = [
        _pattern(one, f"redaction.custom_patterns[{place}]")
        for place, one in enumerate(_list(kept["custom_patterns"], "redaction.custom_patterns", most=MOST_PATTERNS))
    ]
    if len({one["name"].lower() for one in patterns}) < len(patterns):
        raise ApiError(FIELD_VALUE_REFUSED, field="redaction.custom_patterns", details="Two patterns have one name")
    return {"mode": kept["mode"], "detectors": list(dict.fromkeys(detectors)), "custom_patterns": patterns}


def read_scopes(value: Any) -> list[str]:
    """Return names of instrumentation scopes, each once; raise 400/1203, 1205."""
    names = _list(value, "usage_exclusive_scopes", most=MOST_SCOPES)
    if not all(isinstance(name, str) and 0 < len(name) <= LONGEST_SCOPE and "\x00" not in name for name in names):
        raise ApiError(
            INVALID_FIELD_FORMAT,
            field="usage_exclusive_scopes",
            expected=f"names of instrumentation scopes, at most {LONGEST_SCOPE} characters each",
        )
    return list(dict.fromkeys(names))


def ingest_policy(project_id: int) -> IngestPolicy:
    """Return how a project takes spans; the service's own exclusive scopes are added by ingest."""
    row = (
        apps.get_model("accounts", "Project")
        .objects.values_list("content_capture", "redaction", "usage_exclusive_scopes")
        .get(pk=project_id)
    )
    content_capture, redaction, scopes = row
    return IngestPolicy(
        keeps_content=content_capture == "full",
        redaction=Redaction.stored(redaction),
        exclusive_scopes=frozenset(scopes),
    )


def _object(value: Any, field: str, members: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ApiError(INVALID_FIELD_FORMAT, field=field, expected="an object")
    for name in value:
        if name not in members:
            raise ApiError(UNKNOWN_MEMBER, field=f"{field}.{name}", details=f"Allowed: {', '.join(members)}")
    return value


def _list(value: Any, field: str, *, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise ApiError(INVALID_FIELD_FORMAT, field=field, expected="a list")
    if len(value) > most:
        raise ApiError(LIMIT_EXCEEDED, field=field, low=0, high=most)
    return value


def _pattern(value: Any, field: str) -> dict[str, str]:
    given = _object(value, field, _OF_A_PATTERN)
    for member in _OF_A_PATTERN:
        if member not in given:
            raise ApiError(MISSING_REQUIRED_FIELD, field=f"{field}.{member}")
        if not isinstance(given[member], str):
            raise ApiError(INVALID_FIELD_FORMAT, field=f"{field}.{member}", expected="a text")
    try:
        CustomPattern(name=given["name"], pattern=given["pattern"])
    except ValueError as problem:
        raise ApiError(INVALID_FIELD_FORMAT, field=field, expected=str(problem)) from None
    return {"name": given["name"], "pattern": given["pattern"]}
