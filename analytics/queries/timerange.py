"""Time expressions and ranges. Everything is UTC and half-open, `[start, end)`; the clock is an argument."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from errors.catalog import INVALID_DATE_RANGE, INVALID_FIELD_FORMAT, RANGE_TOO_LONG, RANGE_TOO_SHORT
from errors.exceptions import ApiError

_RELATIVE = re.compile(r"now((?:[+-]\d{1,5}[smhdw]){0,3})(?:/([mhdwM]))?")
_TERM = re.compile(r"([+-])(\d{1,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ABSOLUTE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2}))?", flags=re.ASCII
)
_EXPECTED = "RFC 3339 with an offset, a date, or a relative time such as now-7d or now/d"
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What holds for a route's range: its length without bounds, the longest one, and the grid of `now` in seconds."""

    default: timedelta
    longest: timedelta
    grid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """A resolved range, `start` before `end`, both UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("start must be before end")

    @property
    def seconds(self) -> float:
        """Length of the range in seconds."""
        return (self.end - self.start).total_seconds()


EVER = TimeRange(start=_EARLIEST, end=_LATEST)


def round_up(now: datetime, *, grid: int) -> datetime:
    """Return `now` on the next full multiple of `grid` seconds, so that all readers of one minute share one answer."""
    seconds = -(-int(now.timestamp() * 1_000_000) // (grid * 1_000_000)) * grid
    return datetime.fromtimestamp(seconds, tz=UTC)


def parse_time(text: str, *, field: str, now: datetime) -> datetime:
    """Return the instant that `text` names: RFC 3339 with an offset, a date (midnight UTC), or relative to `now`.

    Raises 400/1203 naming `field`.
    """
    try:
        instant = _relative(text, now) if text.startswith("now") else _absolute(text)
    except (ValueError, OverflowError):
        instant = None
    if instant is None or not _EARLIEST <= instant <= _LATEST:
        raise ApiError(INVALID_FIELD_FORMAT, field=field, details=f"Received value: {text}", expected=_EXPECTED)
    return instant


def _absolute(text: str) -> datetime | None:
    if not _ABSOLUTE.fullmatch(text):
        return None
    instant = datetime.fromisoformat(text.upper().replace(" ", "T"))
    return instant.replace(tzinfo=UTC) if len(text) == len("2026-01-31") else instant.astimezone(UTC)


def _relative(text: str, now: datetime) -> datetime | None:
    match = _RELATIVE.fullmatch(text)
    if match is None:
        return None
    instant = now
    for sign, count, unit in _TERM.findall(match[1]):
        step = timedelta(**{_UNITS[unit]: int(count)})
        instant = instant + step if sign == "+" else instant - step
    return _truncated(instant, match[2])


def _truncated(instant: datetime, unit: str | None) -> datetime:
    if unit is None:
        return instant
    minute = instant.replace(second=0, microsecond=0)
    if unit == "m":
        return minute
    hour = minute.replace(minute=0)
    if unit == "h":
        return hour
    day = hour.replace(hour=0)
    if unit == "w":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "M" else day


def resolve(
    start: str | None,
    end: str | None,
    *,
    window: Window,
    clock: datetime,
    names: Sequence[str] = ("start_time", "end_time"),
) -> TimeRange:
    """Return the range of the two bounds as sent; one that is absent follows from the other and the window.

    `names` are those of the bounds in the request.

    Raises 400/1203 for a bound that does not parse, 400/1204 for a reversed or too long range.
    """
    now = round_up(clock, grid=window.grid)
    upper = now if end is None else parse_time(end, field=names[1], now=now)
    lower = upper - window.default if start is None else parse_time(start, field=names[0], now=now)
    if lower >= upper:
        raise ApiError(INVALID_DATE_RANGE, field=names[0], details=f"From {lower.isoformat()} to {upper.isoformat()}")
    resolved = TimeRange(start=lower, end=upper)
    check_length(resolved, longest=window.longest, field=names[0])
    return resolved


def check_length(where: TimeRange, *, longest: timedelta, instead: str = "", field: str = "start_time") -> None:
    """Raise 400/1204 when the range is longer than `longest`; `instead` names a granularity that serves it."""
    if where.end - where.start > longest:
        details = f"Ask for a shorter range, or for granularity {instead}." if instead else ""
        raise ApiError(RANGE_TOO_LONG, details=details, field=field, days=longest.days)


def check_shortest(where: TimeRange, shortest: timedelta, *, field: str) -> None:
    """Raise 400/1204 when the range is shorter than `shortest`."""
    if where.end - where.start < shortest:
        raise ApiError(RANGE_TOO_SHORT, field=field, days=shortest.days)
