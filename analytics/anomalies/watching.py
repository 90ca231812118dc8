"""A metric of a series under watch, and the evidence that its hours are beyond chance, alone and together. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from math import copysign, sqrt
from typing import NamedTuple

from analytics.anomalies.detection import HOUR, Baseline, History, Verdict, of_rate
from analytics.registry.anomalies import SEVERITIES, Severity, Watched

LEAST_SCORE = SEVERITIES[Severity.INFO]
# Hours that are not beyond chance alone may be so together, with those of other models of the same provider too. They
# are looked at in several ways, so more is asked.
MOST_TOGETHER, LEAST_OF_EACH, LEAST_TOGETHER = 6, 1.0, LEAST_SCORE + 0.5
MIDDLE = "p50"
STRANGE = 0.01  # the share of requests that take any time whatever, without an incident


class Series(NamedTuple):
    """What is watched on its own: a model of a provider, or the whole project."""

    provider: str | None
    model: str | None


WHOLE = Series(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Hours that are beyond chance together: the first of them, their score, and the hour that is farthest off."""

    first: datetime
    score: float
    peak: Verdict


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A metric of a series with its baselines."""

    watched: Watched
    history: History

    def of(self, hour: datetime) -> Verdict | None:
        """Return the verdict on an hour: where it has few requests, it is as far off as the middle of them is."""
        if hour not in self._verdicts:
            self._verdicts[hour] = self._judge(hour)
        return self._verdicts[hour]

    @cached_property
    def _verdicts(self) -> dict[datetime, Verdict | None]:
        return {}

    @cached_property
    def _baseline(self) -> Baseline:
        return Baseline(watched=self.watched, figure=self.watched.key, history=self.history)

    @cached_property
    def _inner(self) -> Sequence[tuple[int, Baseline]]:
        return [
            (below, Baseline(watched=self.watched.within(), figure=figure, history=self.history))
            for below, figure in self.watched.inner
        ]

    def _judge(self, hour: datetime) -> Verdict | None:
        verdict = self._baseline.of(hour)
        requests = self.history.at(hour).requests
        inner = next((one for below, one in self._inner if requests < below), None)
        if verdict is None or inner is None:
            return verdict
        within = inner.of(hour)
        if within is None or within.direction is not verdict.direction:
            return None
        score = abs(within.score)
        if inner.figure == MIDDLE:
            # That more than half of three requests are strange happens, however far off they are.
            score = min(score, of_rate(requests // 2 + 1, requests, STRANGE))
        return replace(verdict, score=copysign(score, within.score))


def together(watch: Watch, own: Verdict, *, others: Sequence[Watch], since: datetime | None) -> Evidence | None:
    """Return the strongest evidence that ends with an hour, `None` where all is within chance.

    `others` are of other models of the provider: they count where the hour's verdict is not farther off in one of them.
    Hours before `since` are of another anomaly.
    """
    groups = [[watch]]
    if others and all(abs(one.score) <= abs(own.score) for one in _alike(others, own, own.at)):
        groups.append([watch, *others])
    found = [one for group in groups for one in _evidence(watch, own, group, since)]
    return max(found, key=lambda one: one.score, default=None)


def _evidence(watch: Watch, own: Verdict, group: Sequence[Watch], since: datetime | None) -> Iterator[Evidence]:
    verdicts, mine, at = list[Verdict](), [own], own.at
    for _ in range(MOST_TOGETHER):
        alike = _alike(group, own, at)
        if not alike or (since is not None and at < since):
            return
        verdicts += alike
        mine += _alike([watch], own, at)
        score = abs(sum(one.score for one in verdicts)) / sqrt(len(verdicts))
        is_enough = sum(one.weight for one in verdicts) >= watch.watched.enough
        if is_enough and score >= (LEAST_SCORE if len(verdicts) == 1 else LEAST_TOGETHER):
            yield Evidence(first=at, score=score, peak=max(mine, key=lambda one: abs(one.score)))
        at -= HOUR


def _alike(watches: Sequence[Watch], own: Verdict, at: datetime) -> list[Verdict]:
    found = [watch.of(at) for watch in watches]
    return [one for one in found if one and one.direction is own.direction and abs(one.score) >= LEAST_OF_EACH]
