"""Where an answer comes from: the coarsest rollups that fit and are up to date, spans for the rest. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from analytics.queries.timerange import TimeRange
from analytics.registry.facts import Distinct, Fact, Sketch
from analytics.registry.rollups import ANSWERING, DAY, SLICE_GRAIN, Rollup
from analytics.storage.horizons import Horizons

Marked = Mapping[str, frozenset[datetime]]
ALL_KEPT = Horizons()
MOST_SEGMENTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of the range, `[start, end)`, and the rollup that answers for it; `None`: spans do."""

    rollup: Rollup | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a rollup must keep to answer: labels, facts, sketches, registers, and buckets no wider than `width`."""

    labels: frozenset[str] = frozenset()
    facts: frozenset[Fact] = frozenset()
    sketches: frozenset[Sketch] = frozenset()
    distincts: frozenset[Distinct] = frozenset()
    width: timedelta | None = None

    def is_met_by(self, rollup: Rollup) -> bool:
        """Return whether `rollup` keeps all of it."""
        return (
            self.labels <= set(rollup.labels)
            and self.facts <= set(rollup.facts)
            and self.sketches <= set(rollup.sketches)
            and self.distincts <= set(rollup.distincts)
            and (self.width is None or rollup.width <= self.width)
        )


def fitting(need: Need) -> list[Rollup]:
    """Return the rollups that can answer, coarsest first, of each width the one with the fewest rows.

    Behind a late one stands what answers for what was before it. One by labels is passed over for a finer one without.
    """
    able = sorted(
        filter(need.is_met_by, ANSWERING.values()),
        key=lambda one: (-one.width, one.by_user or one.details, len(one.labels)),
    )
    found: list[Rollup] = []
    for width in dict.fromkeys(rollup.width for rollup in able):
        of_width = [one for one in able if one.width == width]
        known = next((place for place, one in enumerate(of_width) if not one.late), len(of_width))
        finer = any(one.width < width and not (one.labels or one.details) for one in able)
        found += [one for one in of_width[: known + 1] if not (finer and (one.labels or one.details))]
    return found


def widened(where: TimeRange, rollups: Sequence[Rollup], kept: Horizons) -> TimeRange:
    """Return the range with ends that lie where spans are gone moved outwards, to whole buckets of the finest rollup.

    An end that no rollup reaches stays: there is nothing to answer from.
    """
    start, end = where.start, where.end
    if start < kept.spans:
        start = next((_floor(start, one.width) for one in reversed(rollups) if _reaches(one, start, kept)), start)
    if end < kept.spans:
        end = next((_ceiling(end, one.width) for one in reversed(rollups) if _reaches(one, end, kept)), end)
    return TimeRange(start=start, end=end)


def earliest(rollups: Sequence[Rollup], kept: Horizons) -> datetime:
    """Return the earliest start of a range that can be answered whole."""
    return min([kept.spans, *(kept.of(rollup) for rollup in rollups)])


def _reaches(rollup: Rollup, instant: datetime, kept: Horizons) -> bool:
    return _floor(instant, rollup.width) >= kept.of(rollup)


def choose(
    where: TimeRange,
    rollups: Sequence[Rollup],
    marked: Marked,
    kept: Horizons = ALL_KEPT,
    slices: Collection[datetime] = (),
) -> list[Segment]:
    """Return the segments of a range in order of time, neighbours of one source joined.

    Where spans are gone a mark means nothing: rollups of that time are as they will stay. Where the rows of a rollup
    are gone it does not answer. `slices` are those that were made and say what spans do.
    """
    alive = {grain: frozenset(one for one in buckets if one >= kept.spans) for grain, buckets in marked.items()}
    known = _Known(marked=alive, slices=sorted(slices), kept=kept)
    able = [one for one in rollups if slices or one.grain != SLICE_GRAIN]
    return _fewer(list(_joined(_cover(where.start, where.end, able, known))), kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What decides where rollups answer."""

    marked: Marked
    slices: Sequence[datetime]  # in order: after a backlog there are tens of thousands, and each hour looks for its own
    kept: Horizons

    def gaps(self, rollup: Rollup, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Return the stretches between two edges of buckets for which `rollup` does not answer, in order."""
        if rollup.grain == SLICE_GRAIN:
            answering = self.slices[bisect_left(self.slices, start) : bisect_left(self.slices, end)]
            edges = [start, *(edge for one in answering for edge in (one, one + rollup.width)), end]
            return [(begins, ends) for begins, ends in zip(edges[::2], edges[1::2], strict=True) if begins < ends]
        # A day is made of its hours, and behind with any of them.
        hours = {_floor(hour, DAY) for hour in self.marked["1hour"]} if rollup.width == DAY else set()
        behind = sorted(one for one in hours | self.marked[rollup.grain] if start <= one < end)
        return [(one, one + rollup.width) for one in behind]


def _fewer(segments: list[Segment], kept: Horizons) -> list[Segment]:
    """Return at most `MOST_SEGMENTS` of the time of which spans are kept: they answer for what is short, too.

    Every row is compared with every segment. After a backlog there are thousands, and that would take minutes.
    """
    length = timedelta(minutes=1)
    while len(segments) > MOST_SEGMENTS and length < segments[-1].end - segments[0].start:
        length *= 2
        segments = list(
            _joined(
                replace(one, rollup=None) if one.start >= kept.spans and one.end - one.start <= length else one
                for one in segments
            )
        )
    return segments


def _cover(start: datetime, end: datetime, rollups: Sequence[Rollup], known: _Known) -> Iterator[Segment]:
    if start >= end:
        return
    if not rollups:
        yield Segment(rollup=None, start=start, end=end)
        return
    rollup, finer = rollups[0], rollups[1:]
    # Horizons are midnights, and so on the edge of a bucket of any width.
    bucket, last = max(_ceiling(start, rollup.width), known.kept.of(rollup)), _floor(end, rollup.width)
    if bucket >= last:
        yield from _cover(start, end, finer, known)
        return
    yield from _cover(start, bucket, finer, known)
    for begins, ends in known.gaps(rollup, bucket, last):
        if bucket < begins:
            yield Segment(rollup=rollup, start=bucket, end=begins)
        bucket = ends
        yield from _cover(begins, ends, finer, known)
    if bucket < last:
        yield Segment(rollup=rollup, start=bucket, end=last)
    yield from _cover(last, end, finer, known)


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
