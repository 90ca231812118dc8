"""What can be measured: every figure as a row. SQL, replies, field selection and the schema are derived from these."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any

from analytics.registry.facts import FACTS_BY_KEY, SKETCHES_BY_KEY, TOKEN_PARTS

Facts = Mapping[str, Any]
Number = int | Decimal | None


class Unit(StrEnum):
    """Units of figures, and with them the number of decimals that are sent."""

    COUNT = "count"
    MILLISECONDS = "ms"
    RATE = "rate"
    PER_SECOND = "per second"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A nearest-rank percentile of what a sketch keeps."""

    sketch: str
    percent: int

    @property
    def key(self) -> str:
        """The name its value has among the facts."""
        return f"{self.sketch}_p{self.percent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """How a figure is made of facts and quantiles: which it needs, and what it is of them over `seconds` of range."""

    facts: tuple[str, ...]
    value: Callable[[Facts, float], Number]
    quantiles: tuple[Quantile, ...] = ()

    def __post_init__(self) -> None:
        unknown = [fact for fact in self.facts if fact not in FACTS_BY_KEY]
        unknown += [one.sketch for one in self.quantiles if one.sketch not in SKETCHES_BY_KEY]
        if unknown:
            raise ValueError(f"no such fact: {unknown}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure: its permanent key, unit, what it is made of, and what it says."""

    key: str
    unit: Unit
    of: Expression
    description: str
    nullable: bool = False


def fact(key: str) -> Expression:
    """Return the expression that is a fact itself."""
    return Expression(facts=(key,), value=lambda facts, _seconds: facts[key])


def total(*keys: str) -> Expression:
    """Return the sum of several facts."""
    return Expression(facts=keys, value=lambda facts, _seconds: sum(facts[key] for key in keys))


def percentile(sketch: str, percent: int) -> Expression:
    """Return a percentile; `None` over nothing. It is kept within the sketch's extremes, which it therefore needs."""
    quantile = Quantile(sketch=sketch, percent=percent)
    return Expression(
        facts=(f"{sketch}_min", f"{sketch}_max"),
        quantiles=(quantile,),
        value=lambda facts, _seconds: facts[quantile.key],
    )


def mean(total: str, count: str) -> Expression:
    """Return total over count with at most 3 decimals; `None` over nothing."""
    return Expression(
        facts=(total, count),
        value=lambda facts, _seconds: _quotient(facts[total], facts[count], 3) if facts[count] else None,
    )


def ratio(part: str, whole: str) -> Expression:
    """Return part over whole with at most 6 decimals; 0 over nothing."""
    return Expression(
        facts=(part, whole),
        value=lambda facts, _seconds: _quotient(facts[part], facts[whole], 6) if facts[whole] else Decimal(0),
    )


def per_second(*keys: str) -> Expression:
    """Return the sum of facts over the length of the range with at most 6 decimals."""
    return Expression(
        facts=keys,
        value=lambda facts, seconds: _quotient(sum(facts[key] for key in keys), Decimal(str(seconds)), 6),
    )


def _quotient(part: int, whole: int | Decimal, decimals: int) -> Decimal:
    return (Decimal(part) / Decimal(whole)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)


def _milliseconds(key: str, of: str | Expression, description: str) -> Measure:
    expression = of if isinstance(of, Expression) else fact(of)
    return Measure(key=key, unit=Unit.MILLISECONDS, of=expression, description=description, nullable=True)


MEASURES: tuple[Measure, ...] = (
    Measure(key="request_count", unit=Unit.COUNT, of=fact("request_count"), description="Model calls, each once."),
    _milliseconds("avg_latency_ms", mean("duration_sum", "request_count"), "Mean duration of requests."),
    _milliseconds("min_latency_ms", "duration_min", "Shortest request."),
    _milliseconds("max_latency_ms", "duration_max", "Longest request."),
    _milliseconds("p50_latency_ms", percentile("duration", 50), "Half of the requests took at most this."),
    _milliseconds("p95_latency_ms", percentile("duration", 95), "95 % of the requests took at most this."),
    _milliseconds("p99_latency_ms", percentile("duration", 99), "99 % of the requests took at most this."),
    _milliseconds("avg_ttft_ms", mean("ttft_sum", "ttft_count"), "Mean time to the first token where it is known."),
    _milliseconds("p50_ttft_ms", percentile("ttft", 50), "Median time to the first token."),
    _milliseconds("p95_ttft_ms", percentile("ttft", 95), "95th percentile of the time to the first token."),
    _milliseconds("p99_ttft_ms", percentile("ttft", 99), "99th percentile of the time to the first token."),
    Measure(
        key="error_rate",
        unit=Unit.RATE,
        of=ratio("error_count", "request_count"),
        description="Failed requests over all requests; 0 over none.",
    ),
    Measure(
        key="throughput_rps",
        unit=Unit.PER_SECOND,
        of=per_second("request_count"),
        description="Requests over the length of the range.",
    ),
    Measure(
        key="total_tokens", unit=Unit.COUNT, of=total(*TOKEN_PARTS), description="Tokens of counted usage, each once."
    ),
    Measure(
        key="tokens_per_second",
        unit=Unit.PER_SECOND,
        of=per_second(*TOKEN_PARTS),
        description="Tokens over the length of the range.",
    ),
)
BY_KEY: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}
