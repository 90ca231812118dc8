"""A period beside the one before it: figures, changes, what costs, fails and takes most."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analytics.queries.figures import Answer, Ask, ask
from analytics.queries.plans import Filter, Question
from analytics.queries.reports.parts import (
    ERRORS,
    change,
    errors_by_type,
    errors_shown,
    of_whole_range,
    share,
)
from analytics.queries.reports.performance import metadata
from analytics.queries.reports.samples import error_messages
from analytics.queries.reports.tables import DISTINCT_LEAF
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, Kind, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.measures import FIGURES, Figure, figure
from analytics.registry.sketches import DISTINCT_ERROR
from analytics.scope import Scope

_PERIOD = {
    **RANGE_MEMBERS,
    **figures(
        "total_requests",
        "total_cost_usd",
        "total_tokens",
        "avg_duration_ms",
        "p95_duration_ms",
        "error_rate",
        "success_rate",
        "unique_users",
        "unique_sessions",
        "unpriced_requests",
    ),
}
# What is changed by how much: the figure of both periods.
_CHANGES: Mapping[str, Figure] = {
    "requests_change_pct": FIGURES["total_requests"],
    "cost_change_pct": FIGURES["total_cost_usd"],
    "duration_change_pct": FIGURES["avg_duration_ms"],
    "error_rate_change_pct": FIGURES["error_rate"],
}
# What items are first by: the figure shown, and the one whose shares are told.
_TOP: Mapping[str, tuple[Figure, Figure]] = {
    "by_cost": (FIGURES["total_cost_usd"], FIGURES["total_cost_usd"]),
    "by_requests": (FIGURES["total_requests"], FIGURES["total_requests"]),
    "by_duration": (FIGURES["avg_duration_ms"], figure("duration", "sum", key="duration_sum")),
    "by_errors": (FIGURES["error_count"], FIGURES["error_count"]),
}
MOST_ITEMS = 10
_ITEMS = Tree(
    members={
        "provider": leaf(Kind.TEXT, nullable=True),
        "model": leaf(Kind.TEXT, nullable=True),
        "value": leaf(Kind.NUMBER),
        "percentage": leaf(Kind.PERCENT, "Share of the whole; of durations, of the time spent."),
    },
    many=True,
)
SUMMARY = Tree(
    members={
        "current_period": Tree(members=_PERIOD),
        "previous_period": Tree(members=_PERIOD, nullable=True, description="The same length before."),
        "changes": Tree(members={key: leaf(Kind.PERCENT, nullable=True) for key in _CHANGES}, nullable=True),
        "top_items": Tree(members=dict.fromkeys(_TOP, _ITEMS)),
        "quality": Tree(
            members={
                **figures("error_count", "success_count", "error_rate", "success_rate"),
                "most_common_errors": ERRORS,
            }
        ),
    }
)
METADATA = Tree(members={**RANGE_MEMBERS, **ORIGIN_MEMBERS, "distinct_error": DISTINCT_LEAF})


def summary(
    *,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter] = (),
    compare: bool = True,
    wanted: Tree = SUMMARY,
    ask: Ask = ask,
) -> dict[str, Any]:
    """Return the members of `wanted`; with `compare`, beside the period before."""
    before = TimeRange(start=where.start - (where.end - where.start), end=where.start)
    quality = wanted.tree("quality")
    changed = [_CHANGES[name] for name in wanted.tree("changes").members] if compare else []

    def over(period: TimeRange, *shown: Figure) -> Question:
        return of_whole_range(scope, period, filters, list({one.key: one for one in shown}.values()))

    current = [*wanted.tree("current_period").figures, *changed, *quality.figures, FIGURES["error_count"]]
    questions = {"current": over(where, *current)}
    if compare and ("previous_period" in wanted or changed):
        questions["previous"] = over(before, *wanted.tree("previous_period").figures, *changed)
    if "top_items" in wanted:
        pairs = [one for name in wanted.tree("top_items").members for one in _TOP[name]]
        distinct = list({one.key: one for one in pairs}.values())
        questions["items"] = of_whole_range(scope, where, filters, distinct, "provider", "model")
    if "most_common_errors" in quality:
        questions["errors"] = errors_by_type(scope, where, filters)
    answers = dict(zip(questions, ask(*questions.values()), strict=True))
    body: dict[str, Any] = {
        "current_period": _period(answers["current"]),
        "previous_period": _period(answers["previous"]) if "previous" in answers else None,
        "changes": _changes(answers) if compare and changed else None,
        "top_items": {name: _items(answers["items"], *_TOP[name]) for name in wanted.tree("top_items").members},
        "quality": answers["current"].totals,
    }
    if "errors" in answers:
        types = [row.labels[0] for row in answers["errors"].rows]
        messages = error_messages(scope, where, filters, types)
        shown = errors_shown(answers["errors"], answers["current"].totals["error_count"], messages)
        body["quality"] = body["quality"] | {"most_common_errors": shown}
    estimated = any(answer.estimated for answer in answers.values())
    told = metadata(*answers.values()) | _range(answers["current"])
    return {"metadata": told | {"distinct_error": DISTINCT_ERROR if estimated else None}, **wanted.cut(body)}


def _range(answer: Answer) -> dict[str, Any]:
    return {"start_time": answer.range.start, "end_time": answer.range.end}


def _period(answer: Answer) -> dict[str, Any]:
    return _range(answer) | answer.totals


def _changes(answers: Mapping[str, Answer]) -> dict[str, Any]:
    new, old = answers["current"].totals, answers["previous"].totals
    return {name: change(new[one.key], old[one.key]) for name, one in _CHANGES.items() if one.key in old}


def _items(answer: Answer, shown: Figure, shared: Figure) -> list[dict[str, Any]]:
    items = [(answer.figures_of(row), row.labels) for row in answer.rows]
    whole = sum(one[shared.key] or 0 for one, _ in items)
    value: Callable[[tuple[Mapping[str, Any], Any]], Any] = lambda item: item[0][shown.key]  # noqa: E731
    first = sorted((one for one in items if value(one)), key=value, reverse=True)[:MOST_ITEMS]
    return [
        {
            "provider": provider,
            "model": model,
            "value": found[shown.key],
            "percentage": share(found[shared.key], whole),
        }
        for found, (provider, model) in first
    ]
