"""Dashboard questions through the selectors, against the same answer from spans, and against a tenth of the spans."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection

from analytics.queries.figures import ask
from analytics.queries.plans import Question, Sort
from analytics.queries.reports.performance import performance
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.grains import Grain
from analytics.registry.measures import FIGURES
from benchmarks.figures import Figure, medians, seconds
from benchmarks.filled import Filled
from benchmarks.loading import Loaded
from benchmarks.processor import busy_clock

PROJECT = 1  # the busiest: three spans of ten
TARGETS_FROM = 10_000_000
REPETITIONS, AT_ONCE, REPETITIONS_OF_SPANS, TURNS = 5, 2, 2, 11  # turns: two stores differ by less than noise does
LONG_SECONDS = 2.0  # what takes longer is asked once: a cold start is no matter there
GROWTH_TARGET = 1.5
NOT_SLOWER = 1.1  # a tenth is noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as a dashboard asks it, of the rollups or of spans alone; `target`: how many times faster of rollups.

    One `by_labels` of that rollup reads rows whose number grows with the spans.
    """

    name: str
    ask: Callable[[Loaded, bool], Any]
    target: float | None = None
    by_labels: str = ""


def _range(what: Loaded, days: int) -> TimeRange:
    """Return the days that end now: with the open day and hour, and with a ragged start."""
    return TimeRange(start=what.end - timedelta(days=days), end=what.end)


def _grain(key: str, from_spans: bool) -> Grain:
    return replace(GRAINS[key], exact=from_spans)


def _performance(grain: str, what: Loaded, from_spans: bool) -> Any:
    return performance(scope=what.scope(PROJECT), where=_range(what, 30), filters=(), grain=_grain(grain, from_spans))


def _cost_by_model(what: Loaded, from_spans: bool) -> Any:
    return ask(
        Question(
            scope=what.scope(PROJECT),
            range=_range(what, 30),
            figures=[FIGURES["total_cost_usd"], FIGURES["request_count"]],
            group_by=[DIMENSIONS["provider"], DIMENSIONS["model"]],
            grain=_grain("all", from_spans),
            sort=Sort(by="total_cost_usd"),
        )
    )


def _error_rate(what: Loaded, from_spans: bool) -> Any:
    return ask(
        Question(
            scope=what.scope(PROJECT),
            range=_range(what, 30),
            figures=[FIGURES["error_rate"], FIGURES["request_count"]],
            grain=_grain("1day", from_spans),
        )
    )


def _errors_by_model(what: Loaded, from_spans: bool) -> Any:
    return ask(
        Question(
            scope=what.scope(PROJECT),
            range=_range(what, 7),
            figures=[FIGURES["error_rate"], FIGURES["total_cost_usd"]],
            group_by=[DIMENSIONS["model"]],
            grain=_grain("1hour", from_spans),
        )
    )


def _top_users(what: Loaded, from_spans: bool) -> Any:
    return ask(
        Question(
            scope=what.scope(PROJECT),
            range=_range(what, 7),
            figures=[FIGURES["total_cost_usd"], FIGURES["request_count"]],
            group_by=[DIMENSIONS["user_id"]],
            grain=_grain("all", from_spans),
            sort=Sort(by="total_cost_usd"),
            limit=20,
        )
    )


QUESTIONS: Sequence[Asked] = (
    Asked(name="performance_30d_by_hour", ask=partial(_performance, "1hour"), target=30),
    Asked(name="performance_30d_by_day", ask=partial(_performance, "1day"), target=30),
    Asked(name="cost_by_model_30d", ask=_cost_by_model, target=20),
    Asked(name="error_rate_30d_by_day", ask=_error_rate, target=20),
    Asked(name="errors_by_model_7d_by_hour", ask=_errors_by_model, by_labels="llm_metrics_1hour"),
    Asked(name="top_20_users_by_cost_7d", ask=_top_users, target=5, by_labels="llm_usage_1hour"),
)


def against_spans(filled: Filled) -> Iterator[Figure]:
    """Yield for each question its time, and how many times longer the same answer takes from spans."""
    with filled.store.chosen():
        clock = busy_clock()
        for question in QUESTIONS:
            kept, raw = (partial(question.ask, filled.what, from_spans) for from_spans in (False, True))
            (ours,) = medians(kept, repetitions=REPETITIONS, clock=clock, at_once=AT_ONCE)
            theirs = seconds(raw, clock=clock)
            if theirs < LONG_SECONDS:
                (theirs,) = medians(raw, repetitions=REPETITIONS_OF_SPANS, clock=clock)
            target = question.target if filled.what.spans >= TARGETS_FROM else None
            yield filled.figure(question.name, ours * 1000, "ms")
            yield filled.figure(f"{question.name}.spans_vs_rollups", theirs / ours, "x", target, at_least=True)


def growth(smaller: Filled, larger: Filled) -> Iterator[Figure]:
    """Yield how much longer each question takes on the larger store; one by labels may grow with the rows it reads."""
    for question in QUESTIONS:
        short, long = _turn_by_turn(question, smaller, larger)
        allowed = GROWTH_TARGET
        if question.by_labels:
            allowed = max(allowed, round(_rows(larger, question.by_labels) / _rows(smaller, question.by_labels), 2))
        ratio = larger.what.spans / smaller.what.spans
        yield larger.figure(f"{question.name}.grown_by_{ratio:g}_times_the_spans", long / short, "x", allowed)


def columns_against_rows(columns: Filled, rows: Filled) -> Iterator[Figure]:
    """Yield how much longer each question takes when older days are in the columnstore."""
    for question in QUESTIONS:
        packed, plain = _turn_by_turn(question, columns, rows)
        yield columns.figure(f"{question.name}.columnstore_vs_rows", packed / plain, "x", NOT_SLOWER)


def _turn_by_turn(question: Asked, one: Filled, other: Filled) -> list[float]:
    with one.store.chosen():
        clock = busy_clock()  # both are on one server
    works = (_in(filled, question) for filled in (one, other))
    return medians(*works, repetitions=TURNS, clock=clock, at_once=AT_ONCE)


def _in(filled: Filled, question: Asked) -> Callable[[], Any]:
    def ask() -> Any:
        with filled.store.chosen():
            return question.ask(filled.what, False)

    return ask


def _rows(filled: Filled, table: str) -> int:
    with filled.store.chosen(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE project_id = %s", [PROJECT])
        counted: int = cursor.fetchone()[0]
    return counted
