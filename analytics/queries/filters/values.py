"""Values of comparisons: checked against operator and member, and brought to one form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from analytics.queries.filters.tree import FilterProblemError, Leaf, Place, Target
from analytics.queries.timerange import parse_time
from analytics.registry.fields import FieldType
from analytics.registry.operators import Operand, Operator, operator_named
from errors.catalog import LIMIT_EXCEEDED, TEXT_TOO_LONG
from errors.exceptions import ApiError

_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", flags=re.ASCII)


_NUMBERS_ONLY = frozenset({"gt", "gte", "lt", "lte"})  # of an attribute, whose kind is known row by row


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a filter may be, and the moment that relative times count from."""

    depth: int
    leaves: int
    values: int
    regex_chars: int
    text_chars: int
    now: datetime


def comparison(target: Target, operator: str, value: Any, *, limits: Limits, place: Place) -> Leaf:
    """Return the comparison of `target` with `value` as it was sent in JSON.

    Raises `FilterProblemError` for what cannot be compared so, 400/1205 naming `place` for what is too long.
    """
    found = operator_named(operator)
    if found is None or found not in target.operators:
        allowed = ", ".join(one.key for one in target.operators)
        raise FilterProblemError("operator", f"allowed for {target.name} ({target.type}): {allowed}")
    if value is None:
        raise FilterProblemError("value", "null equals nothing; use the operator exists with true or false")
    read = _SHAPES[found.operand](target, found, value, limits, place.name)
    if target.type is FieldType.KEY and found.key in _NUMBERS_ONLY and isinstance(read, str | bool):
        raise FilterProblemError("value", "a number")
    return Leaf(target=target, operator=found, value=read, place=place)


def _one(target: Target, operator: Operator, value: Any, limits: Limits, path: str) -> Any:
    if isinstance(value, str):
        _check_text(operator, value, limits, path)
    return _READERS[target.type](value, limits)


def _text(_target: Target, operator: Operator, value: Any, limits: Limits, path: str) -> str:
    if not isinstance(value, str):
        raise FilterProblemError("value", "a text")
    _check_text(operator, value, limits, path)
    return value


def _list(target: Target, operator: Operator, value: Any, limits: Limits, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise FilterProblemError("value", "a list of values")
    if not 1 <= len(value) <= limits.values:
        raise ApiError(LIMIT_EXCEEDED, field=path, low=1, high=limits.values, details=f"Received items: {len(value)}")
    return tuple(_one(target, operator, item, limits, f"{path}[{place}]") for place, item in enumerate(value))


def _pair(target: Target, operator: Operator, value: Any, limits: Limits, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004  a pair
        raise FilterProblemError("value", "a list of two values, the lower first")
    low, high = (_one(target, operator, item, limits, path) for item in value)
    if target.type is FieldType.KEY and not (isinstance(low, Decimal) and isinstance(high, Decimal)):
        raise FilterProblemError("value", "two numbers")
    if low > high:
        raise FilterProblemError("value", "a list of two values, the lower first")
    return low, high


def _flag(_target: Target, _operator: Operator, value: Any, _limits: Limits, _path: str) -> bool:
    if not isinstance(value, bool):
        raise FilterProblemError("value", "true or false")
    return value


_SHAPES: Mapping[Operand, Callable[[Target, Operator, Any, Limits, str], Any]] = {
    Operand.ONE: _one,
    Operand.TEXT: _text,
    Operand.LIST: _list,
    Operand.PAIR: _pair,
    Operand.FLAG: _flag,
}


def _check_text(operator: Operator, value: str, limits: Limits, path: str) -> None:
    longest = limits.regex_chars if operator.key == "regex" else limits.text_chars
    if len(value) > longest:
        raise ApiError(TEXT_TOO_LONG, field=path, high=longest)
    if "\0" in value:
        raise FilterProblemError("value", "text without U+0000")


def _read_text(value: Any, _limits: Limits) -> str:
    if not isinstance(value, str):
        raise FilterProblemError("value", "a text")
    return value


def _read_number(value: Any, _limits: Limits) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise FilterProblemError("value", "a number")
    number = Decimal(str(value))  # the shortest decimal that reads as this double is what was written
    if not number.is_finite():
        raise FilterProblemError("value", "a number of ordinary size")
    return number


def _read_time(value: Any, limits: Limits) -> datetime:
    expected = "a time: RFC 3339 with an offset, a date, or a relative one such as now-7d"
    if not isinstance(value, str):
        raise FilterProblemError("value", expected)
    try:
        return parse_time(value, field="value", now=limits.now)
    except ApiError:
        raise FilterProblemError("value", expected) from None


def _read_flag(value: Any, _limits: Limits) -> bool:
    if not isinstance(value, bool):
        raise FilterProblemError("value", "true or false")
    return value


def _read_scalar(value: Any, limits: Limits) -> str | Decimal | bool:
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _read_number(value, limits)
    raise FilterProblemError("value", "a text, a number, true or false")


_READERS: Mapping[FieldType, Callable[[Any, Limits], Any]] = {
    FieldType.ID: _read_text,
    FieldType.LABEL: _read_text,
    FieldType.CONTENT: _read_text,
    FieldType.LIST: _read_text,
    FieldType.INTEGER: _read_number,
    FieldType.NUMBER: _read_number,
    FieldType.MONEY: _read_number,
    FieldType.TIME: _read_time,
    FieldType.KEY: _read_scalar,
    FieldType.BOOLEAN: _read_flag,
}


def from_text(target: Target, text: str) -> Any:
    """Return what `text` without quotes stands for beside `target`, in the form that JSON would give it.

    Raises `FilterProblemError` for a text that is no number or boolean where one belongs.
    """
    if target.type in {FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY}:
        if not _DECIMAL.fullmatch(text):
            raise FilterProblemError("value", "a number")
        return Decimal(text)
    if target.type is FieldType.BOOLEAN:
        if text.lower() not in {"true", "false"}:
            raise FilterProblemError("value", "true or false")
        return text.lower() == "true"
    return text


def readings(text: str) -> list[Any]:
    """Return every value of an attribute that `text` without quotes can mean: the text, a number, a boolean."""
    found: list[Any] = [text]
    if _DECIMAL.fullmatch(text):
        found.append(Decimal(text))
    if text in {"true", "false"}:
        found.append(text == "true")
    return found
