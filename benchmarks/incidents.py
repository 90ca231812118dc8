"""Hours of projects that nobody has, with incidents that are known: what the detector of anomalies is measured on.

Traffic comes as sessions of several requests, follows the hours of the day and the days of the week, and is busier on
one day than on another; latencies and tokens have long tails; some requests fail or time out without any incident.
"""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from analytics.anomalies.detection import HOUR, WEEK, WEEKEND, Hour
from analytics.anomalies.watching import WHOLE, Series
from analytics.management.demo.rhythm import HOURS
from analytics.management.demo.rhythm import WEEKEND as QUIET_DAYS

WEEKS, JUDGED = 5, WEEK
START = datetime(2026, 3, 2, tzinfo=UTC)
END = START + WEEKS * WEEK
SESSION = 2.5  # requests that come together, on average
SPREAD = 0.6  # of the logarithms of latencies and of tokens
ERROR_RATE = 0.012
_SAMPLED = 300  # requests of an hour whose latencies and tokens are drawn
TIMEOUT_MS, _TIMEOUT_RATE = 30_000, 0.004


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


class Drawn(NamedTuple):
    """Requests of a model in an hour: how many, how many of them failed, and what each that was drawn is like.

    `usual` is how many there would be on average without an incident.
    """

    model: Model
    usual: float
    requests: int
    failed: int
    latencies: list[int]
    tokens: list[int]

    @property
    def answered_tokens(self) -> int:
        """The tokens of all requests that did not fail."""
        answered = self.requests - self.failed
        return round(sum(self.tokens) / len(self.tokens) * answered) if self.tokens else 0


class Simulated(NamedTuple):
    """The hours of a project as the query core would give them, and all that was drawn, hour by hour."""

    hours: Hours
    drawn: Mapping[datetime, Sequence[Drawn]]


def incident_in_a_week(chance: random.Random, kind: Kind) -> Incident:
    """Return an incident of a kind in the last week, at any hour, of one of the two models with most of the traffic."""
    length = chance.randint(*kind.hours)
    latest = int(JUDGED / HOUR) - length - 3
    start = END - JUDGED + HOUR * chance.randint(3, latest)
    return Incident(kind, chance.choice(MODELS[:2]), start, start + HOUR * length)


def project(chance: random.Random, *, busiest: float, incident: Incident | None = None) -> Simulated:
    """Return a project with about `busiest` requests in its busiest hour."""
    days = [chance.lognormvariate(0, 0.08) for _ in range(7 * WEEKS)]
    drawn: dict[datetime, list[Drawn]] = {}
    hour = START
    while hour < END:
        usual = busiest * HOURS[hour.hour] / max(HOURS) * (QUIET_DAYS if hour.weekday() >= WEEKEND else 1.0)
        usual *= days[(hour - START).days] * chance.lognormvariate(0, 0.06)
        drawn[hour] = [one for model in MODELS for one in _requests(chance, model, usual * model.share, hour, incident)]
        hour += HOUR
    return Simulated(_hours(drawn), drawn)


def _hours(drawn: Mapping[datetime, Sequence[Drawn]]) -> Hours:
    found: dict[Series, dict[datetime, Hour]] = defaultdict(dict)
    for hour, made in drawn.items():
        for series in {WHOLE, *(one.model.series for one in made)}:
            mine = [one for one in made if series in {WHOLE, one.model.series} and one.requests]
            if mine:
                found[series][hour] = _hour(mine)
    return found


class _Changed(NamedTuple):
    """How requests differ from what they usually are: so much likelier to fail, so many times as slow and as long."""

    errors: float
    latency: float
    tokens: float


def _requests(
    chance: random.Random, model: Model, usual: float, hour: datetime, incident: Incident | None
) -> list[Drawn]:
    degree, kind = (incident.degree(hour), incident.kind) if incident and incident.model is model else (0.0, KINDS[0])

    def changed(factor: float) -> float:
        return 1 + (factor - 1) * degree

    count = _sessions(chance, usual * changed(kind.traffic))
    moved = sum(chance.random() < kind.replaced * degree for _ in range(count)) if kind.replaced else 0
    how = _Changed(kind.error_rate * degree, changed(kind.latency), changed(kind.tokens))
    return [
        _draw(chance, model, usual, count - moved, how),
        *([_draw(chance, NEW, 0.0, moved, how)] if moved else ()),
    ]


def _sessions(chance: random.Random, mean: float) -> int:
    """Return how many requests come when sessions come at random and each goes on with the same chance."""
    sessions = _poisson(chance, mean / SESSION)
    return sum(_length(chance) for _ in range(sessions))


def _length(chance: random.Random) -> int:
    return 1 + int(math.log(1 - chance.random()) / math.log(1 - 1 / SESSION))


def _poisson(chance: random.Random, mean: float) -> int:
    if mean > 50:  # noqa: PLR2004  where it is as good as normal
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    left, count = math.exp(-mean), 0
    product = chance.random()
    while product > left:
        count += 1
        product *= chance.random()
    return count


def _draw(chance: random.Random, model: Model, usual: float, count: int, changed: _Changed) -> Drawn:
    failed = sum(chance.random() < ERROR_RATE + changed.errors for _ in range(count))
    latencies = [
        TIMEOUT_MS
        if chance.random() < _TIMEOUT_RATE
        else round(model.latency_ms * changed.latency * chance.lognormvariate(0, SPREAD))
        for _ in range(min(count, _SAMPLED))
    ]
    tokens = [
        round(model.tokens * changed.tokens * chance.lognormvariate(0, SPREAD))
        for _ in range(min(count - failed, _SAMPLED))
    ]
    return Drawn(model, usual, count, failed, latencies, tokens)


def _hour(drawn: Sequence[Drawn]) -> Hour:
    requests, errors = sum(one.requests for one in drawn), sum(one.failed for one in drawn)
    latencies = sorted(latency for one in drawn for latency in one.latencies)
    answered = requests - errors
    return Hour(
        requests=requests,
        errors=errors,
        figures={
            "requests": requests,
            "error_rate": Decimal(errors) / requests,
            "latency_p95": ranked(latencies, 95),
            "cost": sum((one.answered_tokens * one.model.cost for one in drawn), Decimal(0)),
            "tokens_per_request": Decimal(sum(one.answered_tokens for one in drawn)) / answered if answered else None,
            "p50": ranked(latencies, 50),
            "p90": ranked(latencies, 90),
        },
    )


def ranked(ascending: Sequence[int], percent: int) -> int:
    """Return the nearest-rank percentile of values in order."""
    return ascending[math.ceil(percent * len(ascending) / 100) - 1]
