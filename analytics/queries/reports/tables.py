"""Any figures by any dimensions over time, as a table."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from analytics.queries.figures import Answer, Ask, Row, ask, nothing
from analytics.queries.plans import Question
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, TIMESTAMP_LEAF, Kind, Tree, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.sketches import DISTINCT_ERROR

DISTINCT_LEAF = leaf(Kind.NUMBER, "Bound of the relative error of unique_ figures; null where exact.", nullable=True)
METADATA = Tree(
    members={
        "interval": leaf(Kind.TEXT, "Width of the buckets."),
        **RANGE_MEMBERS,
        "metrics": leaf(Kind.TEXT, many=True),
        "group_by": leaf(Kind.TEXT, many=True),
        **ORIGIN_MEMBERS,
        "data_source": leaf(Kind.TEXT, "aggregate or raw."),
        "distinct_error": DISTINCT_LEAF,
        "total_points": leaf(Kind.COUNT),
        "truncated": leaf(Kind.BOOLEAN),
    }
)
QUERY_METADATA = Tree(
    members={
        "interval": leaf(Kind.TEXT, "Width of the buckets."),
        **RANGE_MEMBERS,
        "group_by": leaf(Kind.TEXT, many=True),
        "filters_applied": leaf(Kind.OBJECT, many=True),
        "having_conditions": leaf(Kind.OBJECT, many=True),
        "total_rows": leaf(Kind.COUNT),
        **ORIGIN_MEMBERS,
        "distinct_error": DISTINCT_LEAF,
    }
)
PERCENTILES = ("p50_duration_ms", "p95_duration_ms", "p99_duration_ms")
DATA = Tree(members={"timestamp": TIMESTAMP_LEAF}, many=True, description="One member for each dimension and figure.")


class Fill(StrEnum):
    """What stands in buckets without spans: no row, figures over nothing, the figures of the bucket before."""

    NONE = "none"
    ZERO = "zero"
    PREVIOUS = "previous"


def metrics_table(*, question: Question, names: Sequence[str], fill: Fill, ask: Ask = ask) -> dict[str, Any]:
    """Return the rows of a question, newest bucket first, and what they are of; `names` are the metrics asked for."""
    (answer,) = ask(question)
    if fill is not Fill.NONE and question.width is not None:
        answer = replace(answer, rows=list(_filled(answer, fill)))
    data, most = list(answer.items()), question.limit or 0
    truncated = answer.truncated or len(data) > most
    metadata = {
        "interval": question.grain.key,
        "start_time": answer.range.start,
        "end_time": answer.range.end,
        "metrics": list(names),
        "group_by": [one.key for one in question.group_by],
        "as_of": answer.as_of,
        "data_source": "raw" if answer.source == "spans" else "aggregate",
        "distinct_error": DISTINCT_ERROR if answer.estimated else None,
        "total_points": min(len(data), most),
        "truncated": truncated,
    }
    return {"metadata": metadata, "data": data[:most]}


def _filled(answer: Answer, fill: Fill) -> Iterator[Row]:
    """Yield a row for every bucket and group, newest first, as many as are shown and one more."""
    question = answer.question
    assert question.width is not None
    groups: dict[tuple[str | None, ...], dict[datetime, Row]] = {} if question.group_by else {(): {}}
    for row in answer.rows:
        assert row.bucket is not None
        groups.setdefault(row.labels, {})[row.bucket] = row
    order = sorted(groups, key=lambda labels: [(label is None, label or "") for label in labels])
    starts = {labels: sorted(rows) for labels, rows in groups.items()}
    empty, left = nothing(question), (question.limit or 0) + 1
    for bucket in _buckets(answer.range, question.width):
        for labels in order:
            if left == 0:
                return
            left -= 1
            values = _before(groups[labels], starts[labels], bucket) if fill is Fill.PREVIOUS else None
            yield groups[labels].get(bucket) or Row(bucket=bucket, labels=labels, values=values or empty)


def _before(rows: Mapping[datetime, Row], starts: Sequence[datetime], bucket: datetime) -> tuple[Any, ...] | None:
    place = bisect_right(starts, bucket)
    return rows[starts[place - 1]].values if place else None


def _buckets(where: TimeRange, width: timedelta) -> Iterator[datetime]:
    """Yield the starts of the buckets of a range, newest first."""
    size = int(width.total_seconds())
    first = int(where.start.timestamp()) // size
    last = (int(where.end.timestamp() * 1_000_000) - 1) // (size * 1_000_000)
    for number in range(last, first - 1, -1):
        yield datetime.fromtimestamp(number * size, tz=UTC)


def query_table(
    *, question: Question, filters: Sequence[Mapping[str, Any]], conditions: Sequence[Mapping[str, Any]], ask: Ask = ask
) -> dict[str, Any]:
    """Return the rows of a question and what they are of; `filters` and `conditions` are shown as they were asked."""
    (answer,) = ask(question)
    data = list(answer.items())
    metadata = {
        "interval": question.grain.key,
        "start_time": answer.range.start,
        "end_time": answer.range.end,
        "group_by": [one.key for one in question.group_by],
        "filters_applied": list(filters),
        "having_conditions": list(conditions),
        "total_rows": len(data),
        "as_of": answer.as_of,
        "data_source": answer.source,
        "distinct_error": DISTINCT_ERROR if answer.estimated else None,
    }
    return {"metadata": metadata, "data": data}
