"""Who was seen last: a page of users or sessions by the newest span of each, without looking at all of the range.

Spans are walked newest first, some thousands at once, until they name more than a page. Whoever they name was seen
after everybody they do not name, so the figures of those few are all that has to be asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.queries.plans import Filter
from analytics.queries.reports.samples import first_spans
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import Dimension
from analytics.scope import Scope

# Spans that are walked in one go. When so many name less than a page, the whole range is looked at instead.
STRIDES = (1000, 4000, 16_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Labels that the newest spans of a range name, newest first, each with the start of its newest span.

    `down_to` is how far spans were walked; `None`: to the start of the range.
    """

    labels: Mapping[str, datetime]
    down_to: datetime | None

    def first(self, most: int) -> list[str]:
        """Return the labels that were seen last, `most` and those seen as late as the last of them."""
        if len(self.labels) <= most:
            return list(self.labels)
        since = list(self.labels.values())[most - 1]
        return [label for label, seen_at in self.labels.items() if seen_at >= since]


def seen_last(
    dimension: Dimension, scope: Scope, where: TimeRange, filters: Sequence[Filter], *, until: datetime | None
) -> Iterator[Seen]:
    """Yield the labels of more and more of the newest spans of a range, those that start after `until` left out."""
    labels: dict[str, datetime] = {}
    last: tuple[Any, ...] | None = None
    for stride in STRIDES:
        rows = _spans(dimension, scope, where, filters, until=until, last=last, most=stride)
        for seen_at, *_, label in rows:
            labels.setdefault(label, seen_at)
        if len(rows) < stride:
            yield Seen(labels=labels, down_to=None)
            return
        last = rows[-1][:3]
        yield Seen(labels=labels, down_to=last[0])


def _spans(
    dimension: Dimension,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter],
    *,
    until: datetime | None,
    last: tuple[Any, ...] | None,
    most: int,
) -> list[tuple[Any, ...]]:
    conditions = [f"{dimension.sql} <> ''"]
    given: dict[str, Any] = {}
    if last is not None:
        conditions.append("(s.ts, s.trace_id, s.span_id) < (%(last_ts)s, %(last_trace)s, %(last_span)s)")
        given = {"last_ts": last[0], "last_trace": last[1], "last_span": last[2]}
    elif until is not None:
        conditions.append("s.ts <= %(until)s")
        given = {"until": until}
    sql, parameters = first_spans(
        scope, where, filters, columns=[f"{dimension.sql} AS label"], condition=" AND ".join(conditions), most=most
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT s.ts, s.trace_id, s.span_id, s.label FROM ({sql}) AS s", parameters | given)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
