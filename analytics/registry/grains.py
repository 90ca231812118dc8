"""Widths of buckets. Buckets are aligned to UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """One width of bucket (`None`: the whole range in one row), and the longest range it is served over.

    Where no rollup keeps labels, a question by label reads spans: `longest_by_label` bounds it, `next` is wider.
    `exact` grains are always computed from spans. `also` are other names.
    """

    key: str
    width: timedelta | None
    longest: timedelta | None = None
    longest_by_label: timedelta | None = None
    next: str = ""
    exact: bool = False
    also: tuple[str, ...] = ()


_OF_MINUTES, _OF_SPANS = timedelta(days=37), timedelta(days=2)
GRAINS: tuple[Grain, ...] = (
    Grain(
        key="1min",
        width=timedelta(minutes=1),
        longest=_OF_MINUTES,
        longest_by_label=_OF_SPANS,
        next="1hour",
        also=("1m", "1minute", "one_minute"),
    ),
    Grain(
        key="5min",
        width=timedelta(minutes=5),
        longest=_OF_MINUTES,
        longest_by_label=_OF_SPANS,
        next="1hour",
        also=("5m", "5minutes", "five_minutes"),
    ),
    Grain(key="1hour", width=timedelta(hours=1), also=("1h", "1hr", "one_hour")),
    Grain(key="1day", width=timedelta(days=1), also=("1d", "one_day")),
    Grain(key="all", width=None),
    # One-minute buckets that are always computed from spans, with exact percentiles.
    Grain(key="raw", width=timedelta(minutes=1), longest=_OF_MINUTES, next="1hour", exact=True),
)
BY_KEY: Mapping[str, Grain] = {grain.key: grain for grain in GRAINS}
ALL = BY_KEY["all"]
GRANULARITIES: tuple[str, ...] = ("1min", "1hour", "1day", "raw")
INTERVALS: Mapping[str, str] = {
    name: grain.key for grain in GRAINS if not grain.exact for name in (grain.key, *grain.also)
}
