"""Which dimensions there are, and which values they have."""

from collections.abc import Sequence
from typing import Any

from analytics.queries.figures import Ask, ask
from analytics.queries.plans import Filter, Operator, Question, Sort
from analytics.queries.reports.samples import attribute_keys
from analytics.queries.shapes import Kind, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import ATTRIBUTES, DIMENSIONS, Dimension, Source
from analytics.registry.measures import FIGURES
from analytics.scope import Scope

LABELS = Tree(
    members={
        "labels": Tree(
            members={
                "name": leaf(Kind.TEXT, "Name for group_by and filters."),
                "type": leaf(Kind.TEXT, "string, or list for what a span has several of."),
                "source": leaf(Kind.TEXT, "rollup, usage, spans or content: the narrowest relation that knows it."),
            },
            many=True,
        )
    }
)
VALUES = Tree(
    members={
        "name": leaf(Kind.TEXT),
        "values": Tree(
            members={"value": leaf(Kind.TEXT), **figures("request_count")},
            many=True,
            description="Most frequent first.",
        ),
        "truncated": leaf(Kind.BOOLEAN, "Whether there are more."),
    }
)


def labels(
    *, scope: Scope, where: TimeRange, filters: Sequence[Filter] = (), wanted: Tree = LABELS, ask: Ask = ask
) -> dict[str, Any]:
    """Return every dimension, and the free attributes that the newest spans of the range have."""
    del ask
    found = [(one.key, "list" if one.list else "string", one.source) for one in DIMENSIONS]
    found += [(ATTRIBUTES + key, "string", Source.CONTENT) for key in attribute_keys(scope, where, filters)]
    return wanted.cut({"labels": [dict(zip(("name", "type", "source"), one, strict=True)) for one in found]})


def label_values(
    *,
    scope: Scope,
    where: TimeRange,
    dimension: Dimension,
    prefix: str | None,
    limit: int,
    filters: Sequence[Filter] = (),
    wanted: Tree = VALUES,
    ask: Ask = ask,
) -> dict[str, Any]:
    """Return the values of a dimension that begin with `prefix`, most frequent first."""
    starts = [Filter(dimension=dimension, operator=Operator.STARTS_WITH, values=(prefix,))] if prefix else []
    question = Question(
        scope=scope,
        range=where,
        filters=[*filters, *starts],
        group_by=[dimension],
        figures=[FIGURES["request_count"]],
        sort=Sort(by="request_count"),
        limit=limit + 1,  # that of spans without a value is not shown
        presence=("span_count",),
    )
    (answer,) = ask(question)
    values = [
        {"value": row.labels[0], "request_count": row.values[0]} for row in answer.rows if row.labels[0] is not None
    ]
    return wanted.cut(
        {"name": dimension.key, "values": values[:limit], "truncated": answer.truncated or len(values) > limit}
    )
