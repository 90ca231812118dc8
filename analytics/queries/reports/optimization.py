"""What could be better, with the numbers behind it: the rules over what was seen of a range, and a score."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analytics.queries.figures import Ask, ask
from analytics.queries.plans import Filter
from analytics.queries.reports.findings import RULES, Area, Finding, Model, Rule, Seen
from analytics.queries.reports.parts import figures_named, of_whole_range
from analytics.queries.reports.performance import metadata
from analytics.queries.reports.samples import cached_models, long_outputs, repeated_prompts, retried_traces
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, Kind, Tree, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.measures import Figure, figure
from analytics.scope import Scope

_FOUR = Decimal("0.0001")
CHEAP_REQUEST_USD, QUICK_MS, GOOD_SUCCESS = Decimal("0.005"), 1000, Decimal("0.95")
_FINDING = Tree(
    members={
        "title": leaf(Kind.TEXT),
        "description": leaf(Kind.TEXT),
        "impact": leaf(Kind.TEXT, "high, medium or low."),
        "potential_savings": leaf(Kind.MONEY, "Dollars over the range, where they can be worked out.", nullable=True),
        "effort": leaf(Kind.TEXT, "high, medium or low."),
        "priority": leaf(Kind.COUNT, "1 comes first."),
        "evidence": leaf(Kind.OBJECT, "The numbers behind it."),
    },
    many=True,
)
OPTIMIZATION = Tree(
    members={
        **{area.value: _FINDING for area in Area},
        "overall_score": leaf(Kind.NUMBER, "Mean of cost, performance and quality, each 0.5 or 1."),
    }
)
METADATA = Tree(members={**RANGE_MEMBERS, **ORIGIN_MEMBERS})
_OF_MODELS: Sequence[Figure] = (
    *figures_named(
        "request_count",
        "error_count",
        "success_rate",
        "avg_latency_ms",
        "total_cost",
        "prompt_cost",
        "completion_cost",
        "unpriced_requests",
    ),
    figure("prompt_tokens"),
    figure("completion_tokens"),
    figure("uncached_input_tokens", key="uncached"),
    figure("cache_read_tokens", key="cache_read"),
)
_OF_WHOLE: Sequence[Figure] = (
    *figures_named(
        "request_count",
        "error_count",
        "error_rate",
        "success_rate",
        "avg_latency_ms",
        "p95_latency_ms",
        "p95_ttft_ms",
        "total_cost",
        "avg_cost_per_request",
        "unpriced_requests",
    ),
    figure("time_to_first_token", "count", key="ttft_count"),
)


def optimization(
    *, scope: Scope, where: TimeRange, filters: Sequence[Filter] = (), wanted: Tree = OPTIMIZATION, ask: Ask = ask
) -> dict[str, Any]:
    """Return the members of `wanted`: what the rules found, first what matters most."""
    tails = figures_named("request_count", "p50_latency_ms", "p99_latency_ms")
    whole, models, operations = ask(
        of_whole_range(scope, where, filters, _OF_WHOLE),
        of_whole_range(scope, where, filters, _OF_MODELS, "provider", "model", "operation_name"),
        of_whole_range(scope, where, filters, tails, "operation_name", presence=("request_count",)),
    )
    known = [
        Model(provider=row.labels[0], model=row.labels[1], operation=row.labels[2], figures=models.figures_of(row))
        for row in models.rows
    ]
    seen = Seen(
        whole=whole.totals,
        models=known,
        operations=[
            Model(provider=None, model=None, operation=row.labels[0], figures=operations.figures_of(row))
            for row in operations.rows
        ],
        repeats=repeated_prompts(scope, whole.range, filters),
        retries=retried_traces(scope, whole.range, filters),
        outputs=long_outputs(scope, whole.range, filters),
        cached=cached_models({(one.provider, one.model) for one in known}),
    )
    body: dict[str, Any] = {area.value: [] for area in Area}
    for rule in sorted(RULES, key=lambda rule: rule.priority):
        body[rule.area.value] += [_shown(rule, one) for one in rule.find(seen)]
    body["overall_score"] = _score(seen.whole)
    return {**wanted.cut(body), "metadata": metadata(whole, models, operations)}


def _shown(rule: Rule, found: Finding) -> dict[str, Any]:
    return {
        "title": found.title,
        "description": found.description,
        "impact": rule.impact,
        "potential_savings": found.savings,
        "effort": rule.effort,
        "priority": rule.priority,
        "evidence": dict(found.evidence),
    }


def _score(whole: Mapping[str, Any]) -> Decimal:
    cost, latency = whole["avg_cost_per_request"], whole["avg_latency_ms"]
    good = [
        cost is None or cost < CHEAP_REQUEST_USD,
        latency is None or latency < QUICK_MS,
        not whole["request_count"] or whole["success_rate"] > GOOD_SUCCESS,
    ]
    points = sum((Decimal(1) if one else Decimal("0.5") for one in good), Decimal(0))
    return (points / len(good)).quantize(_FOUR, ROUND_HALF_UP)
