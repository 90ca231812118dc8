"""Demo data by the hour, as the query core would give it, without the way through ingest and rollups."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import NamedTuple

from analytics.anomalies.detection import Hour
from analytics.anomalies.watching import WHOLE, Series
from analytics.management.demo.generator import demo_traces
from analytics.management.demo.rhythm import SECOND_NS
from analytics.management.demo.shapes import Kind
from benchmarks.incidents import Hours

DAYS, TRACES_PER_DAY = 14, 500
# Dollars per million tokens, in and out: what matters is that some models are far dearer than others.
PRICES = {
    "gpt-4o": ("2.5", "10"),
    "gpt-4o-mini": ("0.15", "0.6"),
    "claude-sonnet-4-5": ("3", "15"),
    "claude-haiku-4-5": ("1", "5"),
    "gemini-2.5-flash": ("0.3", "2.5"),
    "mistral-medium-latest": ("0.4", "2"),
    "text-embedding-3-small": ("0.02", "0"),
}
_MILLION, _HOUR_S, _NS_OF_MS = 1_000_000, 3600, 1_000_000


class _Call(NamedTuple):
    duration_ms: int
    failed: bool
    tokens: int | None
    cost: Decimal


def demo_hours(end: datetime, *, seed: int) -> Mapping[str, Hours]:
    """Return the hours of each project of the demo by model, and of all its models together."""
    calls: dict[str, dict[Series, dict[datetime, list[_Call]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for project, series, hour, call in _calls(end, seed):
        for one in (series, WHOLE):
            calls[project][one][hour].append(call)
    return {
        project: {series: {hour: _hour(made) for hour, made in hours.items()} for series, hours in mine.items()}
        for project, mine in calls.items()
    }


def _calls(end: datetime, seed: int) -> Iterator[tuple[str, Series, datetime, _Call]]:
    for trace in demo_traces(days=DAYS, traces=DAYS * TRACES_PER_DAY, seed=seed, end=end):
        for span in trace.spans:
            if span.kind not in {Kind.CHAT, Kind.EMBEDDINGS}:
                continue
            model, usage = span.facts["model"], span.facts.get("usage")
            hour = datetime.fromtimestamp(span.start_ns // SECOND_NS // _HOUR_S * _HOUR_S, tz=UTC)
            paid, tokens = Decimal(0), None
            if usage is not None:
                numbers = usage["input"], usage.get("output", 0)
                tokens = sum(numbers)
                rates = map(Decimal, PRICES[model.name])
                paid = sum((number * rate for number, rate in zip(numbers, rates, strict=True)), Decimal(0)) / _MILLION
            call = _Call((span.end_ns - span.start_ns) // _NS_OF_MS, span.failure is not None, tokens, paid)
            yield trace.turn.session.shape.project, Series(model.provider, model.name), hour, call


def _hour(calls: Sequence[_Call]) -> Hour:
    latencies, errors = sorted(one.duration_ms for one in calls), sum(one.failed for one in calls)
    tokens = [one.tokens for one in calls if one.tokens is not None]
    return Hour(
        requests=len(calls),
        errors=errors,
        figures={
            "requests": len(calls),
            "error_rate": Decimal(errors) / len(calls),
            "latency_p95": _ranked(latencies, 95),
            "cost": sum((one.cost for one in calls), Decimal(0)),
            "tokens_per_request": Decimal(sum(tokens)) / len(tokens) if tokens else None,
            "p50": _ranked(latencies, 50),
            "p90": _ranked(latencies, 90),
        },
    )


def _ranked(ascending: Sequence[int], percent: int) -> int:
    return ascending[ceil(percent * len(ascending) / 100) - 1]
