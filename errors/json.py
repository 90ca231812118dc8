"""JSON out: decimals as they are, instants in UTC."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise

JSON = "application/json"
OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_DATETIME
_OFFSET = len("+00:00")
INTEGERS_OF_ORJSON = range(-(2**63), 2**64)


def plain_decimal(value: Decimal) -> str:
    """Return a finite decimal in plain notation without trailing zeros and without an exponent."""
    text = str(value)  # four times as quick as a format, which only what has an exponent needs
    if "E" in text:
        text = f"{value:f}"
    if text[-1] == "0":
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if not text[-1].isdecimal():
        raise ValueError(f"{value} has no form in JSON")
    return text


def _default(value: object) -> object:
    kind = type(value)
    if kind is Decimal:  # most of them, of a table with thousands
        return orjson.Fragment(plain_decimal(value))  # type: ignore[arg-type]  # it is one
    match value:
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case Decimal():
            return orjson.Fragment(plain_decimal(value))
        case Promise():
            return str(value)
        case _:
            raise TypeError(f"{kind.__name__} has no form in JSON")


def rfc3339(value: datetime, precision: str = "auto") -> str:
    """Return RFC 3339 in UTC with `Z`; `precision` as `isoformat` takes it. Raise `ValueError` without a time zone."""
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone is no instant")
        value = value.astimezone(UTC)
    return value.isoformat(timespec=precision)[:-_OFFSET] + "Z"


def _with_wide_integers(value: Any) -> Any:
    match value:
        case dict():
            return {key: _with_wide_integers(member) for key, member in value.items()}
        case list() | tuple():
            return [_with_wide_integers(item) for item in value]
        case int() if value not in INTEGERS_OF_ORJSON:
            return orjson.Fragment(str(value))
        case _:
            return value


def dumps(value: Any) -> bytes:
    """Return `value` as JSON in UTF-8.

    Decimals become plain numbers without trailing zeros, datetimes UTC with `Z` and six fractional digits when the
    fraction is not zero. Raise `TypeError` for what has no form in JSON, decimals and datetimes that say too little
    included.
    """
    try:
        return orjson.dumps(value, default=_default, option=OPTIONS)
    except orjson.JSONEncodeError:
        # Attributes of a span may hold integers beyond 64 bits, which orjson does not write.
        return orjson.dumps(_with_wide_integers(value), default=_default, option=OPTIONS)
