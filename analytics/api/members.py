"""Members of JSON bodies as data: each route lists its own; validation, values and the schema come from the list."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from errors.catalog import (
    INVALID_FIELD_FORMAT,
    INVALID_FIELD_VALUE,
    LIMIT_EXCEEDED,
    MISSING_REQUIRED_FIELD,
    NUMBER_OUT_OF_RANGE,
    SYNONYMS_GIVEN,
    TEXT_TOO_LONG,
    UNKNOWN_MEMBER,
)
from errors.exceptions import ApiError

Read = Callable[[str, Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member: how its value is read (told its path), what it is without one, other names it goes by."""

    name: str
    read: Read
    schema: Mapping[str, Any]
    description: str = ""
    required: bool = False
    default: Any = None
    also: tuple[str, ...] = ()


def validate_body(body: Mapping[str, Any], members: Sequence[Member], path: str = "") -> dict[str, Any]:
    """Return the canonical value of each member; raise 400/1200-1205 naming the first that is wrong by its path."""
    by_spelling = {spelling: one for one in members for spelling in (one.name, *one.also)}
    for name in body:
        if name not in by_spelling:
            raise ApiError(UNKNOWN_MEMBER, field=f"{path}{name}"[:200], details=told(name, by_spelling))
    return {one.name: _value(body, one, path) for one in members}


def _value(body: Mapping[str, Any], one: Member, path: str) -> Any:
    given = [spelling for spelling in (one.name, *one.also) if body.get(spelling) is not None]
    if len(given) > 1:
        raise ApiError(SYNONYMS_GIVEN, field=f"{path}{given[1]}", other=f"{path}{given[0]}")
    if not given:
        if one.required:
            raise ApiError(MISSING_REQUIRED_FIELD, field=f"{path}{one.name}")
        return one.default
    return one.read(f"{path}{given[0]}", body[given[0]])


def told(name: str, allowed: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the sentence with the nearest match and all allowed names."""
    near = difflib.get_close_matches(name, allowed, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}Allowed: {', '.join(allowed)}"


def a_text(*, longest: int, expected: str = "text") -> Read:
    """Return a reader of text that is not empty."""

    def read(path: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise ApiError(INVALID_FIELD_FORMAT, field=path, expected=expected)
        if len(value) > longest:
            raise ApiError(TEXT_TOO_LONG, field=path, high=longest)
        return value

    return read


def a_number(path: str, value: Any) -> Decimal:
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ApiError(INVALID_FIELD_FORMAT, field=path, expected="a number")
    return Decimal(str(value))


def an_integer(*, low: int, high: int) -> Read:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(path: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ApiError(INVALID_FIELD_FORMAT, field=path, expected="a whole number")
        if not low <= value <= high:
            raise ApiError(NUMBER_OUT_OF_RANGE, field=path, low=low, high=high, details=f"Received value: {value}")
        return value

    return read


def a_boolean(path: str, value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ApiError(INVALID_FIELD_FORMAT, field=path, expected="true or false")
    return value


def one_of(names: Mapping[str, Any]) -> Read:
    """Return a reader of one of `names` (any case), which gives what the name stands for."""

    def read(path: str, value: Any) -> Any:
        if not isinstance(value, str):
            raise ApiError(INVALID_FIELD_FORMAT, field=path, expected="a name")
        if value.lower() not in names:
            raise ApiError(INVALID_FIELD_VALUE, field=path, details=told(value.lower(), names))
        return names[value.lower()]

    return read


def a_list(read_one: Read, *, least: int = 0, most: int) -> Read:
    """Return a reader of a list of `least` to `most` items."""

    def read(path: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ApiError(INVALID_FIELD_FORMAT, field=path, expected="a list")
        if not least <= len(value) <= most:
            raise ApiError(LIMIT_EXCEEDED, field=path, low=least, high=most, details=f"Received items: {len(value)}")
        return tuple(read_one(f"{path}[{place}]", item) for place, item in enumerate(value))

    return read


def an_object(members: Sequence[Member]) -> Read:
    """Return a reader of an object with `members`."""

    def read(path: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ApiError(INVALID_FIELD_FORMAT, field=path, expected="an object")
        return validate_body(value, members, f"{path}.")

    return read


def body_schema(members: Sequence[Member]) -> dict[str, Any]:
    """Return `members` as the schema of a body."""
    properties = {
        spelling: {**one.schema, **({"description": one.description} if one.description else {})}
        for one in members
        for spelling in (one.name, *one.also)
    }
    required = [one.name for one in members if one.required and not one.also]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}
