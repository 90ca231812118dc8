"""Hours of projects that nobody has, with incidents that are known: what the detector of anomalies is measured on.

Traffic comes as sessions of several requests, follows the hours of the day and the days of the week, and is busier on
one day than on another; latencies and tokens have long tails; some requests fail or time out without any incident.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from analytics.anomalies.detection import HOUR, WEEK, Hour
from analytics.anomalies.watching import WHOLE, Series
from analytics.management.demo.rhythm import HOURS, WEEKEND

WEEKS, JUDGED = 5, WEEK
START = datetime(2026, 3, 2, tzinfo=UTC)
END = START + WEEKS * WEEK
_SATURDAY = 5
_SESSION = 2.5  # requests that come together, on average
_SAMPLED = 300  # requests of an hour whose latencies are drawn
_TIMEOUT_MS, _TIMEOUT_RATE, _ERROR_RATE = 30_000, 0.004, 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of a project: its share of the traffic and what its requests are like."""

    series: Series
    share: float
    latency_ms: float
    tokens: float
    cost: Decimal  # of a token, in dollars


MODELS = (
    Model(series=Series("openai", "large"), share=0.5, latency_ms=2400, tokens=2600, cost=Decimal("0.000004")),
    Model(series=Series("openai", "small"), share=0.35, latency_ms=700, tokens=900, cost=Decimal("0.0000004")),
    Model(series=Series("anthropic", "other"), share=0.15, latency_ms=3000, tokens=3200, cost=Decimal("0.000006")),
)
NEW = Model(series=Series("openai", "newest"), share=0.0, latency_ms=2600, tokens=2600, cost=Decimal("0.00004"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of incident: the metrics that may tell of it, for how many hours it lasts, by what which number changes.

    With `grows` it comes slowly, hour by hour. A `replaced` share of the requests goes to a new model.
    """

    key: str
    metrics: tuple[str, ...]
    hours: tuple[int, int]
    traffic: float = 1.0
    error_rate: float = 0.0
    latency: float = 1.0
    tokens: float = 1.0
    replaced: float = 0.0
    grows: bool = False


KINDS = (
    Kind(key="rate_drop", metrics=("requests", "cost"), hours=(3, 8), traffic=0.08),
    Kind(key="spike", metrics=("requests", "cost"), hours=(2, 6), traffic=5.0),
    Kind(key="errors", metrics=("error_rate", "cost", "tokens_per_request"), hours=(2, 6), error_rate=0.3),
    Kind(key="latency_shift", metrics=("latency_p95",), hours=(2, 6), latency=3.0),
    Kind(key="new_model", metrics=("cost", "requests"), hours=(24, 24), replaced=0.7),
    Kind(key="long_prompts", metrics=("tokens_per_request", "cost"), hours=(3, 8), tokens=2.5),
    Kind(key="slow_drift", metrics=("latency_p95",), hours=(36, 36), latency=4.0, grows=True),
)


class Incident(NamedTuple):
    """An incident of a model, of the hours `[start, end)`."""

    kind: Kind
    model: Model
    start: datetime
    end: datetime

    def degree(self, hour: datetime) -> float:
        """Return how much of it an hour has, from 0 to 1."""
        if not self.start <= hour < self.end:
            return 0.0
        return (hour - self.start + HOUR) / (self.end - self.start) if self.kind.grows else 1.0


Hours = Mapping[Series, Mapping[datetime, Hour]]


def incident_in_a_week(chance: random.Random, kind: Kind) -> Incident:
    """Return an incident of a kind in the last week, at any hour, of one of the two models with most of the traffic."""
    length = chance.randint(*kind.hours)
    latest = int(JUDGED / HOUR) - length - 3
    start = END - JUDGED + HOUR * chance.randint(3, latest)
    return Incident(kind, chance.choice(MODELS[:2]), start, start + HOUR * length)


def project(chance: random.Random, *, busiest: float, incident: Incident | None = None) -> Hours:
    """Return the hours of a project with about `busiest` requests in its busiest hour."""
    found: dict[Series, dict[datetime, Hour]] = {
        series: {} for series in (*(one.series for one in (*MODELS, NEW)), WHOLE)
    }
    days = [chance.lognormvariate(0, 0.08) for _ in range(7 * WEEKS)]
    hour = START
    while hour < END:
        usual = busiest * HOURS[hour.hour] / max(HOURS) * (WEEKEND if hour.weekday() >= _SATURDAY else 1.0)
        usual *= days[(hour - START).days] * chance.lognormvariate(0, 0.06)
        drawn = [one for model in MODELS for one in _requests(chance, model, usual * model.share, hour, incident)]
        for series, hours in found.items():
            mine = [one for one in drawn if series in {WHOLE, one.series}]
            if mine:
                hours[hour] = _hour(mine)
        hour += HOUR
    return {series: hours for series, hours in found.items() if hours}


class Changed(NamedTuple):
    """How requests differ from what they usually are: so much likelier to fail, so many times as slow and as long."""

    errors: float
    latency: float
    tokens: float


class _Drawn(NamedTuple):
    """Some equal requests: how many they stand for, and what each is like."""

    series: Series
    count: int  # type: ignore[assignment]  # nobody counts in this tuple
    failed: int
    latencies: list[int]
    tokens: float
    cost: Decimal


def _requests(
    chance: random.Random, model: Model, usual: float, hour: datetime, incident: Incident | None
) -> list[_Drawn]:
    degree, kind = (incident.degree(hour), incident.kind) if incident and incident.model is model else (0.0, KINDS[0])

    def changed(factor: float) -> float:
        return 1 + (factor - 1) * degree

    count = _sessions(chance, usual * changed(kind.traffic))
    moved = sum(chance.random() < kind.replaced * degree for _ in range(count)) if kind.replaced else 0
    return [
        _draw(chance, used, number, Changed(kind.error_rate * degree, changed(kind.latency), changed(kind.tokens)))
        for used, number in ((model, count - moved), (NEW, moved))
        if number
    ]


def _sessions(chance: random.Random, mean: float) -> int:
    """Return how many requests come when sessions come at random and each goes on with the same chance."""
    sessions = _poisson(chance, mean / _SESSION)
    return sum(_length(chance) for _ in range(sessions))


def _length(chance: random.Random) -> int:
    return 1 + int(math.log(1 - chance.random()) / math.log(1 - 1 / _SESSION))


def _poisson(chance: random.Random, mean: float) -> int:
    if mean > 50:  # noqa: PLR2004  where it is as good as normal
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    left, count = math.exp(-mean), 0
    product = chance.random()
    while product > left:
        count += 1
        product *= chance.random()
    return count


def _draw(chance: random.Random, model: Model, count: int, changed: Changed) -> _Drawn:
    failed = sum(chance.random() < _ERROR_RATE + changed.errors for _ in range(count))
    drawn = min(count, _SAMPLED)
    latencies = [
        _TIMEOUT_MS
        if chance.random() < _TIMEOUT_RATE
        else round(model.latency_ms * changed.latency * chance.lognormvariate(0, 0.6))
        for _ in range(drawn)
    ]
    answered = count - failed
    spread = chance.gauss(1, 0.6 / math.sqrt(answered)) if answered else 0.0
    tokens = max(model.tokens * changed.tokens * spread, 1.0) * answered
    return _Drawn(model.series, count, failed, latencies, tokens, Decimal(round(tokens)) * model.cost)


def _hour(drawn: Sequence[_Drawn]) -> Hour:
    requests, errors = sum(one.count for one in drawn), sum(one.failed for one in drawn)
    latencies = sorted(latency for one in drawn for latency in one.latencies)
    percentiles = {percent: latencies[math.ceil(percent * len(latencies) / 100) - 1] for percent in (50, 90, 95)}
    answered = requests - errors
    figures: dict[str, int | Decimal | None] = {
        "requests": requests,
        "error_rate": Decimal(errors) / requests,
        "latency_p95": percentiles[95],
        "cost": sum((one.cost for one in drawn), Decimal(0)),
        "tokens_per_request": Decimal(sum(round(one.tokens) for one in drawn)) / answered if answered else None,
        "p50": percentiles[50],
        "p90": percentiles[90],
    }
    return Hour(requests=requests, errors=errors, figures=figures)
