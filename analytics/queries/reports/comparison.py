"""Models beside each other: latency, cost, quality, throughput and tokens, and which does best in what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from analytics.queries.figures import Answer, Ask, ask
from analytics.queries.plans import Filter, Operator
from analytics.queries.reports.parts import figures_named, of_whole_range
from analytics.queries.reports.performance import metadata
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, Kind, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.measures import FIGURES
from analytics.scope import Scope
from errors.json import plain_decimal

# Metrics as asked for, and the figures that each shows.
METRICS: Mapping[str, Sequence[str]] = {
    "latency": ("avg_latency_ms", "p95_latency_ms"),
    "cost": ("avg_cost_usd", "total_cost_usd", "unpriced_requests"),
    "quality": ("success_rate",),
    "throughput": ("throughput_rps",),
    "token_usage": ("total_tokens",),
}
NOBODY = "N/A"
BEST_SUCCESS, BEST_LATENCY_MS, BEST_COST_USD = Decimal("0.99"), 2000, Decimal("0.01")
COMPARISON = Tree(
    members={
        "models": Tree(
            members={
                "model": leaf(Kind.TEXT, nullable=True),
                "provider": leaf(Kind.TEXT, nullable=True),
                "metrics": Tree(members=figures(*(key for keys in METRICS.values() for key in keys), "request_count")),
            },
            many=True,
            description="In the order asked for; those without data are left out.",
        ),
        "summary": Tree(
            members={
                "fastest_model": leaf(Kind.TEXT),
                "cheapest_model": leaf(Kind.TEXT),
                "most_reliable_model": leaf(Kind.TEXT),
                "recommendations": leaf(Kind.TEXT, many=True),
            }
        ),
    }
)
METADATA = Tree(members={**RANGE_MEMBERS, **ORIGIN_MEMBERS})
_JUDGED = ("avg_latency_ms", "avg_cost_usd", "success_rate", "request_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    provider: str | None
    model: str | None
    figures: Mapping[str, Any]

    def answers_to(self, name: str) -> bool:
        return name in {self.model, f"{self.provider}/{self.model}"}


def comparison(
    *,
    scope: Scope,
    where: TimeRange,
    models: Sequence[str],
    metrics: Sequence[str] = tuple(METRICS),
    filters: Sequence[Filter] = (),
    wanted: Tree = COMPARISON,
    ask: Ask = ask,
) -> dict[str, Any]:
    """Return the members of `wanted` for `models` (`model`, `provider/model`), with the figures of `metrics`."""
    shown = {key for metric in metrics for key in METRICS[metric]} | {"request_count"}
    asked = [one for one in wanted.tree("models").tree("metrics").figures if one.key in shown]
    judged = figures_named(*_JUDGED) if "summary" in wanted else [FIGURES["request_count"]]
    names = {part for name in models for part in (name, name.partition("/")[2]) if part}
    (answer,) = ask(
        of_whole_range(
            scope,
            where,
            [*filters, Filter(dimension=DIMENSIONS["model"], operator=Operator.IN, values=tuple(sorted(names)))],
            list({one.key: one for one in (*asked, *judged)}.values()),
            "provider",
            "model",
        )
    )
    found = _found(answer, models)
    keys = [one.key for one in asked]
    body = {
        "models": [
            {
                "model": one.model,
                "provider": one.provider,
                "metrics": {key: one.figures[key] for key in keys},
            }
            for one in found
        ],
        "summary": _summary(found) if "summary" in wanted else None,
    }
    return {**wanted.cut(body), "metadata": metadata(answer)}


def _found(answer: Answer, names: Sequence[str]) -> list[_Model]:
    known = [_Model(provider=row.labels[0], model=row.labels[1], figures=answer.figures_of(row)) for row in answer.rows]
    counted = [one for one in known if one.figures["request_count"]]
    ordered = [one for name in names for one in counted if one.answers_to(name)]
    return list({(one.provider, one.model): one for one in ordered}.values())


def _best(models: Sequence[_Model], key: str, *, most: bool = False) -> _Model | None:
    """Return the model with the least (or most) of a figure; ties go to more requests, then to the name."""
    known = [one for one in models if one.figures[key] is not None]
    sign: Callable[[Any], Any] = (lambda value: -value) if most else (lambda value: value)
    return min(
        known,
        key=lambda one: (sign(one.figures[key]), -one.figures["request_count"], one.model or "", one.provider or ""),
        default=None,
    )


def _summary(models: Sequence[_Model]) -> dict[str, Any]:
    fastest, cheapest = _best(models, "avg_latency_ms"), _best(models, "avg_cost_usd")
    return {
        "fastest_model": _name(fastest),
        "cheapest_model": _name(cheapest),
        "most_reliable_model": _name(_best(models, "success_rate", most=True)),
        "recommendations": list(_recommendations(models, fastest, cheapest)),
    }


def _name(model: _Model | None) -> str:
    return NOBODY if model is None else model.model or NOBODY


def _recommendations(models: Sequence[_Model], fastest: _Model | None, cheapest: _Model | None) -> list[str]:
    told = []
    if fastest and cheapest and fastest != cheapest:
        latency = plain_decimal(fastest.figures["avg_latency_ms"])
        cost = plain_decimal(cheapest.figures["avg_cost_usd"])
        told += [
            f"Use {_name(fastest)} where latency matters: {latency} ms on average.",
            f"Use {_name(cheapest)} where cost matters: ${cost} a request on average.",
        ]
    balanced = [
        one
        for one in models
        if one.figures["success_rate"] > BEST_SUCCESS
        and one.figures["avg_latency_ms"] < BEST_LATENCY_MS
        and one.figures["avg_cost_usd"] is not None
        and one.figures["avg_cost_usd"] < BEST_COST_USD
    ]
    best = _best(balanced, "avg_cost_usd")
    if best:
        told.append(f"{_name(best)} has the best balance of reliability, latency and cost.")
    return told
