"""Where an answer comes from: the coarsest rollups that fit and are up to date, spans for the rest. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from analytics.queries.timerange import TimeRange
from analytics.registry.rollups import DAY, ROLLUPS, Rollup

Marked = Mapping[str, frozenset[datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the range, `[start, end)`, and the rollup that answers for it; `None`: spans do."""

    rollup: Rollup | None
    start: datetime
    end: datetime


def fitting(*, labels: bool, width: timedelta | None) -> list[Rollup]:
    """Return the rollups that can answer, coarsest first: by labels if these are asked for, none wider than `width`.

    A rollup by labels would answer a question without them as well, only from more rows.
    """
    able = [rollup for rollup in ROLLUPS if bool(rollup.labels) == labels and (width is None or rollup.width <= width)]
    return sorted(able, key=lambda rollup: rollup.width, reverse=True)


def choose(where: TimeRange, rollups: Sequence[Rollup], marked: Marked) -> list[Segment]:
    """Return the segments of a range in order of time, neighbours of one source joined."""
    return list(_joined(_cover(where.start, where.end, rollups, marked)))


def _cover(start: datetime, end: datetime, rollups: Sequence[Rollup], marked: Marked) -> Iterator[Segment]:
    if start >= end:
        return
    if not rollups:
        yield Segment(rollup=None, start=start, end=end)
        return
    rollup, finer = rollups[0], rollups[1:]
    bucket, last = _ceiling(start, rollup.width), _floor(end, rollup.width)
    if bucket >= last:
        yield from _cover(start, end, finer, marked)
        return
    yield from _cover(start, bucket, finer, marked)
    for behind in sorted(one for one in _behind(rollup, marked) if bucket <= one < last):
        if bucket < behind:
            yield Segment(rollup=rollup, start=bucket, end=behind)
        bucket = behind + rollup.width
        yield from _cover(behind, bucket, finer, marked)
    if bucket < last:
        yield Segment(rollup=rollup, start=bucket, end=last)
    yield from _cover(last, end, finer, marked)


def _behind(rollup: Rollup, marked: Marked) -> set[datetime]:
    # A day is made of its hours, and behind with any of them.
    hours = {_floor(hour, DAY) for hour in marked["1hour"]} if rollup.width == DAY else set()
    return hours | marked[rollup.grain]


def _joined(segments: Iterator[Segment]) -> Iterator[Segment]:
    current: Segment | None = None
    for segment in segments:
        if current is not None and current.rollup is segment.rollup and current.end == segment.start:
            current = Segment(rollup=current.rollup, start=current.start, end=segment.end)
            continue
        if current is not None:
            yield current
        current = segment
    if current is not None:
        yield current


def _floor(instant: datetime, width: timedelta) -> datetime:
    seconds = int(width.total_seconds())
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, tz=UTC)


def _ceiling(instant: datetime, width: timedelta) -> datetime:
    floored = _floor(instant, width)
    return floored if floored == instant else floored + width
