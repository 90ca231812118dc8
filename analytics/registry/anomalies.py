"""What is watched for anomalies, as rows: figures by the hour, and how each of them varies by chance."""

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
    of its own unit, and with at least `enough` behind it over all of its hours: of a count the change, of an amount
    what as many usual requests add to it, of a rate the failed requests, of a level all requests.

    `inner` are percentiles of the same distribution, each with the requests below which it is looked at as well: of an
    hour with so few, the metric is one or two requests, and tells nothing while those in the middle are as ever.

    What adds up to the metric, so that a change has parts, is the sum of the measure `part`, over that of `over` where
    it is a quotient; `told_by` are dimensions that tell of it alone. It is shown with `decimals`. Only what is watched
    `of_project` too is worth looking at across models: elsewhere another mix of models is a change of the metric.
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
    decimals: int
    part: str
    over: str | None
    description: str
    of_project: bool = True
    told_by: tuple[str, ...] = ()
    inner: tuple[tuple[int, str], ...] = ()

    def within(self) -> "Watched":
        """Return how an inner percentile is watched: it need not have moved as far."""
        return replace(self, up=sqrt(self.up), inner=())


WATCHED: Mapping[str, Watched] = MappingProxyType({
    one.key: one
    for one in (
        Watched(
            key="requests",
            part="request_count",
            over=None,
            measure="request_count",
            aggregation="sum",
            noise=Noise.COUNT,
            up=2.0,
            down=0.5,
            least=0,
            enough=20,
            unit="requests an hour",
            decimals=1,
            description="Requests of an hour.",
        ),
        Watched(
            key="error_rate",
            part="error_count",
            over="request_count",
            measure="error_rate",
            aggregation="ratio",
            noise=Noise.RATE,
            up=2.0,
            down=None,
            least=0.05,
            enough=4,
            unit="of requests",
            decimals=6,
            told_by=("error_type",),
            description="Failed requests over all requests of an hour; fewer are no anomaly.",
        ),
        Watched(
            key="latency_p95",
            part="duration",
            over="request_count",
            measure="duration",
            aggregation="p95",
            noise=Noise.LEVEL,
            up=1.5,
            down=None,
            least=50,
            enough=5,
            unit="ms",
            decimals=0,
            of_project=False,
            description="Milliseconds that one in twenty requests of an hour took longer than; fewer are no anomaly.",
            inner=((40, "p50"), (80, "p90")),
        ),
        Watched(
            key="cost",
            part="total_cost",
            over=None,
            measure="total_cost",
            aggregation="sum",
            noise=Noise.AMOUNT,
            up=2.0,
            down=0.5,
            least=0,
            enough=20,
            unit="dollars an hour",
            decimals=9,
            description="Cost of an hour in dollars.",
        ),
        Watched(
            key="tokens_per_request",
            part="total_tokens",
            over="request_count",
            measure="total_tokens",
            aggregation="avg",
            noise=Noise.LEVEL,
            up=1.5,
            down=0.6,
            least=20,
            enough=8,
            unit="tokens a request",
            decimals=3,
            of_project=False,
            description="Mean tokens of a request with usage.",
        ),
    )
})  # fmt: skip
# From which score on an anomaly is of a severity; none is less than the first.
SEVERITIES: Mapping[Severity, float] = MappingProxyType(
    {Severity.INFO: 5.0, Severity.WARNING: 8.0, Severity.CRITICAL: 14.0}
)


def severity_of(score: float) -> Severity:
    """Return the severity of a score."""
    return max((low, severity) for severity, low in SEVERITIES.items() if score >= low)[1]
