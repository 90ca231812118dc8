"""Whether the 95 % interval of a forecast holds, on series that are made for it: a line, weekdays and noise."""

import random
from collections.abc import Iterator

from analytics.queries.forecasting import bounds, fitted
from benchmarks.figures import Figure
from benchmarks.run import Run

WEEKDAYS = [1.1, 1.15, 1.2, 1.1, 1.0, 0.7, 0.75]
AHEAD, SERIES = 30, 400
DAYS, CORRELATIONS = (28, 56, 90, 180), (0.0, 0.6, -0.3, 0.8)
PROMISED_DAYS, PROMISED_CORRELATIONS, PROMISED_POINTS = 56, (0.0, 0.6), 2.0  # 93 to 97 %
_COVERAGE = 0.95


def measure(_run: Run) -> Iterator[Figure]:
    """Yield for each length of history and each correlation of the noise how many of 100 days lie in the interval."""
    for days in DAYS:
        for correlation in CORRELATIONS:
            inside = covered(days, correlation, series=SERIES) * 100
            name, rows = f"{days}_days.noise_{correlation:g}", SERIES * AHEAD
            promised = days >= PROMISED_DAYS and correlation in PROMISED_CORRELATIONS
            yield Figure(figure=f"forecast.covered.{name}", value=inside, unit="%", rows=rows)
            yield Figure(
                figure=f"forecast.off_95.{name}",
                value=abs(inside - _COVERAGE * 100),
                unit="points",
                rows=rows,
                target=PROMISED_POINTS if promised else None,
            )


def covered(days: int, correlation: float, *, series: int, coverage: float = _COVERAGE) -> float:
    """Return the share of the 30 days after `days` days of history that the interval holds, over so many series."""
    chance, inside = random.Random(days), 0  # noqa: S311  the same series every time
    for _ in range(series):
        costs = _made(chance, days, correlation=correlation)
        fit, ahead = fitted(costs[:days]), range(days, days + AHEAD)
        widths = bounds(fit, ahead, coverage=coverage)
        inside += sum(abs(costs[day] - fit.at(day)) <= width for day, width in zip(ahead, widths, strict=True))
    return inside / (series * AHEAD)


def _made(chance: random.Random, days: int, *, correlation: float, deviation: float = 8.0) -> list[float]:
    """Return daily costs with a trend, weekdays and noise, followed by the days to forecast."""
    noise, found = chance.gauss(0, deviation), list[float]()
    for day in range(days + AHEAD):
        found.append((100 + 0.5 * day) * WEEKDAYS[day % 7] + noise)
        noise = correlation * noise + chance.gauss(0, deviation * (1 - correlation**2) ** 0.5)
    return found
