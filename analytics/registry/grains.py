"""Widths of buckets. Buckets are aligned to UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """One width of bucket, and the longest range it is served over; `exact` ones are always computed from spans.

    Where no rollup keeps labels, a narrowed question reads spans: `longest_by_label` bounds it, `next` is wider.
    """

    key: str
    width: timedelta
    longest: timedelta
    longest_by_label: timedelta | None = None
    next: str = ""
    exact: bool = False


GRAINS: tuple[Grain, ...] = (
    Grain(
        key="1min",
        width=timedelta(minutes=1),
        longest=timedelta(days=37),
        longest_by_label=timedelta(days=2),
        next="1hour",
    ),
    Grain(key="1hour", width=timedelta(hours=1), longest=timedelta(days=365)),
    Grain(key="1day", width=timedelta(days=1), longest=timedelta(days=365)),
    # One-minute buckets that are always computed from spans, with exact percentiles.
    Grain(key="raw", width=timedelta(minutes=1), longest=timedelta(days=37), exact=True),
)
BY_KEY: Mapping[str, Grain] = {grain.key: grain for grain in GRAINS}
