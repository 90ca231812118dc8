"""Latency, errors and throughput of model calls, in total and over time."""

from collections.abc import Sequence
from typing import Any

from analytics.queries.figures import Answer, ask
from analytics.queries.plans import Filter, Question, Sort
from analytics.queries.shapes import ORIGIN_MEMBERS, RANGE_MEMBERS, TIMESTAMP_LEAF, Kind, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.grains import Grain
from analytics.scope import Scope

PERFORMANCE = Tree(
    members={
        **figures(
            "request_count",
            "avg_latency_ms",
            "min_latency_ms",
            "max_latency_ms",
            "p50_latency_ms",
            "p95_latency_ms",
            "p99_latency_ms",
            "avg_ttft_ms",
            "p50_ttft_ms",
            "p95_ttft_ms",
            "p99_ttft_ms",
            "error_rate",
            "throughput_rps",
            "total_tokens",
            "tokens_per_second",
        ),
        "time_series": Tree(
            members={
                "timestamp": TIMESTAMP_LEAF,
                **figures(
                    "avg_latency_ms",
                    "min_latency_ms",
                    "max_latency_ms",
                    "p95_latency_ms",
                    "request_count",
                    "total_tokens",
                ),
            },
            many=True,
            always=("timestamp",),
            description="Oldest first; buckets without requests are left out.",
        ),
    }
)
METADATA = Tree(members={**RANGE_MEMBERS, "granularity": leaf(Kind.TEXT, "Width of the buckets."), **ORIGIN_MEMBERS})


def performance(
    *, scope: Scope, where: TimeRange, filters: Sequence[Filter], grain: Grain, wanted: Tree = PERFORMANCE
) -> dict[str, Any]:
    """Return the members of `wanted`, of which nothing else is computed, and their metadata."""
    series = wanted.tree("time_series")
    asked = Question(scope=scope, range=where, filters=filters, grain=exactly(grain), figures=wanted.figures)
    questions = [asked] if wanted.figures else []
    questions += [over_time(asked, grain, series)] if series.members else []
    answers = ask(*questions)
    body: dict[str, Any] = dict(answers[0].totals) if wanted.figures else {}
    if series.members:
        body["time_series"] = list(answers[-1].items())
    return wanted.cut(body) | {"metadata": metadata(*answers, granularity=grain.key)}


def exactly(grain: Grain) -> Grain:
    """Return the grain of the whole range that is computed as `grain` is."""
    return Grain(key="all", width=None, exact=grain.exact, longest=grain.longest, next=grain.next)


def over_time(question: Question, grain: Grain, series: Tree) -> Question:
    """Return the question of the same over time, oldest first, without buckets that have no requests."""
    return Question(
        scope=question.scope,
        range=question.range,
        filters=question.filters,
        grain=grain,
        figures=series.figures,
        sort=Sort(descending=False),
        presence=("request_count",),
    )


def metadata(*answers: Answer, **more: Any) -> dict[str, Any]:
    """Return the range that was answered, and where it was answered from."""
    sources = {answer.source for answer in answers}
    return {
        "start_time": min(answer.range.start for answer in answers),
        "end_time": max(answer.range.end for answer in answers),
        **more,
        "as_of": answers[0].as_of,
        "data_source": sources.pop() if len(sources) == 1 else "mixed",
    }
