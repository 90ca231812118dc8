"""A line through daily costs, times a factor for each weekday, and an interval that holds. Pure.

The interval is that of least squares when the errors are a first-order autoregression: its correlation is estimated
from the residuals, freed of the bias that fitting brings (the fit takes away what lies at frequency zero and at those
of the week), and enters the variance of the residuals, the variance of the fitted line, and what the last errors tell
of the next ones. Numbers may be decimals (money) or floats (simulations): nothing here mixes them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import cos, pi
from statistics import NormalDist
from typing import Any

WEEK = 7
LEAST_FOR_WEEKDAYS = 28  # as many days give each weekday four
LEAST_FOR_INTERVALS = 28
_ROUNDS = 8
_MOST_CORRELATED = 0.95
_LEAST_FREEDOM = 4.0
Row = list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What was fitted to the values of successive days: level, slope and a factor for each day of the cycle of 7."""

    values: Sequence[Any]
    level: Any
    slope: Any
    factors: Sequence[Any]

    @property
    def with_weekdays(self) -> bool:
        """Whether weekdays have factors of their own."""
        return len(self.factors) == WEEK

    def line(self, day: int) -> Any:
        """Return the line at a day, counted from the first of the history."""
        return self.level + self.slope * day

    def at(self, day: int) -> Any:
        """Return the fitted value of a day."""
        return self.line(day) * self.factors[day % len(self.factors)]

    @property
    def residuals(self) -> list[Any]:
        """What the fit leaves of each value."""
        return [value - self.at(day) for day, value in enumerate(self.values)]

    def direction(self, day: int) -> Row:
        """Return how the value of a day changes with each parameter."""
        factor, line = self.factors[day % len(self.factors)], self.line(day)
        row = [factor, factor * day]
        if self.with_weekdays:
            # The factors' mean is 1, so the last is no parameter of its own.
            last = (day % WEEK) == WEEK - 1
            row += [-line if last else line if day % WEEK == place else line * 0 for place in range(WEEK - 1)]
        return row


def fitted(values: Sequence[Any]) -> Fit:
    """Return the least-squares line through `values` of successive days; from 28 on, times factors of weekdays."""
    one = values[0] * 0 + 1
    factors: list[Any] = [one] * (WEEK if len(values) >= LEAST_FOR_WEEKDAYS else 1)
    level, slope = _line(values, factors)
    for _ in range(_ROUNDS if len(factors) == WEEK else 0):
        factors = _factors(values, level, slope, one)
        level, slope = _line(values, factors)
    return Fit(values=values, level=level, slope=slope, factors=factors)


def _line(values: Sequence[Any], factors: Sequence[Any]) -> tuple[Any, Any]:
    """Return level and slope that make level x factor + slope x factor x day least wrong."""
    weights = [factors[day % len(factors)] for day in range(len(values))]
    s0 = sum(w * w for w in weights)
    s1 = sum(w * w * day for day, w in enumerate(weights))
    s2 = sum(w * w * day * day for day, w in enumerate(weights))
    t0 = sum(w * value for w, value in zip(weights, values, strict=True))
    t1 = sum(w * value * day for day, (w, value) in enumerate(zip(weights, values, strict=True)))
    spread = s0 * s2 - s1 * s1
    if not spread:
        return (t0 / s0 if s0 else t0 * 0), t0 * 0
    return (t0 * s2 - t1 * s1) / spread, (t1 * s0 - t0 * s1) / spread


def _factors(values: Sequence[Any], level: Any, slope: Any, one: Any) -> list[Any]:
    """Return the factor of each day of the cycle, with mean 1; all 1 where there is no level to take a share of."""
    lines = [level + slope * day for day in range(len(values))]
    found = []
    for place in range(WEEK):
        below = sum(line * line for line in lines[place::WEEK])
        above = sum(line * value for line, value in zip(lines[place::WEEK], values[place::WEEK], strict=True))
        found.append(above / below if below else one)
    mean = sum(found) / WEEK
    return [factor / mean for factor in found] if mean > 0 else [one] * WEEK


def bounds(fit: Fit, days: Sequence[int], *, coverage: float = 0.95) -> list[Any]:
    """Return half of the width of the interval that holds the value of each of `days` with probability `coverage`."""
    count = len(fit.values)
    rows = [fit.direction(day) for day in range(count)]
    parameters = len(rows[0])
    inverse = _inverse(_products(rows, rows))
    correlation = _correlation(fit)
    number: Callable[[float], Any] = Decimal if isinstance(fit.level, Decimal) else float
    phi = number(round(correlation, 6)) if number is float else Decimal(str(round(correlation, 6)))
    smoothed = _smoothed(rows, phi)
    inner = _products(rows, smoothed)  # one side of the sum; the other is its mirror, less the diagonal
    plain = _products(rows, rows)
    correlated = [[inner[i][j] + inner[j][i] - plain[i][j] for j in range(parameters)] for i in range(parameters)]
    freedom = count - sum(inverse[i][j] * correlated[j][i] for i in range(parameters) for j in range(parameters))
    variance = sum(one * one for one in fit.residuals) / max(freedom, freedom * 0 + 1)
    width = _quantile(coverage, _freedom(count, parameters, correlation))
    factor = number(width) if number is float else Decimal(str(round(width, 6)))
    found = []
    for day in days:
        x = fit.direction(day)
        weights = [sum(inverse[i][j] * x[j] for j in range(parameters)) for i in range(parameters)]
        line = sum(weights[i] * correlated[i][j] * weights[j] for i in range(parameters) for j in range(parameters))
        last = sum(weight * part for weight, part in zip(weights, smoothed[-1], strict=True))
        known = last * phi ** (day - count + 1)
        found.append(factor * _root(variance * max(1 + line - 2 * known, line * 0)))
    return found


def _smoothed(rows: Sequence[Row], phi: Any) -> list[Row]:
    """Return for each day the sum of the rows up to it, each weakened by phi a day."""
    found: list[Row] = []
    for row in rows:
        found.append([part + phi * before for part, before in zip(row, found[-1], strict=True)] if found else list(row))
    return found


def _products(one: Sequence[Row], other: Sequence[Row]) -> list[Row]:
    width = len(one[0])
    return [
        [sum(left[i] * right[j] for left, right in zip(one, other, strict=True)) for j in range(width)]
        for i in range(width)
    ]


def _inverse(matrix: Sequence[Row]) -> list[Row]:
    """Return the inverse by Gauss and Jordan; a direction without any extent gets none."""
    size = len(matrix)
    nothing = matrix[0][0] * 0
    work = [list(row) + [nothing + (i == j) for j in range(size)] for i, row in enumerate(matrix)]
    for column in range(size):
        best = max(range(column, size), key=lambda row: abs(work[row][column]))
        work[column], work[best] = work[best], work[column]
        pivot = work[column][column]
        if not pivot:
            work[column] = [nothing] * (2 * size)
            continue
        work[column] = [value / pivot for value in work[column]]
        for row in range(size):
            if row != column and work[row][column]:
                share = work[row][column]
                work[row] = [value - share * part for value, part in zip(work[row], work[column], strict=True)]
    return [row[size:] for row in work]


def _correlation(fit: Fit) -> float:
    """Return the correlation of the errors of successive days, as the residuals tell it of a fit of this kind."""
    left = [float(one) for one in fit.residuals]
    total = sum(one * one for one in left)
    if not total:
        return 0.0
    seen = sum(one * other for one, other in pairwise(left)) / total
    low, high = -_MOST_CORRELATED, _MOST_CORRELATED
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _seen(middle, len(left), fit.with_weekdays) < seen else (low, middle)
    return (low + high) / 2


def _seen(phi: float, count: int, with_weekdays: bool) -> float:
    """Return the correlation that residuals show where that of the errors is `phi`."""
    taken = [0.0, pi / (2 * count)] + ([2 * pi * place / WEEK for place in range(1, WEEK)] if with_weekdays else [])
    power = [(1 - phi * phi) / (1 + phi * phi - 2 * phi * cos(one)) for one in taken]
    kept = count - sum(power)
    return ((count - 1) * phi - sum(one * cos(at) for one, at in zip(power, taken, strict=True))) / max(kept, 1.0)


def _freedom(count: int, parameters: int, phi: float) -> float:
    return max((count - parameters) * (1 - phi * phi) / (1 + phi * phi), _LEAST_FREEDOM)


def _quantile(coverage: float, freedom: float) -> float:
    """Return the two-sided quantile of Student's t, expanded around the normal one (Abramowitz and Stegun 26.7.5)."""
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def _root(value: Any) -> Any:
    return value.sqrt() if isinstance(value, Decimal) else value**0.5
