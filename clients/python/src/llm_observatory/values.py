"""How arguments become text of a request."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import quote

Text = str | datetime | date | Sequence[str]
"""A text; a time with an offset; or a list, which is sent with commas."""


class Unset(Enum):
    """Stands for a member that is not sent, where None is a value."""

    UNSET = "unset"


UNSET = Unset.UNSET


def quoted(part: str) -> str:
    """Return one part of a path."""
    return quote(part, safe="")


def query_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that have a value, as they are written in a URL. Raises `ValueError` for a naive time."""
    return {name: _text(value) for name, value in given.items() if value is not None}


def body_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that were given."""
    return {name: value for name, value in given.items() if value is not UNSET}


def json_of(value: Any) -> bytes:
    """Return `value` as JSON; decimals keep every digit, since money never becomes a binary fraction."""
    return _MARKED.sub(rb"\1", json.dumps(value, default=_said).encode())


_MARKED = re.compile(rb'"\\u0000([0-9.-]+)\\u0000"')


def _said(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"\0{value:f}\0"
    if isinstance(value, (datetime, date)):
        return _text(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no offset: give datetime.now(UTC) or the like")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ",".join(map(_text, value))
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
