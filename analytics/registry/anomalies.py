"""What is watched for anomalies, as rows: the figures that are read by the hour, and how each of them varies by chance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt
from types import MappingProxyType


class Noise(StrEnum):
    """How a number varies from hour to hour without any cause.

    A `COUNT` varies as a Poisson number does, an `AMOUNT` as the count of requests that it is the sum over, a `RATE` as
    a binomial one, a `LEVEL` by a factor that is nearer to 1 the more requests it is made of.
    """

    COUNT = "count"
    AMOUNT = "amount"
    RATE = "rate"
    LEVEL = "level"


class Direction(StrEnum):
    """Whether more was seen than expected, or less."""

    UP = "up"
    DOWN = "down"


class Severity(StrEnum):
    """How far beyond chance an anomaly is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One metric: the figure that it is (`measure`, `aggregation`), how it varies, and which change matters at all.

    A change matters from the factor `up` on, or down to `down` (`None`: less is never an anomaly), by at least `least`
    of its own unit, and with at least `enough` behind it over all of its hours: of a count or an amount the change, of
    a rate the failed requests, of a level all requests. `inner` are percentiles of the same distribution that must have
    moved too while an hour has so few requests that the metric is one or two of them: each with the requests below
    which it counts.
    """

    key: str
    measure: str
    aggregation: str
    noise: Noise
    up: float
    down: float | None
    least: float
    enough: float
    unit: str
    description: str
    inner: tuple[tuple[int, str], ...] = ()

    def within(self) -> "Watched":
        """Return how an inner percentile is watched: it need not have moved as far."""
        return replace(self, up=sqrt(self.up), inner=())


WATCHED: Mapping[str, Watched] = MappingProxyType({
    one.key: one
    for one in (
        Watched(
            key="requests",
            measure="request_count",
            aggregation="sum",
            noise=Noise.COUNT,
            up=2.0,
            down=0.5,
            least=0,
            enough=20,
            unit="requests an hour",
            description="Requests of an hour.",
        ),
        Watched(
            key="error_rate",
            measure="error_rate",
            aggregation="ratio",
            noise=Noise.RATE,
            up=2.0,
            down=None,
            least=0.05,
            enough=4,
            unit="of requests",
            description="Failed requests over all requests of an hour; fewer are no anomaly.",
        ),
        Watched(
            key="latency_p95",
            measure="duration",
            aggregation="p95",
            noise=Noise.LEVEL,
            up=1.5,
            down=None,
            least=50,
            enough=5,
            unit="ms",
            description="Milliseconds that one in twenty requests of an hour took longer than; fewer are no anomaly.",
            inner=((40, "p50"), (80, "p90")),
        ),
        Watched(
            key="cost",
            measure="total_cost",
            aggregation="sum",
            noise=Noise.AMOUNT,
            up=2.0,
            down=0.5,
            least=0,
            enough=0.01,
            unit="dollars an hour",
            description="Cost of an hour in dollars.",
        ),
        Watched(
            key="tokens_per_request",
            measure="total_tokens",
            aggregation="avg",
            noise=Noise.LEVEL,
            up=1.5,
            down=0.6,
            least=20,
            enough=8,
            unit="tokens a request",
            description="Mean tokens of a request with usage.",
        ),
    )
})  # fmt: skip
# From which score on an anomaly is of a severity; none is less than the first.
SEVERITIES: Mapping[Severity, float] = MappingProxyType({Severity.INFO: 5.0, Severity.WARNING: 8.0, Severity.CRITICAL: 14.0})


def severity_of(score: float) -> Severity:
    """Return the severity of a score."""
    return max((low, severity) for severity, low in SEVERITIES.items() if score >= low)[1]
