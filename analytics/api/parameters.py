"""Query parameters as data: each route lists its own; validation, values and the schema come from the list."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter

from errors.catalog import (
    INVALID_FIELD_FORMAT,
    INVALID_FIELD_VALUE,
    LIMIT_EXCEEDED,
    MISSING_REQUIRED_FIELD,
    NUMBER_OUT_OF_RANGE,
    NUMBER_TOO_SMALL,
    OFFSET_UNSUPPORTED,
    REPEATED_PARAMETER,
    SYNONYMS_GIVEN,
    TEXT_TOO_LONG,
    UNKNOWN_PARAMETER,
)
from errors.exceptions import ApiError
from errors.nearest import hint

_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?", flags=re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter: how its text becomes a value, what it is without one, other names it goes by."""

    name: str
    read: Callable[[str, str], Any]
    schema: Mapping[str, Any]
    description: str
    default: Any = None
    also: tuple[str, ...] = ()
    required: bool = False


def text(*, longest: int) -> Callable[[str, str], str]:
    """Return a reader of text of at most `longest` characters."""

    def read(name: str, value: str) -> str:
        if len(value) > longest:
            raise ApiError(TEXT_TOO_LONG, field=name, high=longest)
        return value

    return read


def integer(*, low: int, high: int) -> Callable[[str, str], int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(name: str, value: str) -> int:
        if not _WHOLE.fullmatch(value):
            raise ApiError(
                INVALID_FIELD_FORMAT, field=name, details=f"Received value: {value}", expected="a whole number"
            )
        number = int(value)
        if not low <= number <= high:
            raise ApiError(NUMBER_OUT_OF_RANGE, field=name, details=f"Received value: {value}", low=low, high=high)
        return number

    return read


def boolean(name: str, value: str) -> bool:
    """Read `true` or `false`."""
    if value not in {"true", "false"}:
        raise ApiError(
            INVALID_FIELD_FORMAT, field=name, details=f"Received value: {value[:100]}", expected="true or false"
        )
    return value == "true"


def number(*, low: int) -> Callable[[str, str], Decimal]:
    """Return a reader of decimal numbers from `low`."""

    def read(name: str, value: str) -> Decimal:
        if not _DECIMAL.fullmatch(value):
            raise ApiError(
                INVALID_FIELD_FORMAT, field=name, details=f"Received value: {value[:100]}", expected="a number"
            )
        found = Decimal(value)
        if found < low:
            raise ApiError(NUMBER_TOO_SMALL, field=name, details=f"Received value: {value[:100]}", low=low)
        return found

    return read


def choice(names: Mapping[str, str]) -> Callable[[str, str], str]:
    """Return a reader of one of `names` (any case), which gives what the name stands for."""

    def read(name: str, value: str) -> str:
        if value.lower() not in names:
            details = f"{hint(value.lower(), names)}Allowed: {', '.join(names)}"
            raise ApiError(INVALID_FIELD_VALUE, field=name, details=details)
        return names[value.lower()]

    return read


def names(*, most: int, allowed: Sequence[str] = ()) -> Callable[[str, str], tuple[str, ...]]:
    """Return a reader of a comma list of at most `most` items, trimmed, each kept once; with `allowed` only those."""

    def read(name: str, value: str) -> tuple[str, ...]:
        items = tuple(dict.fromkeys(item.strip() for item in value.split(",")))
        if "" in items:
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="names separated by commas, none of them empty")
        if len(items) > most:
            raise ApiError(LIMIT_EXCEEDED, field=name, low=1, high=most, details=f"Received items: {len(items)}")
        for item in items:
            if allowed and item not in allowed:
                details = f"{item[:64]}: {hint(item, allowed)}allowed: {', '.join(allowed)}"
                raise ApiError(INVALID_FIELD_VALUE, field=name, details=details)
        return items

    return read


def validate(query: QueryDict, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the canonical value of each parameter; raise 400/1200-1205 naming the first that is wrong."""
    by_spelling = {spelling: one for one in parameters for spelling in (one.name, *one.also)}
    for name in query:
        if name == "offset" and "cursor" in by_spelling:
            raise ApiError(OFFSET_UNSUPPORTED, field=name)
        if name not in by_spelling:
            details = f"{hint(name, by_spelling)}Allowed: {', '.join(sorted(by_spelling))}"
            raise ApiError(UNKNOWN_PARAMETER, field=name, details=details)
    return {one.name: _value(query, one) for one in parameters}


def _value(query: QueryDict, one: Parameter) -> Any:
    given = [spelling for spelling in (one.name, *one.also) if spelling in query]
    if len(given) > 1:
        raise ApiError(SYNONYMS_GIVEN, field=given[1], other=given[0])
    if not given:
        if one.required:
            raise ApiError(MISSING_REQUIRED_FIELD, field=one.name)
        return one.default
    values = query.getlist(given[0])
    if len(values) > 1:
        raise ApiError(REPEATED_PARAMETER, field=given[0])
    if not values[0].strip():
        raise ApiError(INVALID_FIELD_FORMAT, field=given[0], expected="a value; leave the parameter out without one")
    if "\0" in values[0]:
        raise ApiError(INVALID_FIELD_FORMAT, field=given[0], expected="text without U+0000")
    return one.read(given[0], values[0])


def documented(parameters: Sequence[Parameter]) -> list[OpenApiParameter]:
    """Return `parameters` as the schema shows them."""
    return [
        OpenApiParameter(
            name=spelling,
            type=dict(one.schema),
            description=one.description,
            location="query",
            required=one.required and not one.also,
        )
        for one in parameters
        for spelling in (one.name, *one.also)
    ]
