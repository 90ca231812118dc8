"""Thresholds of subscriptions: figures of the last minutes, compared with a bound; a rise above it is told once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Any

from django.db import close_old_connections

from analytics.api.bodies import Member, list_of, number, object_of, one_of, whole
from analytics.live.filters import EventFilter
from analytics.live.listeners import Listener
from analytics.queries.figures import ask
from analytics.queries.plans import Comparison, Filter, Question
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY
from analytics.registry.measures import MEASURES, Figure, figure
from analytics.scope import Scope

MOST, SHORTEST_SECONDS, LONGEST_SECONDS = 10, 60, 3600
_HOLDS = {Comparison.GT: gt, Comparison.GTE: ge, Comparison.LT: lt, Comparison.LTE: le, Comparison.EQ: eq}
_COMPARISONS = {one.value: one for one in Comparison}
# `error_rate`, `duration` in its default aggregation, `p95_duration` in another.
METRICS: Mapping[str, Figure] = {
    **{one.key: figure(one.key) for one in MEASURES},
    **{f"{how}_{one.key}": figure(one.key, how) for one in MEASURES for how in one.of if len(one.of) > 1},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A figure of the last `window`, and what it is compared with."""

    metric: str
    comparison: Comparison
    value: Decimal
    window: timedelta


_NAME = {"type": "string"}
_MEMBERS = (
    Member(name="metric", read=one_of({name: name for name in METRICS}), schema=_NAME, required=True),
    Member(name="operator", read=one_of(_COMPARISONS), schema=_NAME, required=True),
    Member(name="value", read=number(), schema={"type": "number"}, required=True),
    Member(
        name="window_seconds",
        read=whole(low=SHORTEST_SECONDS, high=LONGEST_SECONDS),
        schema={"type": "integer"},
        required=True,
    ),
)
_read = list_of(object_of(_MEMBERS), least=1, most=MOST)


def read_thresholds(name: str, value: Any) -> tuple[Threshold, ...]:
    """Read the thresholds of a subscription."""
    return tuple(
        Threshold(
            metric=one["metric"],
            comparison=one["operator"],
            value=one["value"],
            window=timedelta(seconds=one["window_seconds"]),
        )
        for one in _read(name, value)
    )


class Watch:
    """The thresholds of one subscription, and which of them are passed just now."""

    def __init__(self, thresholds: Sequence[Threshold]) -> None:
        self.thresholds = tuple(thresholds)
        self._passed: frozenset[Threshold] = frozenset()

    def rises(self, values: Mapping[Threshold, Any]) -> list[Threshold]:
        """Note the present values; return the thresholds that are passed now and were not before."""
        passed = frozenset(
            one
            for one in self.thresholds
            if values[one] is not None and _HOLDS[one.comparison](Decimal(values[one]), one.value)
        )
        risen = [one for one in self.thresholds if one in passed - self._passed]
        self._passed = passed
        return risen


def values_of(
    thresholds: Sequence[Threshold], *, listener: Listener, within: EventFilter, now: datetime
) -> dict[Threshold, Any]:
    """Return the value of each threshold's figure, narrowed by the equalities of its subscription, in one snapshot."""
    close_old_connections()
    reach = listener.scope()
    scope = Scope(
        projects={number: reach.projects[number] for number in within.projects}, permissions=reach.permissions
    )
    filters = [Filter(dimension=BY_KEY[name], values=(value,)) for name, value in within.equal.items()]
    by_window = defaultdict[timedelta, list[Threshold]](list)
    for one in thresholds:
        by_window[one.window].append(one)
    questions = [
        Question(
            scope=scope,
            range=TimeRange(start=now - window, end=now),
            figures=list({one.metric: METRICS[one.metric] for one in asked}.values()),
            filters=filters,
        )
        for window, asked in by_window.items()
    ]
    found: dict[Threshold, Any] = {}
    for asked, answer in zip(by_window.values(), ask(*questions), strict=True):
        names = dict.fromkeys(one.metric for one in asked)
        totals = dict(zip(names, answer.rows[0].values, strict=True))
        found.update({one: totals[one.metric] for one in asked})
    return found
