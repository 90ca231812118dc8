"""From verdicts on hours to anomalies: hours that deviate, with at most one quiet hour between two, are one.

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
        """Return the verdict on an hour: where it has few requests, it is as far off as the middle of them is."""
        verdict = self._baseline.of(hour)
        requests = self.history.at(hour).requests
        inner = next((one for below, one in self._inner if requests < below), None)
        if verdict is None or inner is None:
            return verdict
        within = inner.of(hour)
        if within is None or within.direction is not verdict.direction:
            return None
        return replace(verdict, score=within.score)


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
        if series != WHOLE or watched.of_project
    }
    for key, run in runs.items():
        if run.is_open and key not in watches:  # a model that is gone for four weeks is not usual any more, nor unusual
            yield key, replace(run, is_open=False)
    for hour in hours:
        told: set[tuple[str, Direction]] = set()
        for key, watch in watches.items():
            verdict = watch.of(hour)
            if verdict is not None and key.series == WHOLE and (key.metric, verdict.direction) in told:
                verdict = None
            for run in _after(hour, verdict, known.get(key), watch):
                known[key] = run
                if run.is_open and run.last == hour:
                    told.add((key.metric, run.direction))
                yield key, run


def _after(hour: datetime, verdict: Verdict | None, run: Run | None, watch: Watch) -> Iterator[Run]:
    """Yield what became of the newest anomaly in an hour, and the one that began in it."""
    if verdict is not None:
        alike = run if run is not None and run.direction is verdict.direction else None
        if alike is not None and alike.reaches(hour) and abs(verdict.score) >= GOES_ON * LEAST_SCORE:
            yield alike.with_hour(verdict, abs(verdict.score))
            return
        found = _together(watch, verdict, since=run.end if run else None)
        if found is not None and alike is not None and alike.reaches(found.first):
            yield alike.with_hour(replace(verdict, expected=found.expected, observed=found.observed), found.score)
            return
        if found is not None:
            if run is not None and run.is_open:
                yield replace(run, is_open=False)
            yield found
            return
    if run is not None and run.is_open:
        yield replace(run, is_open=False)


def _together(watch: Watch, verdict: Verdict, *, since: datetime | None) -> Run | None:
    """Return the anomaly of the hours up to one that are farthest beyond chance together, `None` where none are."""
    hours, best = [verdict], None
    while True:
        score = abs(sum(one.score for one in hours)) / sqrt(len(hours))
        is_enough = sum(one.weight for one in hours) >= watch.watched.enough
        if is_enough and score >= max(LEAST_SCORE if len(hours) == 1 else LEAST_TOGETHER, best.score if best else 0.0):
            peak = max(hours, key=lambda one: abs(one.score))
            best = Run(
                direction=verdict.direction,
                first=hours[0].at,
                last=verdict.at,
                score=score,
                expected=peak.expected,
                observed=peak.observed,
            )
        before = hours[0].at - HOUR
        if len(hours) == MOST_TOGETHER or (since is not None and before < since):
            return best
        earlier = watch.of(before)
        if earlier is None or earlier.direction is not verdict.direction or abs(earlier.score) < LEAST_OF_EACH:
            return best
        hours.insert(0, earlier)
