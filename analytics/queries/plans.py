"""What can be asked of the figures, as values that refuse nonsense when built. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from analytics.queries.sources import Need, fitting
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import PROJECT, Dimension, Source
from analytics.registry.facts import DISTINCTS_BY_KEY, FACTS_BY_KEY, SKETCHES_BY_KEY, Distinct, Sketch
from analytics.registry.grains import ALL, Grain
from analytics.registry.measures import Figure, Quantile
from analytics.registry.rollups import Rollup
from analytics.scope import Scope

TIMESTAMP = "timestamp"


class Operator(StrEnum):
    """How a dimension is compared with values. A missing value equals none and differs from all; `PRESENT` takes none.

    Clients send the first four.
    """

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    STARTS_WITH = "starts_with"
    PRESENT = "present"

    @property
    def negative(self) -> bool:
        """Whether it holds for what does not match."""
        return self in {Operator.NE, Operator.NOT_IN}


class Comparison(StrEnum):
    """How a figure is compared with a number."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"


ASKED = (Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on a dimension of spans."""

    dimension: Dimension
    operator: Operator = Operator.EQ
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if "" in self.values or bool(self.values) == (self.operator is Operator.PRESENT):
            raise ValueError("a filter needs values, none of them empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Having:
    """A condition on a figure of a row. A figure without a value meets none."""

    figure: Figure
    comparison: Comparison
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """The order of rows: by a figure's key, a dimension's, or `timestamp`. Rows without a value come last."""

    by: str = TIMESTAMP
    descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Groups, by their texts of `dimensions`, to which rows are narrowed; without `inside`, which are left out."""

    dimensions: Sequence[Dimension]
    rows: Sequence[tuple[str, ...]]
    inside: bool


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: figures of each bucket of `grain` and each group of `group_by`, over a range, narrowed by filters.

    Rows of which nothing is counted are left out: their `presence` facts are all 0. Rows beyond `limit` are left out
    too; with `other`, which needs the grain `all`, one row holds everything that is not shown. Equal rows of the sort
    are in the order newest bucket first, then dimensions ascending. `counted` asks how many rows there are without the
    limit; the order must be one that the server knows. `after` is where the page before ended: the value that its last
    row was sorted by, and its only label.
    """

    scope: Scope
    range: TimeRange
    figures: Sequence[Figure]
    grain: Grain = ALL
    group_by: Sequence[Dimension] = ()
    filters: Sequence[Filter] = ()
    having: Sequence[Having] = ()
    sort: Sort = field(default_factory=Sort)
    limit: int | None = None
    other: bool = False
    presence: tuple[str, ...] | None = None
    groups: Groups | None = None
    counted: bool = False
    after: tuple[Any, str] | None = None

    def __post_init__(self) -> None:
        if self.other and (self.grain.width is not None or self.limit is None):
            raise ValueError("only rows of the whole range, and a limit, leave others")
        known = {TIMESTAMP, *(one.key for one in self.figures), *(one.key for one in self.group_by)}
        if self.sort.by not in known:
            raise ValueError(f"nothing to sort by: {self.sort.by}")

    @property
    def width(self) -> timedelta | None:
        """Width of the buckets, `None` when the range is one row."""
        return self.grain.width

    @cached_property
    def asked(self) -> Sequence[Figure]:
        """Every figure that is needed, shown or not."""
        return (*self.figures, *(one.figure for one in self.having))

    @cached_property
    def present(self) -> tuple[str, ...]:
        """The facts of which a row must have something to be there."""
        if self.presence is not None:
            return self.presence
        return ("span_count",) if self.distincts else ("request_count", "usage_count")

    @cached_property
    def facts(self) -> list[str]:
        """The facts that are needed, each once, in a stable order."""
        needed = {fact for one in self.asked for fact in one.of.facts}
        return sorted(needed | set(self.present))

    @cached_property
    def quantiles(self) -> dict[Sketch, list[Quantile]]:
        """The percentiles that are needed by their sketch, ascending."""
        needed = {one for figure in self.asked for one in figure.of.quantiles}
        found: dict[Sketch, list[Quantile]] = {}
        for one in sorted(needed, key=lambda one: (one.sketch, one.percent)):
            found.setdefault(SKETCHES_BY_KEY[one.sketch], []).append(one)
        return found

    @cached_property
    def distincts(self) -> list[Distinct]:
        """What is counted without repetition."""
        return [DISTINCTS_BY_KEY[key] for key in sorted({one.of.distinct for one in self.asked if one.of.distinct})]

    @cached_property
    def dimensions(self) -> list[Dimension]:
        """The dimensions that rows are grouped and narrowed by, each once."""
        narrowed = self.groups.dimensions if self.groups else ()
        return list(dict.fromkeys([*self.group_by, *narrowed, *(one.dimension for one in self.filters)]))

    @property
    def is_by_label(self) -> bool:
        """Whether it asks for more than the project's own totals."""
        return any(one.key != PROJECT for one in self.dimensions)

    @property
    def needs_content(self) -> bool:
        """Whether it reads the content of spans."""
        return any(one.source is Source.CONTENT for one in self.dimensions)

    def rollups(self, **needed: tuple[str, ...]) -> list[Rollup]:
        """Return the rollups that can answer for a part of it, coarsest first; `needed` are keys as `_able` takes."""
        if self.grain.exact or any(one.source in {Source.SPANS, Source.CONTENT} for one in self.dimensions):
            return []
        return _able(labels=self.labels, width=self.width, **needed)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels that a rollup must keep."""
        return frozenset(one.label for one in self.dimensions if one.label)

    @cached_property
    def for_facts(self) -> list[Rollup]:
        """The rollups that can answer for the facts."""
        return self.rollups(facts=tuple(self.facts))

    def for_sketch(self, sketch: Sketch) -> list[Rollup]:
        """Return the rollups that can answer for percentiles of `sketch`."""
        return self.rollups(sketches=(sketch.key,))

    def for_distinct(self, distinct: Distinct) -> list[Rollup]:
        """Return the rollups that can answer for the number of different values."""
        return self.rollups(distincts=(distinct.key,))

    @property
    def parts(self) -> list[list[Rollup]]:
        """The rollups of each part that is answered on its own."""
        return [self.for_facts, *map(self.for_sketch, self.quantiles), *map(self.for_distinct, self.distincts)]


@lru_cache(maxsize=1024)
def _able(
    *,
    labels: frozenset[str],
    width: timedelta | None,
    facts: tuple[str, ...] = (),
    sketches: tuple[str, ...] = (),
    distincts: tuple[str, ...] = (),
) -> list[Rollup]:
    """Return the rollups that keep these labels and what has these keys; the same questions come again and again."""
    return fitting(
        Need(
            labels=labels,
            facts=frozenset(FACTS_BY_KEY[key] for key in facts),
            sketches=frozenset(SKETCHES_BY_KEY[key] for key in sketches),
            distincts=frozenset(DISTINCTS_BY_KEY[key] for key in distincts),
            width=width,
        )
    )
