"""Which hours are beyond chance: hourly figures -> what was to be expected -> how far off each hour is. Pure.

What is to be expected of an hour is the median of hours like it. The residual of an hour is its distance from that in
units of the noise that a number of its kind has at least: the deviance residual of a Poisson or a binomial number
(McCullagh and Nelder, Generalized Linear Models, 1989, section 2.4), the logarithm of the factor for levels. How much
noisier a series is than that is the scaled median absolute deviation of its residuals at hours of about the same size.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from math import copysign, inf, log, sqrt
from statistics import median
from typing import NamedTuple

from analytics.registry.anomalies import Direction, Noise, Watched

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
HISTORY, LEAST_HISTORY = 4 * WEEK, 2 * WEEK
ENOUGH_HOURS = 8  # that an expectation is made of
SAME_HOURS = 2  # of the week, from which on they are asked too
NOTHING_TO_COMPARE = 20.0  # requests: where fewer are expected, one user's session is many times as many
LEAST_REQUESTS = 2  # of an hour whose rates and levels are judged
WEEKEND = 5
_MAD = 1.4826  # of normal numbers, a standard deviation
_TAILS = ((0.975, 1.96), (0.99, 2.326))  # of residuals, and where they are of normal numbers
_CLEAR = 4.0
_DEAR = 0.75
_LEVEL_SPREAD, _LEVEL_FLOOR = 1.5, 0.03
# Requests come in sessions, so no count is as even as a Poisson number.
_LEAST_NOISE: Mapping[Noise, float] = {Noise.COUNT: 1.5, Noise.AMOUNT: 1.5, Noise.RATE: 1.0, Noise.LEVEL: 0.2}
_NEAR = 3.0  # the factor within which expectations are of about the same size
_ENOUGH_RESIDUALS = 40
Number = int | Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What is known of one hour of a series: its requests, how many of them failed, and its figures by name."""

    requests: int
    errors: int
    figures: Mapping[str, Number | None]


NO_REQUESTS = Hour(requests=0, errors=0, figures={"requests": 0, "cost": Decimal(0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How far an hour is from what was to be expected of it: `score` is negative when less was seen.

    `weight` is how much is behind it, in the unit of `enough` of what is watched.
    """

    at: datetime
    score: float
    expected: Number
    observed: Number
    weight: float

    @property
    def direction(self) -> Direction:
        """Whether more was seen, or less."""
        return Direction.UP if self.score > 0 else Direction.DOWN


class _Point(NamedTuple):
    at: datetime
    value: Number
    requests: int
    errors: int


@dataclass(frozen=True, kw_only=True)
class History:
    """The hours of one series in `[start, end)`; those without requests are not in `hours`."""

    hours: Mapping[datetime, Hour]
    start: datetime
    end: datetime

    @cached_property
    def first(self) -> datetime | None:
        """The first hour with requests."""
        return min(self.hours, default=None)

    @property
    def is_long_enough(self) -> bool:
        """Whether it tells of two weeks, the first and the last day included."""
        return self.first is not None and self.end - HOUR - self.first.replace(hour=0) >= LEAST_HISTORY - DAY

    def at(self, hour: datetime) -> Hour:
        """Return what is known of an hour."""
        return self.hours.get(hour, NO_REQUESTS)

    def every(self) -> Iterator[datetime]:
        """Yield every hour from the first with requests on."""
        hour = self.first or self.end
        while hour < self.end:
            yield hour
            hour += HOUR


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What is to be expected of a metric of a series, hour by hour, and how far an hour is from that.

    `figure` is the name of the figure among those of an hour.
    """

    watched: Watched
    figure: str
    history: History

    def of(self, hour: datetime) -> Verdict | None:
        """Return the verdict on an hour that is as it seldom is.

        `None`: it is about as expected, or too little is known of it, or of hours like it.
        """
        seen = self._point(hour)
        if seen is None:
            return None
        like = self._like(hour, without=hour.date())
        if len(like) < ENOUGH_HOURS:
            return None
        verdict = self._compared(seen, self._expected(like), len(like))
        same = [one for one in like if (one.at - hour) % WEEK == timedelta(0)]
        if verdict is None or len(same) < SAME_HOURS:
            return verdict
        # What comes every Monday at nine is expected on Monday at nine: the nearer of both says how far off it is.
        other = self._compared(seen, self._expected(same), len(like))
        if other is None or other.direction is not verdict.direction:
            return None
        return min(verdict, other, key=lambda one: abs(one.score))

    # --- hours like it ------------------------------------------------------------------------------------------------
    @cached_property
    def _is_additive(self) -> bool:
        return self.watched.noise in {Noise.COUNT, Noise.AMOUNT}

    def _point(self, hour: datetime) -> _Point | None:
        known = self.history.at(hour)
        value = known.figures.get(self.figure)
        if value is None or (not self._is_additive and known.requests < LEAST_REQUESTS):
            return None
        return _Point(hour, value, known.requests, known.errors)

    @cached_property
    def _points(self) -> list[_Point]:
        return [point for hour in self.history.every() if (point := self._point(hour)) is not None]

    @cached_property
    def _cells(self) -> Mapping[tuple[bool, int], list[_Point]]:
        cells: dict[tuple[bool, int], list[_Point]] = defaultdict(list)
        for point in self._points:
            cells[_cell(point.at)].append(point)
        return cells

    def _like(self, hour: datetime, *, without: date | None = None) -> list[_Point]:
        """Return hours like `hour`: the same hour of the same kind of day, and as many around it as are needed."""
        weekend, of_day = _cell(hour)
        found: list[_Point] = []
        for reach in range(3 if self._is_additive else 13):
            cells = {(of_day + step) % 24 for step in (-reach, reach)}
            found += [one for cell in cells for one in self._cells.get((weekend, cell), ()) if one.at.date() != without]
            if len(found) >= ENOUGH_HOURS:
                break
        return found

    # --- what was to be expected --------------------------------------------------------------------------------------
    def _expected(self, like: Sequence[_Point]) -> Number:
        middle: Number = median([one.value for one in like])  # type: ignore[type-var]  # both kinds of number compare
        return max(middle, self._usual_rate) if self.watched.noise is Noise.RATE else middle

    @cached_property
    def _usual_rate(self) -> Decimal:
        """The rate of all hours but those far beyond it, never 0: what never failed yet may fail once."""
        points, rate = self._points, 0.0
        for _ in range(3):
            errors, requests = sum(one.errors for one in points), sum(one.requests for one in points)
            rate = (errors + 0.5) / (requests + 1)
            points = [one for one in self._points if of_rate(one.errors, one.requests, rate) < _CLEAR]
        return Decimal(rate).quantize(Decimal("0.000001"))

    @cached_property
    def _unit(self) -> float:
        """What a request adds to an amount, one of the dearer ones: hours of few requests are made of any."""
        if self.watched.noise is Noise.COUNT:
            return 1.0
        of_hours = sorted(float(one.value) / one.requests for one in self._points if one.requests)
        return of_hours[int(_DEAR * (len(of_hours) - 1))] if of_hours else 0.0

    # --- how far it is from that --------------------------------------------------------------------------------------
    def _compared(self, seen: _Point, expected: Number, made_of: int) -> Verdict | None:
        if not self._matters(float(seen.value), float(expected)):
            return None
        residual = self._residual(seen, expected)
        noise = self._noise(self._size(seen, expected), residual, without=seen.at.date())
        return Verdict(
            at=seen.at,
            # An expectation is a median of few hours: it varies too.
            score=residual / (noise * sqrt(1 + 1.57 / made_of)),
            expected=expected,
            observed=seen.value,
            weight=self._weight(seen, expected),
        )

    def _weight(self, seen: _Point, expected: Number) -> float:
        match self.watched.noise:
            case Noise.RATE:
                return seen.errors
            case Noise.LEVEL:
                return seen.requests
            case _:
                return abs(float(seen.value) - float(expected)) / (self._unit or 1.0)

    def _residual(self, seen: _Point, expected: Number) -> float:
        match self.watched.noise:
            case Noise.RATE:
                return of_rate(seen.errors, seen.requests, float(expected))
            case Noise.LEVEL:
                if seen.value <= 0 or expected <= 0:
                    return 0.0
                return log(float(seen.value) / float(expected)) / sqrt(
                    _LEVEL_SPREAD**2 / seen.requests + _LEVEL_FLOOR**2
                )
            case _:
                return _of_count(float(seen.value) / self._unit, float(expected) / self._unit) if self._unit else 0.0

    def _size(self, seen: _Point, expected: Number) -> float:
        if not self._is_additive:
            return seen.requests
        return float(expected) / self._unit if self._unit else 0.0

    def _noise(self, size: float, residual: float, *, without: date) -> float:
        """Return how many times the least noise hours of about this size have, on the side of `residual`."""
        if self._is_additive:
            size = max(size, NOTHING_TO_COMPARE)  # how uneven few requests are is seen of more
        sizes = self._sizes
        low, high = bisect_left(sizes, size / _NEAR), bisect_right(sizes, size * _NEAR)
        near = self._residuals[low:high] if high - low >= _ENOUGH_RESIDUALS else self._residuals
        side = 1 if residual > 0 else -1
        off = sorted([side * one for _, one, day in near if day != without])
        if not off:
            return inf
        tail = max(off[int(share * (len(off) - 1))] / normal for share, normal in _TAILS)
        return max(_LEAST_NOISE[self.watched.noise], _MAD * median(map(abs, off)), tail)

    @cached_property
    def _residuals(self) -> list[tuple[float, float, date]]:
        """How far each hour is from what its own kind of hours are, by its size, and its day."""
        expected = {cell: self._expected(self._like(points[0].at)) for cell, points in self._cells.items()}
        found = []
        for one in self._points:
            usual = expected[_cell(one.at)]
            found.append((self._size(one, usual), self._residual(one, usual), one.at.date()))
        return sorted(found)

    @cached_property
    def _sizes(self) -> list[float]:
        return [size for size, _, _ in self._residuals]

    def _matters(self, seen: float, expected: float) -> bool:
        if abs(seen - expected) < self.watched.least:
            return False
        if seen > expected:
            least = NOTHING_TO_COMPARE * self._unit if self._is_additive else 0.0
            return seen >= max(expected, least) * self.watched.up
        return self.watched.down is not None and seen <= expected * self.watched.down


def _cell(hour: datetime) -> tuple[bool, int]:
    return hour.weekday() >= WEEKEND, hour.hour


def _of_count(seen: float, expected: float) -> float:
    expected = max(expected, min(seen, NOTHING_TO_COMPARE))
    if not expected:
        return 0.0
    surprise = (seen * log(seen / expected) if seen > 0 else 0.0) - (seen - expected)
    return copysign(sqrt(max(2 * surprise, 0.0)), seen - expected)


def of_rate(failed: int, requests: int, rate: float) -> float:
    """Return the deviance residual of so many failed requests, where a share of `rate` is expected to fail."""
    rate = min(max(rate, 1e-6), 1 - 1e-6)
    surprise = 0.0
    for seen, chance in ((failed, rate), (requests - failed, 1 - rate)):
        surprise += seen * log(seen / (requests * chance)) if seen else 0.0
    return copysign(sqrt(max(2 * surprise, 0.0)), failed / requests - rate)
