"""What can be measured, as rows: SQL, replies, parameters, field selection and the schema are derived from these.

A measure is a subject with the aggregations that it admits: `duration` as mean, least, percentile. A figure is one
number: a measure, an aggregation, and the name under which a reply bears it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from analytics.registry.facts import DISTINCTS_BY_KEY, FACTS_BY_KEY, SKETCHES_BY_KEY, TOKEN_PARTS

Facts = Mapping[str, Any]
Number = int | Decimal | None
NANO = Decimal(1_000_000_000)
PERCENTS = (50, 90, 95, 99)


class Unit(StrEnum):
    """Units of figures."""

    COUNT = "count"
    TOKENS = "tokens"
    DOLLARS = "USD"
    MILLISECONDS = "ms"
    RATE = "rate"
    PER_SECOND = "per second"
    TIME = "time"
    TEXT = "text"


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
    """How a number is made of facts, quantiles and distinct counts: which it needs, and what it is of them.

    `value` is told the seconds of its range. `sql` says the same of columns with the facts' names and the parameter
    `seconds`; without it the server cannot sort by the number, for it is known only after sketches were merged.
    """

    facts: tuple[str, ...] = ()
    value: Callable[[Facts, Decimal], Number]
    quantiles: tuple[Quantile, ...] = ()
    distinct: str | None = None
    sql: str | None = None

    def __post_init__(self) -> None:
        unknown = [fact for fact in self.facts if fact not in FACTS_BY_KEY]
        unknown += [one.sketch for one in self.quantiles if one.sketch not in SKETCHES_BY_KEY]
        unknown += [self.distinct] if self.distinct and self.distinct not in DISTINCTS_BY_KEY else []
        if unknown:
            raise ValueError(f"no such fact: {unknown}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Something to measure: its permanent key, its unit, and what each aggregation of it is; the first is the default.

    `nullable` aggregations have no value over nothing.
    """

    key: str
    unit: Unit
    of: Mapping[str, Expression]
    description: str
    nullable: bool = False

    @property
    def default(self) -> str:
        """The aggregation that is meant when none is named."""
        return next(iter(self.of))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a reply: an aggregation of a measure under its name there."""

    key: str
    measure: Measure
    aggregation: str

    def __post_init__(self) -> None:
        if self.aggregation not in self.measure.of:
            raise ValueError(f"{self.measure.key} has no {self.aggregation}")

    @property
    def of(self) -> Expression:
        """What the figure is made of."""
        return self.measure.of[self.aggregation]

    @property
    def nullable(self) -> bool:
        """Whether there may be no value."""
        return self.aggregation in {"avg", "min", "max", *(f"p{one}" for one in PERCENTS)} or self.measure.nullable

    @property
    def unit(self) -> Unit:
        """The unit of the number."""
        return Unit.COUNT if self.aggregation == "count" else self.measure.unit


def total(*keys: str) -> Expression:
    """Return the sum of facts."""
    if len(keys) == 1:
        return Expression(facts=keys, value=lambda facts, _seconds: facts[keys[0]], sql=keys[0])
    return Expression(
        facts=keys, value=lambda facts, _seconds: sum([facts[key] for key in keys]), sql=f"({' + '.join(keys)})"
    )


def difference(whole: str, part: str) -> Expression:
    """Return one fact less another."""
    return Expression(
        facts=(whole, part), value=lambda facts, _seconds: facts[whole] - facts[part], sql=f"({whole} - {part})"
    )


def cost(key: str) -> Expression:
    """Return a sum of costs in dollars: 0 over nothing, `None` over what has no price at all."""
    return Expression(
        facts=(key, "priced_count", "usage_count", "unpriced_count"),
        value=lambda facts, _seconds: (
            Decimal(facts[key]).scaleb(-9)
            if facts["priced_count"] or not (facts["usage_count"] or facts["unpriced_count"])
            else None
        ),
        sql=f"CASE WHEN priced_count > 0 OR usage_count + unpriced_count = 0 THEN {key} / 1000000000::numeric END",
    )


def mean(keys: Iterable[str], count: str, *, decimals: int = 3) -> Expression:
    """Return the sum of facts over their count, rounded; `None` over nothing."""
    parts = tuple(keys)
    first, rest = parts[0], parts[1:]
    return Expression(
        facts=(*parts, count),
        value=lambda facts, _seconds: (
            _quotient(facts[first] + sum([facts[key] for key in rest]) if rest else facts[first], whole, decimals)
            if (whole := facts[count])
            else None
        ),
        sql=f"round(({' + '.join(parts)})::numeric / nullif({count}, 0), {decimals})",
    )


def mean_cost(key: str) -> Expression:
    """Return the mean cost in dollars of what has a price; `None` without any."""
    return Expression(
        facts=(key, "priced_count"),
        value=lambda facts, _seconds: (
            _quotient(facts[key], facts["priced_count"], 0) / NANO if facts["priced_count"] else None
        ),
        sql=f"round({key}::numeric / nullif(priced_count, 0)) / 1000000000::numeric",
    )


def ratio(part: str, whole: str, *, complement: bool = False) -> Expression:
    """Return part over whole (or the rest of it over whole) with at most 6 decimals; 0 over nothing."""

    def value(facts: Facts, _seconds: Decimal) -> Number:
        counted = facts[whole] - facts[part] if complement else facts[part]
        return _quotient(counted, facts[whole], 6) if facts[whole] else Decimal(0)

    counted = f"({whole} - {part})" if complement else part
    return Expression(
        facts=(part, whole), value=value, sql=f"coalesce(round({counted}::numeric / nullif({whole}, 0), 6), 0)"
    )


def per_second(*keys: str) -> Expression:
    """Return the sum of facts over the length of the range with at most 6 decimals."""
    return Expression(
        facts=keys,
        value=lambda facts, seconds: _quotient(sum([facts[key] for key in keys]), seconds, 6),
        sql=f"round(({' + '.join(keys)})::numeric / %(seconds)s, 6)",
    )


def percentile(sketch: str, percent: int, *, money: bool = False) -> Expression:
    """Return a percentile; `None` over nothing. It is kept within the sketch's extremes, which it therefore needs."""
    quantile = Quantile(sketch=sketch, percent=percent)
    return Expression(
        facts=(f"{sketch}_min", f"{sketch}_max"),
        quantiles=(quantile,),
        value=_dollars(quantile.key) if money else lambda facts, _seconds: facts[quantile.key],
    )


def extreme(key: str, *, money: bool = False) -> Expression:
    """Return the least or greatest value; `None` over nothing."""
    if money:
        return Expression(facts=(key,), value=_dollars(key), sql=f"{key} / 1000000000::numeric")
    return total(key)


def distinct(key: str) -> Expression:
    """Return how many different values there are."""
    return Expression(distinct=key, value=lambda facts, _seconds: facts[f"{key}_distinct"])


def _dollars(key: str) -> Callable[[Facts, Decimal], Number]:
    return lambda facts, _seconds: None if facts[key] is None else Decimal(facts[key]) / NANO


_UNITS = [Decimal(1).scaleb(-decimals) for decimals in range(10)]


def _quotient(part: int, whole: int | Decimal, decimals: int) -> Decimal:
    # Half away from zero, as the server rounds: a condition on a figure and the figure shown agree.
    return (Decimal(part) / whole).quantize(_UNITS[decimals], ROUND_HALF_UP)


def _spread(sketch: str, *, money: bool = False) -> dict[str, Expression]:
    return {
        "min": extreme(f"{sketch}_min", money=money),
        "max": extreme(f"{sketch}_max", money=money),
        **{f"p{percent}": percentile(sketch, percent, money=money) for percent in PERCENTS},
    }


def _latency(key: str, sketch: str, count: str, description: str) -> Measure:
    of = {"avg": mean([f"{sketch}_sum"], count), "sum": total(f"{sketch}_sum"), "count": total(count)}
    return Measure(key=key, unit=Unit.MILLISECONDS, of=of | _spread(sketch), description=description)


def _count(key: str, of: Expression, description: str) -> Measure:
    return Measure(key=key, unit=Unit.COUNT, of={"sum": of}, description=description)


def _rate(key: str, of: Expression, description: str, unit: Unit = Unit.RATE) -> Measure:
    return Measure(key=key, unit=unit, of={"ratio": of}, description=description)


def _cost(key: str, description: str) -> Measure:
    column = f"{key}_nanousd"
    return Measure(
        key=key,
        unit=Unit.DOLLARS,
        of={"sum": cost(column), "avg": mean_cost(column)} | _spread(key, money=True),
        description=description,
        nullable=True,
    )


def _tokens(key: str, parts: tuple[str, ...], description: str) -> Measure:
    of = {"sum": total(*parts), "avg": mean(parts, "usage_count")}
    return Measure(key=key, unit=Unit.TOKENS, of=of | _spread(key), description=description)


def _distinct(key: str, of: str, description: str) -> Measure:
    return Measure(key=key, unit=Unit.COUNT, of={"distinct": distinct(of)}, description=description)


MEASURES: tuple[Measure, ...] = (
    _count("request_count", total("request_count"), "Requests: model calls, each once."),
    _count("error_count", total("error_count"), "Requests with status ERROR."),
    _count("success_count", difference("request_count", "error_count"), "Requests with any other status."),
    _count("unpriced_count", total("unpriced_count"), "Spans that should have a cost and have none."),
    _latency("duration", "duration", "request_count", "How long requests took."),
    _latency("time_to_first_token", "ttft", "ttft_count", "Time to the first token, of requests where it is known."),
    _cost("total_cost", "Cost by the price book; `avg` is the mean of what has a price."),
    _cost("prompt_cost", "Cost of the prompt."),
    _cost("completion_cost", "Cost of the completion."),
    _tokens("total_tokens", TOKEN_PARTS, "Tokens of counted usage, each once."),
    _tokens("prompt_tokens", TOKEN_PARTS[:5], "Tokens of the prompt, cached ones included."),
    _tokens("completion_tokens", TOKEN_PARTS[5:], "Tokens of the completion, reasoning included."),
    _tokens("uncached_input_tokens", TOKEN_PARTS[:1], "Input tokens that no cache held."),
    _tokens("cache_read_tokens", TOKEN_PARTS[1:2], "Input tokens read from the provider's cache."),
    _tokens("cache_write_tokens", TOKEN_PARTS[2:4], "Input tokens written to the provider's cache."),
    _tokens("reasoning_tokens", TOKEN_PARTS[6:7], "Output tokens spent on reasoning."),
    _rate("error_rate", ratio("error_count", "request_count"), "Failed requests over all requests; 0 over none."),
    _rate(
        "success_rate",
        ratio("error_count", "request_count", complement=True),
        "Successful requests over all requests; 0 over none.",
    ),
    _rate("throughput", per_second("request_count"), "Requests over the length of the range.", Unit.PER_SECOND),
    _rate("token_throughput", per_second(*TOKEN_PARTS), "Tokens over the length of the range.", Unit.PER_SECOND),
    _distinct("unique_users", "users", "Different users of spans."),
    _distinct("unique_sessions", "sessions", "Different sessions of spans."),
)
BY_KEY: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}

# Other names of aggregations.
AGGREGATIONS: tuple[str, ...] = ("avg", "sum", "min", "max", "count", *(f"p{percent}" for percent in PERCENTS))
AGGREGATION_ALIASES: Mapping[str, str] = {"average": "avg", "total": "sum", "median": "p50"}


def figure(measure: str, aggregation: str | None = None, *, key: str | None = None) -> Figure:
    """Return an aggregation of a measure, by default its own, under `key` or the measure's key."""
    found = BY_KEY[measure]
    return Figure(key=key or measure, measure=found, aggregation=aggregation or found.default)


def _single(key: str, unit: Unit, description: str) -> Figure:
    """Return a figure that only lists have."""
    measure = Measure(key=key, unit=unit, of={"value": total(key)}, description=description, nullable=True)
    return Figure(key=key, measure=measure, aggregation="value")


# What lists tell besides; they are no measures, for nothing else can be asked of them.
OF_LISTS: Mapping[str, Figure] = {
    one.key: one
    for one in (
        _single("first_ts", Unit.TIME, "Start of the first span."),
        _single("last_ts", Unit.TIME, "Start of the last span."),
        _single("trace_count", Unit.COUNT, "Traces."),
        _single("session_count", Unit.COUNT, "Sessions."),
        _single("user_min", Unit.TEXT, "User; the first in alphabetical order of several."),
        _single("unpriced_min", Unit.TIME, "Start of the first span without a price."),
        _single("unpriced_max", Unit.TIME, "Start of the last span without a price."),
    )
}


def _named(rows: Iterable[tuple[str, str, str | None]]) -> dict[str, Figure]:
    return {key: figure(measure, aggregation, key=key) for key, measure, aggregation in rows}


# Figures by the names that replies have for them; every route that shows one shows this one.
FIGURES: Mapping[str, Figure] = _named(
    (
        ("request_count", "request_count", None),
        ("total_requests", "request_count", None),
        ("requests", "request_count", None),
        ("error_count", "error_count", None),
        ("failed_requests", "error_count", None),
        ("success_count", "success_count", None),
        ("successful_requests", "success_count", None),
        ("unpriced_requests", "unpriced_count", None),
        ("avg_latency_ms", "duration", "avg"),
        ("min_latency_ms", "duration", "min"),
        ("max_latency_ms", "duration", "max"),
        ("p50_latency_ms", "duration", "p50"),
        ("p95_latency_ms", "duration", "p95"),
        ("p99_latency_ms", "duration", "p99"),
        ("avg_duration_ms", "duration", "avg"),
        ("p50_duration_ms", "duration", "p50"),
        ("p95_duration_ms", "duration", "p95"),
        ("p99_duration_ms", "duration", "p99"),
        ("avg_ttft_ms", "time_to_first_token", "avg"),
        ("p50_ttft_ms", "time_to_first_token", "p50"),
        ("p95_ttft_ms", "time_to_first_token", "p95"),
        ("p99_ttft_ms", "time_to_first_token", "p99"),
        ("error_rate", "error_rate", None),
        ("success_rate", "success_rate", None),
        ("throughput_rps", "throughput", None),
        ("total_tokens", "total_tokens", None),
        ("tokens_per_second", "token_throughput", None),
        ("total_cost_usd", "total_cost", None),
        ("avg_cost_usd", "total_cost", "avg"),
        ("total_cost", "total_cost", None),
        ("prompt_cost", "prompt_cost", None),
        ("completion_cost", "completion_cost", None),
        ("avg_cost_per_request", "total_cost", "avg"),
        ("unique_users", "unique_users", None),
        ("unique_sessions", "unique_sessions", None),
    )
)
