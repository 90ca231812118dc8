"""What a benchmark says: a figure with its target, as one row of a table and as one line of JSON."""

import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter, process_time
from typing import Any, Literal

ENGINE = "plain"
CPU_PASSES = 9
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value over `rows` rows; without a `target` it is there to be read, not to be met."""

    figure: str
    value: float
    unit: str
    rows: int
    target: float | None = None
    direction: Literal["at_least", "at_most"] = "at_most"
    engine: str = ENGINE

    @property
    def is_missed(self) -> bool:
        """Whether there is a target and the value is on its wrong side."""
        if self.target is None:
            return False
        return self.value < self.target if self.direction == "at_least" else self.value > self.target

    @property
    def as_json(self) -> str:
        """The figure as one line; its keys are those of every benchmark."""
        return json.dumps(
            {
                "figure": self.figure,
                "value": float(f"{self.value:.4g}"),
                "unit": self.unit,
                "target": self.target,
                "direction": self.direction,
                "rows": self.rows,
                "engine": self.engine,
            }
        )

    @property
    def cells(self) -> tuple[str, ...]:
        """Figure, engine, rows, value, target and verdict."""
        wanted = "" if self.target is None else f"{self.direction.replace('_', ' ')} {self.target:g}"
        verdict = "" if self.target is None else "missed" if self.is_missed else "met"
        return self.figure, self.engine, f"{self.rows:,}", f"{self.value:.4g} {self.unit}", wanted, verdict


def worse(figures: Iterable[Figure], lines: Iterable[str], *, slack: float) -> Iterator[str]:
    """Yield the figures with a target that are worse than those of an earlier run by more than `slack` percent.

    `lines` are what that run printed. What is no figure, and what was not measured then, is not compared.
    """
    known = {(one["figure"], one["engine"], one["rows"]): one["value"] for one in map(_read, lines) if one}
    for figure in figures:
        before = known.get((figure.figure, figure.engine, figure.rows))
        if before is None or figure.target is None:
            continue
        change = figure.value - before if figure.direction == "at_most" else before - figure.value
        if change > abs(before) * slack / 100:
            yield f"{figure.figure} ({before:.4g} before, {figure.value:.4g} now)"


def _read(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and {"figure", "engine", "rows", "value"} <= told.keys() else None


HEAD = ("figure", "engine", "spans", "value", "target", "")


def table(figures: Sequence[Figure]) -> str:
    """Return the figures one below the other, in columns."""
    rows = [HEAD, *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def seconds(work: Callable[[], Any], *, clock: Clock = perf_counter) -> float:
    """Return how long `work` took by `clock`."""
    begun = clock()
    work()
    return clock() - begun


def medians(*works: Callable[[], Any], repetitions: int, clock: Clock = perf_counter, at_once: int = 1) -> list[float]:
    """Return the median time of each work. They run turn by turn, once before to be warm: noise meets all alike.

    In each turn a work runs `at_once` times, for a clock whose ticks are long.
    """

    def several(work: Callable[[], Any]) -> None:
        for _ in range(at_once):
            work()

    for work in works:
        work()
    turns = [[seconds(partial(several, work), clock=clock) for work in works] for _ in range(repetitions)]
    return [statistics.median(times) / at_once for times in zip(*turns, strict=True)]


def median_seconds(work: Callable[[], Any], *, repetitions: int) -> float:
    """Return the median time of `work`, which runs once before to be warm."""
    work()
    return statistics.median(seconds(work) for _ in range(repetitions))


def cpu_microseconds(work: Callable[[Any], Any], items: Sequence[Any], *, rows: int) -> float:
    """Return the processor time of `work` over `items` that hold `rows` rows: per row, the best of each item's passes.

    A neighbour on the machine disturbs some passes of an item and hardly ever all of them.
    """
    for item in items:
        work(item)
    best = [min(seconds(partial(work, item), clock=process_time) for _ in range(CPU_PASSES)) for item in items]
    return sum(best) / rows * 1_000_000
