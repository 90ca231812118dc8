"""Files of prices, CSV or JSON: each line becomes a row of the price book, or a sentence about what is wrong."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from analytics.ingest.readers import provider as one_name
from analytics.pricing.book import DEFAULT_TIER, MOST_RATE, RATES, PriceRow
from analytics.storage.exclusive import RefusedError

TIERS = (DEFAULT_TIER, "batch", "flex", "priority")
_RATE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_WHOLE = re.compile(r"[0-9]{1,10}")
_MOST_TOKENS = 2**31 - 1
_MOST_CHARS = 500
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# Members of the API's own rows that say nothing of a price, so that its reply can be sent back.
_IGNORED = frozenset({"id", "source", "shared"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row, and the line of a CSV file or the number of a JSON item that it stands in."""

    number: int
    row: PriceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A line that is no row, with the reason and the cure in one sentence."""

    number: int
    reason: str


class _WrongError(ValueError):
    """A value that is none; the text is the sentence about it."""


def _text(value: str) -> str:
    if len(value) > _MOST_CHARS:
        raise _WrongError(f"must be at most {_MOST_CHARS} characters long")
    return value


def _provider(value: str) -> str:
    return one_name(_text(value)) or value


def _tier(value: str) -> str:
    if value not in TIERS:
        raise _WrongError(f"must be one of {', '.join(TIERS)}, not {value}")
    return value


def _tokens(value: str) -> int:
    if not _WHOLE.fullmatch(value) or int(value) > _MOST_TOKENS:
        raise _WrongError(f"must be a whole number up to {_MOST_TOKENS}, not {value}")
    return int(value)


def _instant(value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise _WrongError(f"must be a date or an ISO 8601 time such as 2026-03-01, not {value}") from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if not _EARLIEST <= at <= _LATEST:
        raise _WrongError(f"must lie between {_EARLIEST:%Y} and {_LATEST:%Y}, not {value}")
    return at


def _rate(value: str) -> Decimal:
    if not _RATE.fullmatch(value):
        raise _WrongError(f"must be US dollars such as 2.5, with at most 9 decimals, not {value}")
    if (rate := Decimal(value)) > MOST_RATE:
        raise _WrongError(f"must be at most {MOST_RATE}, not {value}")
    return rate


# Column -> how its text becomes the value; `_NEEDED` are those that no row can be without.
_COLUMNS: Mapping[str, Callable[[str], Any]] = {
    "provider": _provider,
    "model_pattern": _text,
    "service_tier": _tier,
    "min_prompt_tokens": _tokens,
    "valid_from": _instant,
    "valid_to": _instant,
    **dict.fromkeys(RATES, _rate),
}
_NEEDED = ("provider", "model_pattern", "valid_from", "input", "output")
_HINTS = {
    "valid_from": "write it, or give --valid-from for every line without one",
    "input": "write 0 if it costs nothing",
    "output": "write 0 if it costs nothing",
}


def read_price_file(path: Path, *, valid_from: datetime | None) -> tuple[list[Line], list[Rejected]]:
    """Return the rows of a file and what is wrong with its other lines; lines without a start hold from `valid_from`.

    Raises `RefusedError` when it is not a file of prices at all.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise RefusedError(f"{path} cannot be read: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise RefusedError(f"{path} is not UTF-8 text: save it as CSV UTF-8 or as JSON.") from problem
    given = _json(content) if content.lstrip()[:1] in {"[", "{"} else _csv(content)
    try:
        return _rows(given, valid_from)
    except csv.Error as problem:
        raise RefusedError(f"The file is not CSV: {problem}.") from problem


def _csv(content: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(StringIO(content, newline=""), restkey="", restval="")
    _check_names(reader.fieldnames or ())
    for row in reader:
        if "" in row:
            yield reader.line_num, {"": "more values than columns"}
        else:
            yield reader.line_num, row


def _json(content: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        # The text of a number is kept: a price never becomes a binary fraction.
        found = json.loads(content, parse_float=str, parse_int=str, parse_constant=str)
    except ValueError as problem:
        raise RefusedError(f"The file is not JSON: {problem}.") from problem
    items = found.get("prices") if isinstance(found, dict) else found
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RefusedError('The file is no list of prices: write [{"provider": ...}, ...].')
    for number, item in enumerate(items, start=1):
        _check_names(item)
        yield number, {name: _plain(value) for name, value in item.items() if value is not None}


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    # Numbers may be written with an exponent.
    return format(Decimal(value), "f") if re.fullmatch(r"[0-9.]+[eE][-+]?[0-9]{1,2}", value) else value


def _check_names(names: Sequence[str] | Mapping[str, Any]) -> None:
    unknown = [name for name in names if name not in _COLUMNS and name not in _IGNORED]
    if unknown:
        raise RefusedError(f"There is no column {unknown[0]!r}; those that there are: {', '.join(_COLUMNS)}.")
    if not names:
        raise RefusedError(f"The file is empty: its first line names the columns {', '.join(_COLUMNS)}.")


def _rows(
    given: Iterator[tuple[int, Mapping[str, str]]], valid_from: datetime | None
) -> tuple[list[Line], list[Rejected]]:
    lines: list[Line] = []
    rejected: list[Rejected] = []
    seen: dict[object, int] = {}
    for number, values in given:
        try:
            row = _row(values, valid_from)
        except _WrongError as problem:
            rejected.append(Rejected(number=number, reason=str(problem)))
            continue
        if row.key in seen:
            rejected.append(Rejected(number=number, reason=f"says the same key as line {seen[row.key]}: keep one"))
            continue
        seen[row.key] = number
        lines.append(Line(number=number, row=row))
    return lines, rejected


def _row(values: Mapping[str, str], valid_from: datetime | None) -> PriceRow:
    if "" in values:
        raise _WrongError(values[""])
    read: dict[str, Any] = {} if valid_from is None else {"valid_from": valid_from}
    for name, reader in _COLUMNS.items():
        if value := values.get(name, "").strip():
            try:
                read[name] = reader(value)
            except _WrongError as problem:
                raise _WrongError(f"{name} {problem}") from None
    for name in _NEEDED:
        if name not in read:
            raise _WrongError(f"{name} is missing: {_HINTS.get(name, 'write it')}")
    row = PriceRow(**read)
    if row.valid_to is not None and row.valid_to < row.valid_from:
        raise _WrongError(f"valid_to {row.valid_to.isoformat()} is before valid_from {row.valid_from.isoformat()}")
    return row
