"""Members of JSON bodies as data: each route lists its own; validation, values and the schema come from the list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from errors.catalog import (
    INVALID_FIELD_FORMAT,
    INVALID_FIELD_VALUE,
    LIMIT_EXCEEDED,
    MISSING_REQUIRED_FIELD,
    NUMBER_OUT_OF_RANGE,
    NUMBER_TOO_SMALL,
    SYNONYMS_GIVEN,
    TEXT_TOO_LONG,
    UNKNOWN_MEMBER,
)
from errors.exceptions import ApiError
from errors.nearest import hint

Read = Callable[[str, Any], Any]
N = TypeVar("N", int, Decimal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a body: how its value is read, what it is when absent or null, other names it goes by."""

    name: str
    read: Read
    schema: Mapping[str, Any] = field(hash=False)
    description: str = ""
    default: Any = None
    also: tuple[str, ...] = ()
    required: bool = False


def told(name: str, allowed: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the sentence with the nearest match and all allowed names."""
    return f"{hint(name, allowed)}Allowed: {', '.join(allowed)}"


def text(
    *, longest: int, shortest: int = 0, expected: str = "a text that is not empty", stripped: bool = False
) -> Read:
    """Return a reader of texts; with `stripped` without the spaces around them."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a text without U+0000")
        if len(value) > longest:
            raise ApiError(TEXT_TOO_LONG, field=name, high=longest)
        if len(value.strip()) < shortest:
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected=expected)
        return value.strip() if stripped else value

    return read


def read_by(parameter: Callable[[str, str], Any]) -> Read:
    """Return the reader of a query parameter for a member that is a text."""

    def read(name: str, value: Any) -> Any:
        return parameter(name, text(longest=10_000, shortest=1)(name, value))

    return read


def whole(*, low: int, high: int) -> Read:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a whole number")
        return _within(name, value, low, high)

    return read


def number(*, low: Decimal | None = None, high: Decimal | None = None) -> Read:
    """Return a reader of decimal numbers from `low` to `high`."""

    def read(name: str, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a number")
        return _within(name, Decimal(str(value)), low, high)

    return read


def _within(name: str, value: N, low: N | None, high: N | None) -> N:
    if low is not None and high is None and value < low:
        raise ApiError(NUMBER_TOO_SMALL, field=name, details=f"Received value: {value}", low=low)
    if (low is not None and value < low) or (high is not None and value > high):
        raise ApiError(NUMBER_OUT_OF_RANGE, field=name, details=f"Received value: {value}", low=low, high=high)
    return value


def flag(name: str, value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="true or false")
    return value


def texts(*, most: int, longest: int, least: int = 0, allowed: Sequence[str] = ()) -> Read:
    """Return a reader of lists of texts, each kept once; with `allowed` only those."""
    one = text(longest=longest, shortest=1)

    def read(name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a list of texts")
        if not least <= len(value) <= most:
            raise ApiError(LIMIT_EXCEEDED, field=name, low=least, high=most, details=f"Received items: {len(value)}")
        items = tuple(dict.fromkeys(one(f"{name}[{place}]", item) for place, item in enumerate(value)))
        for item in items:
            if allowed and item not in allowed:
                details = f"{item[:64]}: {hint(item, allowed)}allowed: {', '.join(allowed)}"
                raise ApiError(INVALID_FIELD_VALUE, field=name, details=details)
        return items

    return read


def anything(_name: str, value: Any) -> Any:
    """Read a value that is checked later."""
    return value


def choice(*allowed: str) -> Read:
    """Return a reader of one of `allowed`, written exactly so."""

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ApiError(INVALID_FIELD_VALUE, field=name, details=told(str(value)[:64], allowed))
        return value

    return read


def one_of(names: Mapping[str, Any]) -> Read:
    """Return a reader of one of `names` (any case), which gives what the name stands for."""

    def read(name: str, value: Any) -> Any:
        if not isinstance(value, str):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a name")
        if value.lower() not in names:
            raise ApiError(INVALID_FIELD_VALUE, field=name, details=told(value.lower(), names))
        return names[value.lower()]

    return read


def list_of(one: Read, *, least: int = 0, most: int) -> Read:
    """Return a reader of a list of `least` to `most` items."""

    def read(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a list")
        if not least <= len(value) <= most:
            raise ApiError(LIMIT_EXCEEDED, field=name, low=least, high=most, details=f"Received items: {len(value)}")
        return tuple(one(f"{name}[{place}]", item) for place, item in enumerate(value))

    return read


def not_empty(one: Read) -> Read:
    """Return a reader of lists that refuses one without items, as a parameter without a value is refused."""

    def read(name: str, value: Any) -> Any:
        if value == []:
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="at least one; leave the member out without any")
        return one(name, value)

    return read


def listed_or(parameter: Callable[[str, str], tuple[str, ...]], *, most: int, what: str) -> Read:
    """Return a reader of a list of texts that also takes one text with commas, as the query parameter does."""
    of_text, of_list = read_by(parameter), not_empty(texts(most=most, longest=10_000))

    def read(name: str, value: Any) -> Any:
        if not isinstance(value, str | list):
            expected = f"a list of {what}, or one text of them with commas between"
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected=expected)
        return of_text(name, value) if isinstance(value, str) else of_list(name, value)

    return read


def object_of(members: Sequence[Member]) -> Read:
    """Return a reader of an object with `members`."""

    def read(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="an object")
        return read_body(value, members, f"{name}.")

    return read


def read_body(body: Mapping[str, Any], members: Sequence[Member], path: str = "") -> dict[str, Any]:
    """Return the canonical value of each member; raise 400/1200-1205 naming the first that is wrong by its path."""
    _check_names(body, members, path)
    return {one.name: _value(body, one, path) for one in members}


def read_sent(body: Any, members: Sequence[Member], *, partial: bool = False) -> dict[str, Any]:
    """Return the members that were sent, null among them, for what is changed by a body; raise as `read_body` does.

    Without `partial` those that are required must be there.
    """
    _check_names(body, members, "")
    for one in members:
        if one.required and not partial and one.name not in body:
            raise ApiError(MISSING_REQUIRED_FIELD, field=one.name)
    return {one.name: one.read(one.name, body[one.name]) for one in members if one.name in body}


def _check_names(body: Mapping[str, Any], members: Sequence[Member], path: str) -> None:
    by_spelling = {spelling: one for one in members for spelling in (one.name, *one.also)}
    for name in body:
        if name not in by_spelling:
            raise ApiError(UNKNOWN_MEMBER, field=f"{path}{name}"[:200], details=told(name, by_spelling))


def _value(body: Mapping[str, Any], one: Member, path: str) -> Any:
    given = [spelling for spelling in (one.name, *one.also) if body.get(spelling) is not None]
    if len(given) > 1:
        raise ApiError(SYNONYMS_GIVEN, field=f"{path}{given[1]}", other=f"{path}{given[0]}")
    if given:
        return one.read(f"{path}{given[0]}", body[given[0]])
    if one.required:
        raise ApiError(MISSING_REQUIRED_FIELD, field=f"{path}{one.name}")
    return one.default


def schema_of(
    members: Sequence[Member], *, partial: bool = False, example: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the members as the OpenAPI document shows a body; with `partial` none of them is required."""
    shown: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": [one.name for one in members if one.required and not (one.also or partial)],
        "properties": {
            spelling: {**one.schema, **({"description": one.description} if one.description else {})}
            for one in members
            for spelling in (one.name, *one.also)
        },
    }
    return shown if example is None else {**shown, "example": dict(example)}
