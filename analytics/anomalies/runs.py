"""From verdicts on hours to anomalies: hours that deviate one after another are one, with at most one quiet hour between.

Pure. An anomaly begins with the hour that is beyond chance by itself, or with the first of several hours that are so
together. It goes on through hours that deviate half as much, and ends when an hour was quiet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from math import sqrt
from typing import NamedTuple

from analytics.anomalies.detection import HOUR, Baseline, History, Number, Verdict
from analytics.registry.anomalies import SEVERITIES, WATCHED, Direction, Severity, Watched

LEAST_SCORE = SEVERITIES[Severity.INFO]
GOES_ON = 0.5  # of the least score: what goes on need not be as far off as what begins
QUIET = HOUR
# Hours that are not beyond chance alone may be so together. They are looked at in several ways, so more is asked.
MOST_TOGETHER, LEAST_OF_EACH, LEAST_TOGETHER = 6, 1.0, LEAST_SCORE + 0.5


class Series(NamedTuple):
    """What is watched on its own: a model of a provider, or the whole project."""

    provider: str | None
    model: str | None


WHOLE = Series(None, None)


class Key(NamedTuple):
    """A metric of a series."""

    series: Series
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An anomaly: its first and last deviating hour, and the one that is farthest off, with its score.

    It is open until an hour was quiet.
    """

    direction: Direction
    first: datetime
    last: datetime
    score: float
    expected: Number
    observed: Number
    is_open: bool = True

    @property
    def end(self) -> datetime:
        """The end of the last hour."""
        return self.last + HOUR

    def reaches(self, hour: datetime) -> bool:
        """Whether an hour that deviates belongs to it."""
        return hour <= self.end + QUIET

    def with_hour(self, verdict: Verdict, score: float) -> "Run":
        """Return the run that goes on with an hour."""
        longer = replace(self, last=verdict.at, is_open=True)
        if score <= self.score:
            return longer
        return replace(longer, score=score, expected=verdict.expected, observed=verdict.observed)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A metric of a series with its baselines."""

    watched: Watched
    history: History

    @cached_property
    def _baseline(self) -> Baseline:
        return Baseline(watched=self.watched, figure=self.watched.key, history=self.history)

    @cached_property
    def _inner(self) -> Sequence[tuple[int, Baseline]]:
        return [
            (below, Baseline(watched=self.watched.within(), figure=figure, history=self.history))
            for below, figure in self.watched.inner
        ]

    def of(self, hour: datetime) -> Verdict | None:
        """Return the verdict on an hour: where it has few requests, no farther off than the middle of them is."""
        verdict = self._baseline.of(hour)
        requests = self.history.at(hour).requests
        inner = next((one for below, one in self._inner if requests < below), None)
        if verdict is None or inner is None or not verdict.matters:
            return verdict
        within = inner.of(hour)
        if within is None:
            return None
        return replace(
            verdict, score=min(verdict.score, within.score), matters=within.matters and within.score > 0
        )


def judged(
    histories: Mapping[Series, History], hours: Sequence[datetime], runs: Mapping[Key, Run]
) -> Iterator[tuple[Key, Run]]:
    """Yield every anomaly that began, went on or ended in `hours`, as it is then; `runs` are the newest known of each.

    Of the whole project there is none in an hour in which one of its models deviates alike: it would be the same again.
    """
    known = dict(runs)
    models = [series for series in histories if series != WHOLE]
    watches = {
        Key(series, metric): Watch(watched=watched, history=histories[series])
        for series in (*models, WHOLE)
        if series in histories and histories[series].is_long_enough
        for metric, watched in WATCHED.items()
    }
    for hour in hours:
        told: set[tuple[str, Direction]] = set()
        for key, watch in watches.items():
            stands_back = key.series == WHOLE
            for run in _step(watch, hour, known.get(key), without=told if stands_back else frozenset(), metric=key.metric):
                known[key] = run
                if run.is_open and run.last == hour:
                    told.add((key.metric, run.direction))
                yield key, run


def _step(
    watch: Watch, hour: datetime, run: Run | None, *, without: frozenset[tuple[str, Direction]] | set[tuple[str, Direction]],
    metric: str,
) -> Iterator[Run]:
    verdict = watch.of(hour)
    if verdict is not None and (not verdict.matters or (metric, verdict.direction) in without):
        verdict = None
    if verdict is not None and run is not None and run.reaches(hour) and run.direction is verdict.direction:
        if abs(verdict.score) >= GOES_ON * LEAST_SCORE:
            yield run.with_hour(verdict, abs(verdict.score))
            return
    together = None if verdict is None else _together(watch, verdict, since=run.end if run else None)
    if together is not None:
        score, hours = together
        peak = max(hours, key=lambda one: abs(one.score))
        if run is not None and run.direction is peak.direction and run.reaches(hours[0].at):
            yield run.with_hour(replace(peak, at=hour), score)
            return
        if run is not None and run.is_open:
            yield replace(run, is_open=False)
        yield Run(
            direction=peak.direction,
            first=hours[0].at,
            last=hour,
            score=score,
            expected=peak.expected,
            observed=peak.observed,
        )
    elif run is not None and run.is_open and hour >= run.end:
        yield replace(run, is_open=False)


def _together(watch: Watch, verdict: Verdict, *, since: datetime | None) -> tuple[float, list[Verdict]] | None:
    """Return the score of the hours up to one that are farthest beyond chance together, and these; `None`: none are."""
    hours, best = [verdict], None
    enough = watch.watched.enough
    while True:
        least = LEAST_SCORE if len(hours) == 1 else LEAST_TOGETHER
        score = abs(sum(one.score for one in hours)) / sqrt(len(hours))
        if score >= least and sum(one.weight for one in hours) >= enough and (best is None or score > best[0]):
            best = score, list(hours)
        before = hours[0].at - HOUR
        if len(hours) == MOST_TOGETHER or (since is not None and before < since):
            return best
        earlier = watch.of(before)
        if (
            earlier is None
            or not earlier.matters
            or earlier.direction is not verdict.direction
            or abs(earlier.score) < LEAST_OF_EACH
        ):
            return best
        hours.insert(0, earlier)
