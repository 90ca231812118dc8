"""From verdicts on hours to anomalies: hours that deviate, with at most one quiet hour between two, are one.

Pure. An anomaly begins with the hour that is beyond chance by itself, or with the first of several hours that are so
together. It goes on through hours that deviate about half as much, and ends when an hour was quiet.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from analytics.anomalies.detection import HOUR, History, Number, Verdict
from analytics.anomalies.watching import LEAST_SCORE, WHOLE, Series, Watch, together
from analytics.registry.anomalies import WATCHED, Direction

GOES_ON = 0.45  # of the least score: what goes on need not be as far off as what begins
QUIET = HOUR


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


def judged(
    histories: Mapping[Series, History], hours: Sequence[datetime], runs: Mapping[Key, Run]
) -> Iterator[tuple[Key, Run]]:
    """Yield every anomaly that began, went on or ended in `hours`, as it is then; `runs` are the newest known of each.

    Of the whole project there is none in an hour in which one of its models deviates alike: it would be the same again.
    """
    known = dict(runs)
    watches = _watches(histories)
    for key, run in runs.items():
        if run.is_open and key not in watches:  # a model that is watched no more: it is gone, or others are larger
            yield key, replace(run, is_open=False)
    kin = _kin(watches)
    for hour in hours:
        told: set[tuple[str, Direction]] = set()
        for key, watch in watches.items():
            verdict = watch.deviation(hour)
            if verdict is not None and key.series == WHOLE and (key.metric, verdict.direction) in told:
                verdict = None
            others = kin.get(key, ())
            if any(known[one].is_open for one in others if one in known):
                others = ()  # what they have in common is told already
            for run in _after(hour, verdict, known.get(key), watch, [watches[one] for one in others]):
                known[key] = run
                if run.is_open and run.last == hour:
                    told.add((key.metric, run.direction))
                yield key, run


def _kin(watches: Mapping[Key, Watch]) -> Mapping[Key, Sequence[Key]]:
    """Return the same metric of the other models of the provider, by each of its models."""
    of_provider: dict[tuple[str | None, str], list[Key]] = defaultdict(list)
    for key in watches:
        if key.series != WHOLE:
            of_provider[key.series.provider, key.metric].append(key)
    return {key: [one for one in alike if one != key] for alike in of_provider.values() for key in alike}


def _watches(histories: Mapping[Series, History]) -> dict[Key, Watch]:
    """Return what is watched, the whole project last."""
    return {
        Key(series, metric): Watch(watched=watched, history=histories[series])
        for series in sorted(histories, key=lambda one: one == WHOLE)
        if histories[series].is_long_enough
        for metric, watched in WATCHED.items()
        if series != WHOLE or watched.of_project
    }


def _after(
    hour: datetime, verdict: Verdict | None, run: Run | None, watch: Watch, others: Sequence[Watch]
) -> Iterator[Run]:
    """Yield what became of the newest anomaly in an hour, and the one that began in it."""
    if verdict is not None:
        alike = run if run is not None and run.direction is verdict.direction else None
        if alike is not None and alike.reaches(hour) and abs(verdict.score) >= GOES_ON * LEAST_SCORE:
            yield alike.with_hour(verdict, abs(verdict.score))
            return
        found = together(watch, verdict, others=others, since=run.end if run else None)
        if found is not None and alike is not None and alike.reaches(found.first):
            yield alike.with_hour(replace(found.peak, at=hour), found.score)
            return
        if found is not None:
            if run is not None and run.is_open:
                yield replace(run, is_open=False)
            yield Run(
                direction=verdict.direction,
                first=found.first,
                last=hour,
                score=found.score,
                expected=found.peak.expected,
                observed=found.peak.observed,
            )
            return
    if run is not None and run.is_open:
        yield replace(run, is_open=False)
