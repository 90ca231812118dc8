"""What several reports say in the same way: shares, changes, the dearest and the commonest."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from analytics.queries.figures import Answer
from analytics.queries.plans import Filter, Question, Sort
from analytics.queries.shapes import Kind, Tree, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.measures import FIGURES, Figure
from analytics.scope import Scope

Number = int | Decimal
_FOUR = Decimal("0.0001")
FAILED = Filter(dimension=DIMENSIONS["status_code"], values=("ERROR",))


def share(part: Number | None, whole: Number | None) -> Decimal:
    """Return part of whole in percent with at most 4 decimals; 0 of nothing."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(_FOUR, ROUND_HALF_UP) if part and whole else Decimal(0)


def change(new: Number | None, old: Number | None) -> Decimal | None:
    """Return the change in percent: from 0 it is 100, or 0 when there is none; `None` where a side has no value."""
    if new is None or old is None:
        return None
    if not old:
        return Decimal(100 if new > 0 else 0)
    return ((Decimal(new) - old) * 100 / Decimal(old)).quantize(_FOUR, ROUND_HALF_UP)


def figures_named(*keys: str) -> list[Figure]:
    """Return figures by their names in replies."""
    return [FIGURES[key] for key in keys]


def of_whole_range(
    scope: Scope, where: TimeRange, filters: Sequence[Filter], figures: Sequence[Figure], *by: str, **more: Any
) -> Question:
    """Return the question of figures over the whole range, by dimensions where some are named."""
    groups = [DIMENSIONS[key] for key in by]
    return Question(scope=scope, range=where, filters=filters, figures=figures, group_by=groups, **more)


ERRORS = Tree(
    members={
        "status_code": leaf(Kind.TEXT),
        "error_type": leaf(Kind.TEXT, "The status code where the emitter names none.", nullable=True),
        "count": leaf(Kind.COUNT, "Failed requests."),
        "percentage": leaf(Kind.PERCENT, "Share of all failed requests."),
        "sample_message": leaf(Kind.TEXT, "The newest message; never told to anonymous callers.", nullable=True),
    },
    many=True,
    description="The commonest, at most 10.",
)
MOST_ERRORS = 10


def errors_by_type(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> Question:
    """Return the question of the commonest errors."""
    return of_whole_range(
        scope,
        where,
        [*filters, FAILED],
        figures_named("error_count"),
        "error_type",
        sort=Sort(by="error_count"),
        limit=MOST_ERRORS,
        presence=("error_count",),
    )


def errors_shown(answer: Answer, total: int, samples: Mapping[str | None, str]) -> list[dict[str, Any]]:
    """Return the commonest errors; `total` are all failed requests, `samples` messages by type."""
    return [
        {
            "status_code": "ERROR",
            "error_type": row.labels[0] or "ERROR",
            "count": row.values[0],
            "percentage": share(row.values[0], total),
            "sample_message": samples.get(row.labels[0]),
        }
        for row in answer.rows
    ]
