"""Which values of which dimensions a change is made of: the hours of an anomaly beside the same hours of other days."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from analytics.anomalies.detection import DAY, HISTORY, WEEK
from analytics.anomalies.runs import Key, Run
from analytics.anomalies.watching import WHOLE
from analytics.queries.figures import Answer, Ask, ask
from analytics.queries.plans import Filter, Question
from analytics.queries.reports.parts import share
from analytics.queries.timerange import TimeRange
from analytics.registry.anomalies import WATCHED, Watched
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.measures import figure
from analytics.scope import Scope

MOST = 5
LEAST_SHARE = Decimal(10)  # percent of the change
LONGEST = DAY  # the newest hours of a longer anomaly say what it is made of
_OF_MODEL = ("environment", "service_name", "operation_name")
_OF_PROJECT = ("provider", "model", *_OF_MODEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A value of a dimension: its part of the metric as expected and as observed, and its share of the change.

    `usual_share` is its share of what was expected: a value with much of everything has much of every change.
    """

    dimension: str
    value: str | None
    expected: Decimal
    observed: Decimal
    share: Decimal
    usual_share: Decimal


def explained(scope: Scope, key: Key, run: Run, *, known_since: datetime, ask: Ask = ask) -> list[Part]:
    """Return the parts with the largest shares of the change, largest first.

    Parts of a quotient are quotients with the whole's denominator, so that they too add up; those of a percentile are
    the parts of the mean. They are compared with the same hours of the weeks before, and of the days before where no
    week is known.
    """
    watched = WATCHED[key.metric]
    hours = TimeRange(start=max(run.first, run.end - LONGEST), end=run.end)
    before = _before(hours, known_since)
    if not before:
        return []
    dimensions = [*(_OF_PROJECT if key.series == WHOLE else _OF_MODEL), *watched.told_by]
    questions = [_question(scope, key, watched, where, by) for by in dimensions for where in (hours, *before)]
    answers = iter(ask(*questions))
    found: list[Part] = []
    for by in dimensions:
        now, *then = [_parts(watched, next(answers)) for _ in (hours, *before)]
        found += _compared(by, now, then)
    worth = [one for one in found if one.share >= LEAST_SHARE and one.value is not None]
    return sorted(worth, key=lambda one: (-one.share, one.usual_share))[:MOST]


def _before(hours: TimeRange, since: datetime) -> list[TimeRange]:
    """Return the same hours of earlier weeks, else of earlier days, as far as they are known."""
    for step in (WEEK, DAY):
        shifts = [step * count for count in range(1, HISTORY // WEEK + 1)]
        found = [
            TimeRange(start=hours.start - shift, end=hours.end - shift)
            for shift in shifts
            if hours.start - shift >= since and shift >= hours.end - hours.start
        ]
        if found:
            return found
    return []


def _question(scope: Scope, key: Key, watched: Watched, where: TimeRange, by: str) -> Question:
    names = dict.fromkeys([watched.part, *([watched.over] if watched.over else [])])
    return Question(
        scope=scope,
        range=where,
        filters=[] if key.series == WHOLE else list(_filters(key)),
        figures=[figure(name, "sum", key=name) for name in names],
        group_by=[DIMENSIONS[by]],
    )


def _filters(key: Key) -> Iterator[Filter]:
    for name, value in key.series._asdict().items():
        if value is not None:
            yield Filter(dimension=DIMENSIONS[name], values=(value,))


def _parts(watched: Watched, answer: Answer) -> Mapping[str | None, Decimal]:
    rows = [(row.labels[0], answer.figures_of(row)) for row in answer.rows]
    if watched.over:
        whole = Decimal(sum(figures[watched.over] for _, figures in rows))
    else:
        whole = Decimal(answer.range.seconds) / 3600
    return {label: (figures[watched.part] or Decimal(0)) / whole for label, figures in rows} if whole else {}


def _compared(
    by: str, now: Mapping[str | None, Decimal], then: Sequence[Mapping[str | None, Decimal]]
) -> Iterator[Part]:
    usual = {
        value: sum((one.get(value, Decimal(0)) for one in then), Decimal(0)) / len(then)
        for value in {*now, *(value for one in then for value in one)}
    }
    before, change = sum(usual.values(), Decimal(0)), sum(now.values(), Decimal(0)) - sum(usual.values(), Decimal(0))
    for value, expected in usual.items():
        observed = now.get(value, Decimal(0))
        yield Part(
            dimension=by,
            value=value,
            expected=expected,
            observed=observed,
            share=share(observed - expected, change),
            usual_share=share(expected, before),
        )
