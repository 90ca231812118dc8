"""What only single rows tell: the newest message of an error, the dearest spans, prompts that repeat, which keys.

Each looks at a bounded number of rows that an index gives: so many of each project, which are then merged.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics.queries.plans import Filter, Question
from analytics.queries.sources import Segment
from analytics.queries.statements import Statements
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import COMPLETION_TOKENS, TOTAL_TOKENS
from analytics.scope import Scope

NANO = Decimal(1_000_000_000)
SAMPLED_SPANS, SAMPLED_MESSAGES, SAMPLED_FAILURES, MOST_KEYS, LEAST_FAILURES = 2000, 100, 5000, 200, 3
LEAST_SAMPLED, TIMES_THE_MEDIAN = 100, 5
_KEY = "s.organisation_id, s.project_id, s.ts, s.trace_id, s.span_id"
_NEWEST = "s.ts DESC, s.trace_id DESC, s.span_id DESC"
# As far as the index of failures goes: whichever of one moment is the last of a sample, there is nothing to be sorted.
_BY_START = "s.ts DESC"
# The content of the row `s`, within the range.
_CONTENT = """llm_contents AS content ON content.organisation_id = s.organisation_id
                AND content.project_id = s.project_id AND content.ts = s.ts AND content.trace_id = s.trace_id
                AND content.span_id = s.span_id AND content.ts >= %(from_0)s AND content.ts < %(to_0)s"""


def _spans(scope: Scope, where: TimeRange, filters: Sequence[Filter], **owner: str) -> tuple[str, str, dict[str, Any]]:
    """Return the relations, the condition and the parameters that choose spans."""
    question = Question(scope=scope, range=where, filters=filters, figures=())
    segments = [Segment(rollup=None, start=where.start, end=where.end)]
    return Statements(question=question, segments=segments).spans(**owner)


def first_spans(
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter],
    *,
    columns: Sequence[str] = (),
    condition: str = "true",
    order: str = _NEWEST,
    most: int,
) -> tuple[str, dict[str, Any]]:
    """Return a query of the first `most` spans in an order, and its parameters: each project is walked on its own."""
    owner = "s.organisation_id = tenant.organisation_id AND s.project_id = tenant.project_id"
    tables, chosen, parameters = _spans(scope, where, filters, owner=owner)
    sql = f"""
        SELECT s.* FROM unnest(%(organisations)s::int[], %(projects)s::int[]) AS tenant (organisation_id, project_id)
        CROSS JOIN LATERAL (
            SELECT {", ".join([_KEY, *columns])} FROM {tables} WHERE {chosen} AND {condition}
            ORDER BY {order} LIMIT {most}
        ) AS s ORDER BY {order} LIMIT {most}"""
    return sql, parameters


def error_messages(
    scope: Scope, where: TimeRange, filters: Sequence[Filter], types: Sequence[str | None]
) -> Mapping[str | None, str]:
    """Return the newest message of each type (`None`: without one) among its 100 newest failed requests."""
    failed, parameters = first_spans(
        scope,
        where,
        filters,
        columns=["s.error_type"],
        condition="s.call_counted AND s.status_code = 'ERROR' AND coalesce(s.error_type, '') = given.type",
        order=_BY_START,
        most=SAMPLED_MESSAGES,
    )
    sql = f"""
        SELECT given.type, found.error_message FROM unnest(%(types)s::text[]) AS given (type)
        CROSS JOIN LATERAL (
            SELECT content.error_message FROM ({failed}) AS s JOIN {_CONTENT}
            WHERE content.error_message IS NOT NULL ORDER BY {_NEWEST} LIMIT 1
        ) AS found"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"types": [one or "" for one in types]})
        return {kind or None: message for kind, message in cursor.fetchall()}


def dearest_spans(scope: Scope, where: TimeRange, filters: Sequence[Filter], *, limit: int) -> list[dict[str, Any]]:
    """Return the spans that cost most, dearest first."""
    sql, parameters = first_spans(
        scope,
        where,
        filters,
        columns=[
            "s.provider",
            "s.model",
            "s.total_cost_nanousd",
            f"{TOTAL_TOKENS} AS tokens",
            "s.duration_ms",
            "s.user_id",
        ],
        condition="s.usage_counted AND s.total_cost_nanousd IS NOT NULL",
        order="s.total_cost_nanousd DESC NULLS LAST, s.ts DESC, s.trace_id, s.span_id",
        most=limit,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [
            {
                "trace_id": bytes(trace).hex(),
                "timestamp": ts,
                "provider": provider,
                "model": model,
                "cost": Decimal(cost) / NANO,
                "tokens": tokens,
                "duration_ms": duration,
                "user_id": user,
            }
            for _, _, ts, trace, _, provider, model, cost, tokens, duration, user in cursor
        ]


def attribute_keys(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> list[str]:
    """Return the keys of free attributes among the newest spans of a range, in alphabetical order."""
    newest, parameters = first_spans(scope, where, filters, most=SAMPLED_SPANS)
    sql = f"""
        SELECT DISTINCT jsonb_object_keys(content.attributes) AS key FROM ({newest}) AS s JOIN {_CONTENT}
        WHERE content.attributes IS NOT NULL ORDER BY key LIMIT {MOST_KEYS}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [key for (key,) in cursor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What users say: the mean of their scores, and the share that is resolved among those who say; `None` of none."""

    score: Decimal | None
    resolved: Decimal | None


def feedback_of(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> Feedback:
    """Return the feedback of a range; with filters that about spans that meet them, or about a trace with such a one.

    Its time is that by which it ages, the start of what it is about.
    """
    tables, condition, parameters = _spans(scope, where, filters)
    about = ""
    if filters:
        about = f"""AND EXISTS (
            SELECT FROM {tables} WHERE {condition} AND s.organisation_id = o.organisation_id
                AND s.project_id = o.project_id AND s.trace_id = o.trace_id
                AND s.span_id = coalesce(o.span_id, s.span_id))"""
    sql = f"""
        SELECT round(avg(o.score), 6), round(avg(o.resolved::int), 6) FROM trace_feedback AS o
        WHERE o.organisation_id = ANY(%(organisations)s::int[]) AND o.project_id = ANY(%(projects)s::int[])
            AND o.ts >= %(from_0)s AND o.ts < %(to_0)s {about}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        score, resolved = cursor.fetchone()
    return Feedback(score=score, resolved=resolved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Prompts that were asked again, among the newest successful requests that have text, and what repeating cost."""

    sampled: int
    repeated: int
    prompts: int
    cost: Decimal


def repeated_prompts(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> Repeats:
    """Return how often the newest successful requests repeat the whole text of another of the same model."""
    requests, parameters = first_spans(
        scope,
        where,
        filters,
        columns=["s.provider", "s.model", "s.total_cost_nanousd"],
        condition="s.call_counted AND s.status_code <> 'ERROR'",
        most=SAMPLED_SPANS,
    )
    sql = f"""
        WITH newest AS (
            SELECT s.provider, s.model, md5(content.input_text) AS prompt, s.total_cost_nanousd, s.ts
            FROM ({requests}) AS s JOIN {_CONTENT} WHERE content.input_text <> ''
        ), numbered AS (
            SELECT *, row_number() OVER (PARTITION BY provider, model, prompt ORDER BY ts) AS place FROM newest
        )
        SELECT count(*), count(*) FILTER (WHERE place > 1), count(*) FILTER (WHERE place = 2),
            coalesce(sum(total_cost_nanousd) FILTER (WHERE place > 1), 0)::bigint
        FROM numbered"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        sampled, repeated, prompts, cost = cursor.fetchone()
    return Repeats(sampled=sampled, repeated=repeated, prompts=prompts, cost=Decimal(cost) / NANO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Traces in which one model failed at least `least` times among the newest failed requests, and what these cost."""

    sampled: int
    traces: int
    failures: int
    cost: Decimal
    least: int = LEAST_FAILURES


def retried_traces(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> Retries:
    """Return the traces in which a model failed again and again, among the newest 5,000 failed requests of a range."""
    failed, parameters = first_spans(
        scope,
        where,
        filters,
        columns=["s.provider", "s.model", "s.total_cost_nanousd"],
        condition="s.call_counted AND s.status_code = 'ERROR'",
        most=SAMPLED_FAILURES,
    )
    sql = f"""
        SELECT coalesce(sum(failures), 0)::bigint,
            count(DISTINCT (project_id, trace_id)) FILTER (WHERE failures >= {LEAST_FAILURES}),
            coalesce(sum(failures) FILTER (WHERE failures >= {LEAST_FAILURES}), 0)::bigint,
            coalesce(sum(cost) FILTER (WHERE failures >= {LEAST_FAILURES}), 0)::bigint
        FROM (
            SELECT s.project_id, s.trace_id, count(*) AS failures, sum(s.total_cost_nanousd) AS cost
            FROM ({failed}) AS s GROUP BY s.project_id, s.trace_id, s.provider, s.model
        ) AS failing"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        sampled, traces, failures, cost = cursor.fetchone()
    return Retries(sampled=sampled, traces=traces, failures=failures, cost=Decimal(cost) / NANO)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongOutputs:
    """The answers of a model among the newest requests, and those of them longer than `times` its own median."""

    model: str | None
    sampled: int
    tokens: int
    median: int
    p99: int
    outliers: int
    outlier_tokens: int
    times: int = TIMES_THE_MEDIAN


def long_outputs(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> list[LongOutputs]:
    """Return the models of which more than 1 % of the newest answers are outliers, first those with most such tokens.

    A model of which fewer than 100 answers are among them says too little.
    """
    requests, parameters = first_spans(
        scope,
        where,
        filters,
        columns=["s.provider", "s.model", f"{COMPLETION_TOKENS} AS tokens"],
        condition="s.call_counted AND s.usage_counted AND s.status_code <> 'ERROR'",
        most=SAMPLED_SPANS,
    )
    sql = f"""
        WITH newest AS (SELECT s.provider, s.model, s.tokens FROM ({requests}) AS s WHERE s.tokens > 0),
        usual AS (
            SELECT provider, model, count(*) AS sampled, sum(tokens) AS tokens,
                percentile_disc(0.5) WITHIN GROUP (ORDER BY tokens) AS median,
                percentile_disc(0.99) WITHIN GROUP (ORDER BY tokens) AS p99
            FROM newest GROUP BY provider, model HAVING count(*) >= {LEAST_SAMPLED}
        )
        SELECT u.model, u.sampled, u.tokens::bigint, u.median, u.p99, count(*), sum(n.tokens)::bigint
        FROM usual AS u JOIN newest AS n ON n.provider IS NOT DISTINCT FROM u.provider
            AND n.model IS NOT DISTINCT FROM u.model AND n.tokens > u.median * {TIMES_THE_MEDIAN}
        WHERE u.p99 > u.median * {TIMES_THE_MEDIAN}
        GROUP BY u.provider, u.model, u.sampled, u.tokens, u.median, u.p99
        ORDER BY 7 DESC, u.provider, u.model"""
    names = ("model", "sampled", "tokens", "median", "p99", "outliers", "outlier_tokens")
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [LongOutputs(**dict(zip(names, row, strict=True))) for row in cursor]


def cached_models(models: Collection[tuple[str | None, str | None]]) -> frozenset[tuple[str | None, str | None]]:
    """Return those of `models` (provider, model) whose price today has a rate of its own for cached input."""
    named = sorted((provider, model) for provider, model in models if provider and model)
    if not named:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT given.provider, given.model
            FROM unnest(%(providers)s::text[], %(models)s::text[]) AS given (provider, model)
            WHERE EXISTS (
                SELECT FROM model_prices AS p WHERE p.organisation_id = 0 AND p.provider = given.provider
                    AND p.cache_read IS NOT NULL AND (p.valid_to IS NULL OR p.valid_to > now())
                    AND (p.model_pattern = given.model
                        OR right(p.model_pattern, 1) = '*' AND starts_with(given.model, rtrim(p.model_pattern, '*'))))
            """,
            {"providers": [one for one, _ in named], "models": [one for _, one in named]},
        )
        return frozenset(cursor.fetchall())
