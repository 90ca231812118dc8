"""The rules of what could be better, as rows. One that finds nothing says nothing."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from analytics.queries.reports.parts import share
from analytics.queries.reports.samples import LongOutputs, Repeats, Retries
from errors.json import plain_decimal

Evidence = Mapping[str, Any]
_NINE = Decimal(1).scaleb(-9)

# Thresholds.
DEAR_REQUEST_USD = Decimal("0.01")
ENOUGH_REQUESTS, RELIABLE, AS_RELIABLE = 100, Decimal("0.99"), Decimal("0.005")
LONG_INPUT, READ_SHARE = 4000, Decimal("0.1")
SLOW_MS, SLOW_TTFT_MS = 2000, 2000
MANY_ERRORS = Decimal("0.05")
LONG_TAIL = 5
MOST_OF_A_RULE = 5


class Area(StrEnum):
    """What a finding makes better; the list of the reply that it is in."""

    COST = "cost_optimizations"
    PERFORMANCE = "performance_optimizations"
    QUALITY = "quality_optimizations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model did on one operation."""

    provider: str | None
    model: str | None
    operation: str | None
    figures: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.figures[key]

    @property
    def name(self) -> str:
        """The model as it is written."""
        return self.model or "unknown"

    @property
    def is_proven(self) -> bool:
        """Whether it was asked often enough, and well enough, to be recommended."""
        return bool(self["request_count"] >= ENOUGH_REQUESTS and self["success_rate"] >= RELIABLE)

    def cost_of(self, other: "Model") -> Decimal | None:
        """Return what the tokens of `other` would cost at the prices that this model was paid; `None`: not known."""
        if self["unpriced_requests"] or not self["total_cost"] or not self["prompt_tokens"]:
            return None
        if other["completion_tokens"] and not self["completion_tokens"]:
            return None
        prompt = self["prompt_cost"] * other["prompt_tokens"] / self["prompt_tokens"]
        if not other["completion_tokens"]:
            return Decimal(prompt)
        return Decimal(prompt + self["completion_cost"] * other["completion_tokens"] / self["completion_tokens"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that the rules look at: the whole range, models by operation, the latencies of operations, samples."""

    whole: Mapping[str, Any]
    models: Sequence[Model]
    operations: Sequence[Model]
    repeats: Repeats
    retries: Retries
    outputs: Sequence[LongOutputs]
    cached: frozenset[tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found: its sentences, what it would save, and the numbers behind it."""

    title: str
    description: str
    evidence: Evidence
    savings: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How something that could be better is found, and how much it matters."""

    area: Area
    impact: str
    effort: str
    priority: int
    find: Callable[[Seen], Sequence[Finding]]


def _dear_requests(seen: Seen) -> Sequence[Finding]:
    average = seen.whole["avg_cost_per_request"]
    if average is None or average <= DEAR_REQUEST_USD:
        return []
    everything = _merged(seen.models)
    proven = [one for one in _by_model(seen.models) if one.is_proven]
    costs = [(cost, one) for one in proven if (cost := one.cost_of(everything)) is not None]
    cost, best = min(costs, key=lambda pair: (pair[0], pair[1].name), default=(None, None))
    cheaper = cost is not None and cost < seen.whole["total_cost"]
    return [
        Finding(
            title="Lower the cost of a request",
            description=f"A request costs ${plain_decimal(average)} on average."
            + (f" The same tokens would cost less with {best.name}." if best and cheaper else ""),
            savings=_money(seen.whole["total_cost"] - cost) if cost is not None and cheaper else None,
            evidence={
                "avg_cost_per_request": average,
                "total_cost": seen.whole["total_cost"],
                "cheapest_model": best.name if best and cheaper else None,
                "cost_with_it": _money(cost) if cost is not None and cheaper else None,
            },
        )
    ]


def _cheaper_models(seen: Seen) -> Sequence[Finding]:
    by_operation: dict[str | None, list[Model]] = defaultdict(list)
    for one in seen.models:
        if one["request_count"] >= ENOUGH_REQUESTS and one["total_cost"]:
            by_operation[one.operation].append(one)
    found = [
        (saved, one, other)
        for models in by_operation.values()
        for one in models
        for other in models
        if other["success_rate"] >= one["success_rate"] - AS_RELIABLE
        and (cost := other.cost_of(one)) is not None
        and (saved := one["total_cost"] - cost) > 0
    ]
    best = {(one.name, one.operation): (saved, one, other) for saved, one, other in sorted(found, key=lambda f: f[0])}
    ordered = sorted(best.values(), key=lambda item: item[0], reverse=True)[:MOST_OF_A_RULE]
    return [
        Finding(
            title=f"Use {other.name} instead of {one.name} for {one.operation or 'these calls'}",
            description=f"{other.name} does the same operation as reliably for less.",
            savings=_money(saved),
            evidence={
                "operation_name": one.operation,
                "model": one.name,
                "requests": one["request_count"],
                "success_rate": one["success_rate"],
                "cost": one["total_cost"],
                "cheaper_model": other.name,
                "cheaper_requests": other["request_count"],
                "cheaper_success_rate": other["success_rate"],
                "cheaper_avg_latency_ms": other["avg_latency_ms"],
                "avg_latency_ms": one["avg_latency_ms"],
                "cost_with_it": _money(one["total_cost"] - saved),
            },
        )
        for saved, one, other in ordered
    ]


def _repeated_prompts(seen: Seen) -> Sequence[Finding]:
    found = seen.repeats
    if not found.repeated or not found.cost:
        return []
    return [
        Finding(
            title="Answer repeated prompts from a cache",
            description=f"Of the newest {found.sampled} requests with text, {found.repeated} asked again what the same"
            " model had answered before.",
            savings=found.cost,
            evidence={
                "sampled_requests": found.sampled,
                "repeated_requests": found.repeated,
                "prompts": found.prompts,
                "cost_of_repeats": found.cost,
            },
        )
    ]


def _unread_cache(seen: Seen) -> Sequence[Finding]:
    found = []
    for one in _by_model(seen.models):
        requests, prompt = one["request_count"], one["prompt_tokens"]
        if not requests or not prompt or (one.provider, one.model) not in seen.cached:
            continue
        average, read = one["uncached"] / requests, Decimal(one["cache_read"]) / prompt
        if average > LONG_INPUT and read < READ_SHARE:
            found.append(
                Finding(
                    title=f"Cache the input of {one.name}",
                    description="Its inputs are long, hardly any of them is read from the provider's cache, and its"
                    " price for cached input is lower.",
                    evidence={
                        "model": one.name,
                        "requests": requests,
                        "avg_uncached_input_tokens": round(average),
                        "cache_read_percentage": share(one["cache_read"], prompt),
                    },
                )
            )
    return found[:MOST_OF_A_RULE]


def _unpriced(seen: Seen) -> Sequence[Finding]:
    count = seen.whole["unpriced_requests"]
    if not count:
        return []
    return [
        Finding(
            title="Give every model a price",
            description=f"{count} requests have no cost, so totals are too low. See /api/v1/costs/unpriced.",
            evidence={"unpriced_requests": count, "request_count": seen.whole["request_count"]},
        )
    ]


def _long_outputs(seen: Seen) -> Sequence[Finding]:
    return [
        Finding(
            title=f"Bound the output of {one.model or 'unknown'}",
            description=f"Of its newest {one.sampled} answers, {one.outliers} are longer than {one.times} times their"
            f" median of {one.median} tokens.",
            evidence={
                "model": one.model,
                "sampled_requests": one.sampled,
                "median_completion_tokens": one.median,
                "p99_completion_tokens": one.p99,
                "outliers": one.outliers,
                "outlier_completion_tokens": one.outlier_tokens,
                "outlier_tokens_percentage": share(one.outlier_tokens, one.tokens),
            },
        )
        for one in seen.outputs[:MOST_OF_A_RULE]
    ]


def _slow(seen: Seen) -> Sequence[Finding]:
    average = seen.whole["avg_latency_ms"]
    if average is None or average <= SLOW_MS:
        return []
    return [
        Finding(
            title="Lower the latency of requests",
            description=f"A request takes {plain_decimal(average)} ms on average.",
            evidence={"avg_latency_ms": average, "p95_latency_ms": seen.whole["p95_latency_ms"]},
        )
    ]


def _slow_first_token(seen: Seen) -> Sequence[Finding]:
    value = seen.whole["p95_ttft_ms"]
    if value is None or value <= SLOW_TTFT_MS:
        return []
    return [
        Finding(
            title="Bring the first token sooner",
            description=f"Of streamed requests 5 % wait more than {value} ms for their first token.",
            evidence={"p95_ttft_ms": value, "streamed_requests": seen.whole["ttft_count"]},
        )
    ]


def _slow_tails(seen: Seen) -> Sequence[Finding]:
    found = [
        one
        for one in seen.operations
        if one["request_count"] >= ENOUGH_REQUESTS
        and one["p99_latency_ms"] > SLOW_MS
        and one["p99_latency_ms"] > LONG_TAIL * one["p50_latency_ms"]
    ]
    return [
        Finding(
            title=f"Look at the slowest calls of {one.operation or 'no operation'}",
            description=f"1 % of them take more than {one['p99_latency_ms']} ms, half at most {one['p50_latency_ms']}.",
            evidence={
                "operation_name": one.operation,
                "requests": one["request_count"],
                "p50_latency_ms": one["p50_latency_ms"],
                "p99_latency_ms": one["p99_latency_ms"],
            },
        )
        for one in sorted(found, key=lambda one: one["p99_latency_ms"], reverse=True)[:MOST_OF_A_RULE]
    ]


def _errors(seen: Seen) -> Sequence[Finding]:
    rate = seen.whole["error_rate"]
    if rate <= MANY_ERRORS:
        return []
    worst = max(seen.models, key=lambda one: one["error_count"])
    return [
        Finding(
            title="Lower the share of failed requests",
            description=f"{plain_decimal(share(seen.whole['error_count'], seen.whole['request_count']))} % of the"
            f" requests fail, most of them with {worst.name}.",
            evidence={
                "error_rate": rate,
                "error_count": seen.whole["error_count"],
                "model_with_most_errors": worst.name,
                "its_errors": worst["error_count"],
            },
        )
    ]


def _retries(seen: Seen) -> Sequence[Finding]:
    found = seen.retries
    if not found.traces:
        return []
    return [
        Finding(
            title="Stop retries that keep failing",
            description=f"Of the newest {found.sampled} failed requests, {found.failures} are in {found.traces} traces"
            f" in which the same model failed {found.least} times or more.",
            savings=found.cost or None,
            evidence={
                "sampled_failures": found.sampled,
                "traces": found.traces,
                "failed_requests": found.failures,
                "cost_of_failures": found.cost,
            },
        )
    ]


RULES: tuple[Rule, ...] = (
    Rule(area=Area.COST, impact="high", effort="medium", priority=1, find=_dear_requests),
    Rule(area=Area.COST, impact="high", effort="medium", priority=1, find=_cheaper_models),
    Rule(area=Area.COST, impact="medium", effort="low", priority=2, find=_unread_cache),
    Rule(area=Area.COST, impact="medium", effort="low", priority=2, find=_repeated_prompts),
    Rule(area=Area.COST, impact="medium", effort="low", priority=2, find=_long_outputs),
    Rule(area=Area.COST, impact="low", effort="low", priority=3, find=_unpriced),
    Rule(area=Area.PERFORMANCE, impact="high", effort="medium", priority=1, find=_slow),
    Rule(area=Area.PERFORMANCE, impact="medium", effort="medium", priority=2, find=_slow_first_token),
    Rule(area=Area.PERFORMANCE, impact="medium", effort="medium", priority=2, find=_slow_tails),
    Rule(area=Area.QUALITY, impact="high", effort="high", priority=1, find=_errors),
    Rule(area=Area.QUALITY, impact="medium", effort="medium", priority=2, find=_retries),
)
_SUMS = (
    "request_count",
    "error_count",
    "prompt_tokens",
    "completion_tokens",
    "uncached",
    "cache_read",
    "unpriced_requests",
)


def _by_model(models: Sequence[Model]) -> list[Model]:
    """Return each model over all of its operations."""
    groups: dict[tuple[str | None, str | None], list[Model]] = defaultdict(list)
    for one in models:
        groups[one.provider, one.model].append(one)
    return [_merged(group) for group in groups.values()]


def _merged(models: Sequence[Model]) -> Model:
    sums: dict[str, Any] = {key: sum(one[key] for one in models) for key in _SUMS}
    for key in ("total_cost", "prompt_cost", "completion_cost"):
        sums[key] = sum((one[key] or Decimal(0) for one in models), Decimal(0))
    requests = sums["request_count"]
    sums["success_rate"] = Decimal(requests - sums["error_count"]) / requests if requests else Decimal(0)
    return Model(provider=models[0].provider, model=models[0].model, operation=None, figures=sums)


def _money(value: Decimal) -> Decimal:
    return value.quantize(_NINE, ROUND_HALF_UP)
