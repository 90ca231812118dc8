"""A metric of a series under watch, and the evidence that its hours are beyond chance, alone and together. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from math import copysign, sqrt
from typing import NamedTuple

from analytics.anomalies.detection import HOUR, Baseline, History, Verdict, of_rate
from analytics.registry.anomalies import SEVERITIES, Severity, Watched

LEAST_SCORE = SEVERITIES[Severity.INFO]
# Hours that are not beyond chance alone may be so together, with those of other models of the same provider too.
MOST_TOGETHER, LEAST_OF_EACH = 6, 1.0
_OF_SESSION = 0.5  # by which hours that one session may have made have to be farther off
_MOST_QUIET = 1  # hours between two that deviate
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

    def deviation(self, hour: datetime) -> Verdict | None:
        """Return the verdict on an hour that differs as much as matters."""
        verdict = self.of(hour) if self._baseline.matters(hour) else None
        return verdict if verdict is not None and verdict.matters else None

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
        if within is None:
            return None
        if within.direction is not verdict.direction:
            return replace(verdict, score=0.0, matters=False)
        score = abs(within.score)
        if inner.figure == MIDDLE:
            # That more than half of three requests are strange happens, however far off they are.
            score = min(score, of_rate(requests // 2 + 1, requests, STRANGE))
        return replace(verdict, score=copysign(score, within.score), matters=verdict.matters and within.matters)


def together(watch: Watch, own: Verdict, *, others: Sequence[Watch], since: datetime | None) -> Evidence | None:
    """Return the strongest evidence that ends with an hour, `None` where all is within chance.

    `others` are of other models of the provider: they count where none of them is farther off over the same hours.
    Hours before `since` are of another anomaly.
    """
    if not _is_alike(own, own):
        return None
    groups = [[watch], [watch, *others]] if others else [[watch]]
    found = [one for group in groups for one in _evidence(watch, own, group, since)]
    return max(found, key=lambda one: one.score, default=None)


def _evidence(watch: Watch, own: Verdict, group: Sequence[Watch], since: datetime | None) -> Iterator[Evidence]:
    """Yield what the hours up to that of `own` are together, from each of them on that deviates alike.

    Hours between those count as they are: an hour that is as ever takes away from what the others say. After more than
    one of them in a row nothing before belongs to it; hours of which nothing is known are passed over.
    """
    pools = {id(one): _Pool() for one in group}
    least = watch.watched.enough
    at, quiet, peak, judged = own.at, 0, own, 0
    for _ in range(MOST_TOGETHER):
        if since is not None and at < since:
            return
        verdicts = [(one, verdict) for one in group if (verdict := one.of(at)) is not None]
        alike = [(one, verdict) for one, verdict in verdicts if _is_alike(verdict, own)]
        for one, verdict in verdicts:
            if one is watch or (one, verdict) in alike:  # of others only what deviates counts
                pools[id(one)].add(verdict, own, counts=(one, verdict) in alike)
        peak = max([peak, *(verdict for one, verdict in alike if one is watch)], key=lambda one: abs(one.score))
        judged += len(verdicts)
        quiet = 0 if alike else quiet + bool(verdicts)
        if quiet > _MOST_QUIET:
            return
        whole = _sum(pools.values())
        needed = LEAST_SCORE + (_OF_SESSION if judged > 1 and watch.watched.of_session else 0)
        strongest = max(pool.score for pool in pools.values())
        if alike and pools[id(watch)].score == strongest and whole.weight >= least and whole.score >= needed:
            yield Evidence(first=at, score=whole.score, peak=peak)
        at -= HOUR


@dataclass(slots=True)
class _Pool:
    """Verdicts together: as one number, made of normal ones, each as much as there was to tell by."""

    off: float = 0.0
    size: float = 0.0
    weight: float = 0.0

    @property
    def score(self) -> float:
        return self.off / sqrt(self.size) if self.size else 0.0

    def add(self, verdict: Verdict, own: Verdict, *, counts: bool) -> None:
        self.off += sqrt(verdict.size) * copysign(1, own.score) * verdict.score
        self.size += verdict.size
        self.weight += verdict.weight if counts else 0.0


def _sum(pools: Iterable[_Pool]) -> _Pool:
    found = _Pool()
    for one in pools:
        found.off, found.size, found.weight = found.off + one.off, found.size + one.size, found.weight + one.weight
    return found


def _is_alike(verdict: Verdict, own: Verdict) -> bool:
    return verdict.matters and verdict.direction is own.direction and abs(verdict.score) >= LEAST_OF_EACH
