"""How many requests succeed, over time, what goes wrong with the others, and what users say."""

from collections.abc import Sequence
from typing import Any

from analytics.queries.figures import Ask, ask
from analytics.queries.plans import Filter, Question
from analytics.queries.reports.parts import ERRORS, errors_by_type, errors_shown
from analytics.queries.reports.performance import exactly, metadata, over_time
from analytics.queries.reports.samples import error_messages, feedback_of
from analytics.queries.shapes import TIMESTAMP_LEAF, Kind, Tree, figures, leaf
from analytics.queries.timerange import TimeRange
from analytics.registry.grains import Grain
from analytics.registry.measures import FIGURES
from analytics.scope import Scope

QUALITY = Tree(
    members={
        **figures("total_requests", "successful_requests", "failed_requests", "success_rate", "error_rate"),
        "avg_feedback_score": leaf(
            Kind.RATE, "Mean score of the feedback on what started in the range.", nullable=True
        ),
        "resolution_rate": leaf(
            Kind.RATE, "Share of that feedback that says resolved, of the feedback that says either.", nullable=True
        ),
        "error_breakdown": Tree(
            members={name: node for name, node in ERRORS.members.items() if name != "status_code"},
            many=True,
            description=ERRORS.description,
        ),
        "time_series": Tree(
            members={"timestamp": TIMESTAMP_LEAF, **figures("success_rate", "error_rate", "request_count")},
            many=True,
            always=("timestamp",),
            description="Oldest first; buckets without requests are left out.",
        ),
    }
)


def quality(
    *,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter] = (),
    grain: Grain,
    with_messages: bool = True,
    wanted: Tree = QUALITY,
    ask: Ask = ask,
) -> dict[str, Any]:
    """Return the members of `wanted`; sample messages are `None` unless `with_messages`."""
    series, breakdown = wanted.tree("time_series"), wanted.tree("error_breakdown")
    asked = Question(
        scope=scope,
        range=where,
        filters=filters,
        grain=exactly(grain),
        figures=list({one.key: one for one in (*wanted.figures, FIGURES["failed_requests"])}.values()),
    )
    questions = {"totals": asked}
    if series.members:
        questions["series"] = over_time(asked, grain, series)
    if breakdown.members:
        questions["errors"] = errors_by_type(scope, where, filters)
    answers = dict(zip(questions, ask(*questions.values()), strict=True))
    body: dict[str, Any] = dict(answers["totals"].totals)
    if series.members:
        body["time_series"] = list(answers["series"].items())
    if breakdown.members:
        types = [row.labels[0] for row in answers["errors"].rows]
        told = "sample_message" in breakdown and with_messages
        messages = error_messages(scope, where, filters, types) if told else {}
        body["error_breakdown"] = errors_shown(answers["errors"], body["failed_requests"], messages)
    if "avg_feedback_score" in wanted or "resolution_rate" in wanted:
        said = feedback_of(scope, where, filters)
        body |= {"avg_feedback_score": said.score, "resolution_rate": said.resolved}
    return {**wanted.cut(body), "metadata": metadata(*answers.values(), granularity=grain.key)}
