"""What was spent: over time, by what and whom; what has no price."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analytics.queries.figures import Answer, Ask, Row, ask, nothing
from analytics.queries.plans import Comparison, Filter, Groups, Having, Operator, Question, Sort
from analytics.queries.reports.parts import figures_named, of_whole_range, share
from analytics.queries.reports.performance import exactly, metadata, over_time
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, TIMESTAMP_LEAF, Kind, Node, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.dimensions import Dimension
from analytics.registry.grains import Grain
from analytics.registry.measures import FIGURES, OF_LISTS, Figure
from analytics.scope import Scope

Reply = dict[str, Any]
NINE = Decimal(1).scaleb(-9)
METADATA = Tree(members={**RANGE_MEMBERS, "granularity": leaf(Kind.TEXT), **ORIGIN_MEMBERS})
PLAIN_METADATA = Tree(members={**RANGE_MEMBERS, **ORIGIN_MEMBERS})
COSTS = ("total_cost", "prompt_cost", "completion_cost")
SERIES: Mapping[str, Node] = {"timestamp": TIMESTAMP_LEAF, **figures(*COSTS, "request_count")}

# --- over time --------------------------------------------------------------------------------------------------------
GROUPS = ("provider", "model", "environment")
ANALYTICS = Tree(
    members={
        **figures(*COSTS, "request_count", "unpriced_requests", "avg_cost_per_request"),
        "time_series": Tree(
            members={**SERIES, **{name: leaf(Kind.TEXT, "With group_by.", nullable=True) for name in GROUPS}},
            many=True,
            always=("timestamp",),
            description="Oldest first.",
        ),
    }
)


def cost_analytics(
    *,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter] = (),
    grain: Grain,
    group_by: str | None = None,
    wanted: Tree = ANALYTICS,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted`: costs in total and over time, by a dimension where one is named."""
    series = wanted.tree("time_series")
    asked = Question(scope=scope, range=where, filters=filters, grain=exactly(grain), figures=wanted.figures)
    questions = [asked]
    if series.members:
        groups = [DIMENSIONS[group_by]] if group_by else []
        questions.append(replace(over_time(asked, grain, series), group_by=groups, presence=None))
    answers = ask(*questions)
    body: Reply = dict(answers[0].totals)
    if series.members:
        body["time_series"] = list(answers[1].items())
    return {**wanted.cut(body), "metadata": metadata(*answers, granularity=grain.key)}


# --- by what and whom -------------------------------------------------------------------------------------------------
_SHARES = Tree(
    members={
        "dimension": leaf(Kind.TEXT, nullable=True),
        **figures("total_cost", "request_count"),
        "percentage": leaf(Kind.PERCENT, "Share of the whole cost."),
    },
    many=True,
    description="Dearest first.",
)
_BREAKDOWNS: Mapping[str, tuple[str, int | None]] = {
    "by_model": ("model", 20),
    "by_user": ("user_id", 20),
    "by_provider": ("provider", None),
}
ANONYMOUS = "anonymous"
BREAKDOWN = Tree(
    members={
        **dict.fromkeys(_BREAKDOWNS, _SHARES),
        "by_time": Tree(members=SERIES, many=True, always=("timestamp",), description="Oldest first."),
    }
)


def cost_breakdown(
    *,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter] = (),
    grain: Grain,
    wanted: Tree = BREAKDOWN,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted`: costs by model, by user, by provider, and over time."""
    shown = figures_named("total_cost", "request_count")
    total = of_whole_range(scope, where, filters, shown)
    questions = {"total": total}
    for name, (dimension, limit) in _BREAKDOWNS.items():
        if name in wanted:
            questions[name] = of_whole_range(
                scope, where, filters, shown, dimension, sort=Sort(by="total_cost"), limit=limit
            )
    if series := wanted.tree("by_time").members and wanted.tree("by_time"):
        questions["by_time"] = replace(over_time(total, grain, series), presence=None)
    answers = dict(zip(questions, ask(*questions.values()), strict=True))
    whole = answers["total"].totals["total_cost"]
    body: Reply = {
        name: [
            _share(answers[name], row, whole, ANONYMOUS if dimension == "user_id" else None)
            for row in answers[name].rows
        ]
        for name, (dimension, _) in _BREAKDOWNS.items()
        if name in answers
    }
    if "by_time" in answers:
        body["by_time"] = list(answers["by_time"].items())
    return {**wanted.cut(body), "metadata": metadata(*answers.values(), granularity=grain.key)}


def _share(answer: Answer, row: Row, whole: Decimal | None, missing: str | None) -> Reply:
    found = answer.figures_of(row)
    return {"dimension": row.labels[0] or missing, **found, "percentage": share(found["total_cost"], whole)}


# --- whom it is attributed to -----------------------------------------------------------------------------------------
# What a cost can be attributed to, and the dimension that it is.
ATTRIBUTABLE: Mapping[str, str] = {
    "user": "user_id",
    "team": "team_id",
    "tag": "tag",
    "provider": "provider",
    "model": "model",
    "environment": "environment",
    "project": "project_id",
}
_ATTRIBUTED = (*COSTS, "request_count", "unpriced_requests", "total_tokens")
ATTRIBUTION = Tree(
    members={
        "items": Tree(
            members={
                "dimension_value": leaf(Kind.TEXT, nullable=True),
                **figures(*_ATTRIBUTED),
                "cost_percentage": leaf(Kind.PERCENT, "Share of the cost of the whole range."),
                **figures("avg_cost_per_request"),
                "by_provider": leaf(Kind.OBJECT, "Cost by provider."),
                "by_model": leaf(Kind.OBJECT, "Cost by model."),
            },
            many=True,
            description="Dearest first.",
        ),
        "other": Tree(
            members={"items": leaf(Kind.COUNT), **figures("total_cost", "request_count")},
            description="Everything that items do not show.",
        ),
        "summary": Tree(
            members={
                **figures("total_cost", "total_requests"),
                "unique_items": leaf(Kind.COUNT, "Different values in the range."),
                "avg_cost_per_item": leaf(Kind.MONEY, nullable=True),
            }
        ),
    }
)
ATTRIBUTION_METADATA = Tree(
    members={
        "dimension": leaf(Kind.TEXT),
        **RANGE_MEMBERS,
        "total_items": leaf(Kind.COUNT, "Values that cost at least min_cost."),
        **ORIGIN_MEMBERS,
    }
)
_PARTS: Mapping[str, str] = {"by_provider": "provider", "by_model": "model"}
UNKNOWN = "unknown"


def cost_attribution(
    *,
    scope: Scope,
    where: TimeRange,
    dimension: Dimension,
    name: str,
    limit: int,
    min_cost: Decimal = Decimal(0),
    filters: Sequence[Filter] = (),
    wanted: Tree = ATTRIBUTION,
    ask: Ask = ask,
) -> Reply:
    """Return the members of `wanted`: what each value of a dimension cost. `name` is what that was asked as."""
    cost = FIGURES["total_cost"]
    asked = Question(
        scope=scope,
        range=where,
        filters=filters,
        group_by=[dimension],
        figures=figures_named(*_ATTRIBUTED, "avg_cost_per_request"),
        having=[Having(figure=cost, comparison=Comparison.GTE, value=min_cost)] if min_cost else (),
        sort=Sort(by="total_cost"),
        limit=limit,
        counted=True,
    )
    whole = of_whole_range(scope, where, filters, figures_named("total_cost", "total_requests"))
    everything = [replace(asked, having=(), limit=1, figures=[cost])] if asked.having else []
    total, found, *rest = ask(whole, asked, *everything)
    every = rest[0].counted if rest else found.counted
    shown = [(row.labels[0] or "",) for row in found.rows]
    parts = _parts(asked, shown, wanted, ask)
    spent = total.totals["total_cost"]
    items = [_item(found, row, spent, parts) for row in found.rows]
    body = {
        "items": items,
        "other": {
            "items": every - len(items),
            **(_rest(asked, total, found, ask, every=every) if "other" in wanted else {}),
        },
        "summary": {
            **total.totals,
            "unique_items": every,
            "avg_cost_per_item": _each(spent, every),
        },
    }
    told = metadata(total, found)
    origin = {"dimension": name, "total_items": found.counted, **told}
    return {**wanted.cut(body), "metadata": {key: origin[key] for key in ATTRIBUTION_METADATA.members}}


def _each(cost: Decimal | None, count: int) -> Decimal | None:
    return None if cost is None or not count else (cost / count).quantize(NINE, ROUND_HALF_UP)


def _parts(
    asked: Question, shown: Sequence[tuple[str, ...]], wanted: Tree, ask: Ask
) -> Mapping[str, Mapping[str | None, Reply]]:
    """Return the costs of the shown values by provider and by model; both are of one question, the cost of a scan."""
    names = [name for name in _PARTS if shown and name in wanted.tree("items")]
    if not names:
        return {}
    question = replace(
        asked,
        having=(),
        limit=None,
        counted=False,
        figures=[FIGURES["total_cost"]],
        presence=("usage_count",),
        group_by=[*asked.group_by, *(DIMENSIONS[_PARTS[name]] for name in names)],
        groups=Groups(dimensions=asked.group_by, rows=shown, inside=True),
    )
    (answer,) = ask(question)
    parts: dict[str, dict[str | None, Reply]] = {name: {} for name in names}
    for row in answer.rows:
        value, *labels = row.labels[0], *row.labels[-len(names) :]
        for name, label in zip(names, labels, strict=True):
            of_value = parts[name].setdefault(value, {})
            of_value[label or UNKNOWN] = _sum(of_value.get(label or UNKNOWN), row.values[0])
    return {name: {value: _dearest_first(costs) for value, costs in known.items()} for name, known in parts.items()}


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return the sum of two costs; `None` is that of what has no price at all."""
    return one if other is None else other if one is None else one + other


def _dearest_first(costs: Reply) -> Reply:
    return dict(sorted(costs.items(), key=lambda item: (item[1] is None, -(item[1] or 0), item[0])))


def _rest(asked: Question, total: Answer, found: Answer, ask: Ask, *, every: int) -> Reply:
    """Return cost and requests of everything that is not shown: the whole without it, where that tells.

    Values of a list overlap, and a rest that costs nothing may be without a price: then it is asked, unless all of
    `every` value is shown.
    """
    whole, items = total.totals, [found.figures_of(row) for row in found.rows]
    cost = (whole["total_cost"] or Decimal(0)) - sum((one["total_cost"] or Decimal(0) for one in items), Decimal(0))
    if cost > 0 and not any(one.list for one in asked.group_by):
        return {
            "total_cost": cost,
            "request_count": whole["total_requests"] - sum(one["request_count"] for one in items),
        }
    shown = [(row.labels[0] or "",) for row in found.rows]
    question = replace(
        asked,
        having=(),
        limit=None,
        counted=False,
        figures=figures_named("total_cost", "request_count"),
        group_by=(),
        groups=Groups(dimensions=asked.group_by, rows=shown, inside=False) if shown else None,
        sort=Sort(),
    )
    if every == len(items):
        return dict(zip((one.key for one in question.figures), nothing(question), strict=True))
    (answer,) = ask(question)
    return answer.totals


def _item(answer: Answer, row: Row, spent: Decimal | None, parts: Mapping[str, Mapping[str | None, Reply]]) -> Reply:
    found = answer.figures_of(row)
    return {
        "dimension_value": row.labels[0],
        **found,
        "cost_percentage": share(found["total_cost"], spent),
        **{name: by_value.get(row.labels[0], {}) for name, by_value in parts.items()},
    }


# --- what has no price ------------------------------------------------------------------------------------------------
UNPRICED = Tree(
    members={
        "items": Tree(
            members={
                "provider": leaf(Kind.TEXT, nullable=True),
                "model": leaf(Kind.TEXT, nullable=True),
                "reason": leaf(Kind.TEXT, "no_price, no_part_price or no_usage."),
                "request_count": leaf(Kind.COUNT),
                "total_tokens": leaf(Kind.COUNT),
                "first_seen": leaf(Kind.TIME),
                "last_seen": leaf(Kind.TIME),
            },
            many=True,
            description="Most requests first.",
        ),
        "summary": Tree(members={"request_count": leaf(Kind.COUNT), "total_tokens": leaf(Kind.COUNT)}),
    }
)


_UNPRICED_BY = ("provider", "model", "unpriced_reason")
_UNPRICED_MEMBERS: Mapping[str, Figure] = {
    "request_count": FIGURES["unpriced_requests"],
    "total_tokens": FIGURES["total_tokens"],
    "first_seen": OF_LISTS["unpriced_min"],
    "last_seen": OF_LISTS["unpriced_max"],
}


def costs_unpriced(
    *, scope: Scope, where: TimeRange, filters: Sequence[Filter] = (), wanted: Tree = UNPRICED, ask: Ask = ask
) -> Reply:
    """Return the members of `wanted`: what has no price, by provider, model and reason."""
    named = Filter(dimension=DIMENSIONS["unpriced_reason"], operator=Operator.PRESENT, values=())
    shown = [replace(one, key=name) for name, one in _UNPRICED_MEMBERS.items()]
    (found,) = ask(
        of_whole_range(
            scope,
            where,
            [*filters, named],
            shown,
            *_UNPRICED_BY,
            sort=Sort(by="request_count"),
            presence=("unpriced_count",),
        )
    )
    items = [
        dict(zip(("provider", "model", "reason"), row.labels, strict=True)) | found.figures_of(row)
        for row in found.rows
    ]
    totals = {name: sum(one[name] for one in items) for name in ("request_count", "total_tokens")}
    return {**wanted.cut({"items": items, "summary": totals}), "metadata": metadata(found)}
