"""The same questions answered by reading every span in Python, as slowly and plainly as can be."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from math import ceil

from django.db import connection

from analytics.queries.plans import Comparison, Operator
from analytics.registry.dimensions import PROJECT

NANO = Decimal(10**9)
INPUT = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input")
OUTPUT = ("visible_output", "reasoning", "audio_output")
TOKENS = {
    "total_tokens": (*INPUT, *OUTPUT),
    "prompt_tokens": INPUT,
    "completion_tokens": OUTPUT,
    "uncached_input_tokens": INPUT[:1],
    "cache_read_tokens": INPUT[1:2],
    "cache_write_tokens": INPUT[2:4],
    "reasoning_tokens": OUTPUT[1:2],
}
COSTS = ("total_cost", "prompt_cost", "completion_cost")


def spans(scope):
    """Every stored span of the scope, as a dict with its tags and attributes."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.*, c.tags, c.attributes::text AS attributes_text FROM llm_traces AS s
            LEFT JOIN llm_contents AS c USING (organisation_id, project_id, ts, trace_id, span_id)
            WHERE project_id = ANY(%s)""",
            [list(scope.projects)],
        )
        names = [one.name for one in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def labels_of(question, span, dimension):
    """The labels of a span: several for its tags, and `None` without any."""
    if dimension.key == PROJECT:
        return [str(question.scope.projects[span["project_id"]].public_id)]
    if dimension.list:
        return span["tags"] or [None]
    if dimension.attribute:
        return [json.loads(span["attributes_text"] or "{}").get(dimension.attribute)]
    return [span[dimension.key]]


def matches(one, label):
    if label is None:
        return False
    return label.startswith(one.values[0]) if one.operator is Operator.STARTS_WITH else label in one.values


def passes(question, span, chosen):
    for one in question.filters:
        labels = [chosen[one.dimension]] if one.dimension in chosen else labels_of(question, span, one.dimension)
        if any(matches(one, label) for label in labels) == one.operator.negative:
            return False
    return True


def choices(question, span):
    """Every combination of labels that a span counts under."""
    found = [{}]
    for dimension in question.group_by:
        found = [{**chosen, dimension: label} for chosen in found for label in labels_of(question, span, dimension)]
    return [chosen for chosen in found if passes(question, span, chosen)]


def answer(question, stored):
    """Rows (bucket, labels, values) of a question over `stored` spans, in the order of the question."""
    groups = defaultdict(list)
    for span in stored:
        if question.range.start <= span["ts"] < question.range.end:
            for chosen in choices(question, span):
                key = (bucket(span["ts"], question.width), *(chosen[one] for one in question.group_by))
                groups[key].append(span)
    whole = not question.group_by and question.width is None
    if whole:
        groups.setdefault((None,), [])
    seconds = Decimal(str((question.width or question.range.end - question.range.start).total_seconds()))
    rows = [
        (key[0], key[1:], tuple(value(one, members, seconds) for one in question.figures))
        for key, members in groups.items()
        if (whole or present(question, members))
        and all(meets(value(one.figure, members, seconds), one.comparison, one.value) for one in question.having)
    ]
    return arranged(question, rows)


def bucket(ts, width):
    if width is None:
        return None
    size = int(width.total_seconds())
    return datetime.fromtimestamp(int(ts.timestamp()) // size * size, tz=UTC)


def present(question, members):
    if any(one.of.distinct for one in question.asked):
        return bool(members)
    return any(span["call_counted"] or span["usage_counted"] for span in members)


def meets(found, comparison, bound):
    if found is None:
        return False
    return {
        Comparison.GT: found > bound,
        Comparison.GTE: found >= bound,
        Comparison.LT: found < bound,
        Comparison.LTE: found <= bound,
        Comparison.EQ: found == bound,
    }[comparison]


def arranged(question, rows):
    rows.sort(key=lambda row: [(label is None, label or "") for label in row[1]])
    if question.width is not None:
        by_time = question.sort.by == "timestamp"
        rows.sort(key=lambda row: row[0], reverse=question.sort.descending or not by_time)
    names = [*(one.key for one in question.figures), *(one.key for one in question.group_by)]
    if question.sort.by in names:
        place = names.index(question.sort.by)
        known = [row for row in rows if (*row[2], *row[1])[place] is not None]
        known.sort(key=lambda row: (*row[2], *row[1])[place], reverse=question.sort.descending)
        rows = known + [row for row in rows if (*row[2], *row[1])[place] is None]
    return rows[: question.limit]


def value(figure, members, seconds):
    name, how = figure.measure.key, figure.aggregation
    calls = [span for span in members if span["call_counted"]]
    used = [span for span in members if span["usage_counted"]]
    if name in COSTS:
        return cost(name, how, used, unpriced(members))
    if name in TOKENS:
        return spread([tokens(one, name) for one in used], how)
    if name in LATENCIES:
        return spread([one[LATENCIES[name]] for one in calls if one[LATENCIES[name]] is not None], how)
    return COUNTS[name](members, calls, used, seconds)


def failed(calls):
    return len([span for span in calls if span["status_code"] == "ERROR"])


def unpriced(members):
    return len([one for one in members if (one["call_counted"] or one["usage_counted"]) and one["unpriced_reason"]])


def rate(part, whole):
    return rounded(part, whole, 6) if whole else Decimal(0)


LATENCIES = {"duration": "duration_ms", "time_to_first_token": "ttft_ms"}
COUNTS = {
    "request_count": lambda _, calls, __, ___: len(calls),
    "error_count": lambda _, calls, __, ___: failed(calls),
    "success_count": lambda _, calls, __, ___: len(calls) - failed(calls),
    "unpriced_count": lambda members, _, __, ___: unpriced(members),
    "error_rate": lambda _, calls, __, ___: rate(failed(calls), len(calls)),
    "success_rate": lambda _, calls, __, ___: rate(len(calls) - failed(calls), len(calls)),
    "throughput": lambda _, calls, __, seconds: rounded(len(calls), seconds, 6),
    "token_throughput": lambda _, __, used, seconds: rounded(
        sum(tokens(one, "total_tokens") for one in used), seconds, 6
    ),
    "unique_users": lambda members, _, __, ___: len({one["user_id"] for one in members} - {None}),
    "unique_sessions": lambda members, _, __, ___: len({one["session_id"] for one in members} - {None}),
}


def cost(name, how, used, without_price):
    priced = [one[f"{name}_nanousd"] for one in used if one["total_cost_nanousd"] is not None]
    if how == "sum":
        return None if not priced and (used or without_price) else sum(priced) / NANO
    if how == "avg":
        return rounded(sum(priced), len(priced), 0) / NANO if priced else None
    found = spread(priced, how)
    return None if found is None else found / NANO


def tokens(span, name):
    return sum(span[f"{part}_tokens"] for part in TOKENS[name])


def rounded(part, whole, decimals):
    return (Decimal(part) / Decimal(whole)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def spread(values, how):
    ordered = sorted(values)
    if how in {"count", "sum"}:
        return len(ordered) if how == "count" else sum(ordered)
    if not ordered:
        return None
    ways = {
        "avg": lambda: rounded(sum(ordered), len(ordered), 3),
        "min": lambda: ordered[0],
        "max": lambda: ordered[-1],
    }
    return ways[how]() if how in ways else ordered[ceil(int(how[1:]) * len(ordered) / 100) - 1]
