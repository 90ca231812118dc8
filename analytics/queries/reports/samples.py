"""What only single rows tell: the newest message of an error, the dearest spans, feedback, which keys there are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from analytics.queries.plans import Filter, Question
from analytics.queries.sources import Segment
from analytics.queries.statements import Statements
from analytics.queries.timerange import TimeRange
from analytics.registry.fields import TOTAL_TOKENS
from analytics.scope import Scope

NANO = Decimal(1_000_000_000)
SAMPLED_SPANS, MOST_KEYS, LEAST_FAILURES = 2000, 200, 3


def _spans(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> tuple[str, str, dict[str, Any]]:
    """Return the relations, the condition and the parameters that choose spans."""
    question = Question(scope=scope, range=where, filters=filters, figures=())
    return Statements(question=question, segments=[Segment(rollup=None, start=where.start, end=where.end)]).spans()


def error_messages(
    scope: Scope, where: TimeRange, filters: Sequence[Filter], types: Sequence[str | None]
) -> Mapping[str | None, str]:
    """Return the newest message of failed requests of each type (`None`: of those without a type)."""
    tables, condition, parameters = _spans(scope, where, filters)
    content = "" if "llm_contents" in tables else _CONTENT
    sql = f"""
        SELECT given.type, found.error_message FROM unnest(%(types)s::text[]) AS given (type)
        CROSS JOIN LATERAL (
            SELECT c.error_message FROM {tables}{content}
            WHERE {condition} AND s.call_counted AND s.status_code = 'ERROR' AND coalesce(s.error_type, '') = given.type
                AND c.error_message IS NOT NULL
            ORDER BY s.ts DESC LIMIT 1
        ) AS found"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"types": [one or "" for one in types]})
        return {kind or None: message for kind, message in cursor.fetchall()}


_CONTENT = """
    JOIN llm_contents AS c ON c.organisation_id = s.organisation_id AND c.project_id = s.project_id
        AND c.ts = s.ts AND c.trace_id = s.trace_id AND c.span_id = s.span_id
        AND c.ts >= %(from_0)s AND c.ts < %(to_0)s"""


def dearest_spans(scope: Scope, where: TimeRange, filters: Sequence[Filter], *, limit: int) -> list[dict[str, Any]]:
    """Return the spans that cost most, dearest first."""
    tables, condition, parameters = _spans(scope, where, filters)
    sql = f"""
        SELECT encode(s.trace_id, 'hex'), s.ts, s.provider, s.model, s.total_cost_nanousd, {TOTAL_TOKENS},
            s.duration_ms, s.user_id
        FROM {tables} WHERE {condition} AND s.usage_counted AND s.total_cost_nanousd IS NOT NULL
        ORDER BY s.total_cost_nanousd DESC, s.ts DESC, s.trace_id, s.span_id LIMIT %(limit)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"limit": limit})
        return [
            {
                "trace_id": trace,
                "timestamp": ts,
                "provider": provider,
                "model": model,
                "cost": Decimal(cost) / NANO,
                "tokens": tokens,
                "duration_ms": duration,
                "user_id": user,
            }
            for trace, ts, provider, model, cost, tokens, duration, user in cursor
        ]


def unpriced_spans(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> list[dict[str, Any]]:
    """Return what has no price, by provider, model and reason, most requests first."""
    tables, condition, parameters = _spans(scope, where, filters)
    sql = f"""
        SELECT s.provider, s.model, s.unpriced_reason, count(*),
            coalesce(sum({TOTAL_TOKENS}) FILTER (WHERE s.usage_counted), 0)::bigint, min(s.ts), max(s.ts)
        FROM {tables}
        WHERE {condition} AND (s.usage_counted OR s.call_counted) AND s.unpriced_reason IS NOT NULL
        GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3"""
    names = ("provider", "model", "reason", "request_count", "total_tokens", "first_seen", "last_seen")
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [dict(zip(names, row, strict=True)) for row in cursor]


def attribute_keys(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> list[str]:
    """Return the keys of free attributes among the newest spans of a range, in alphabetical order."""
    tables, condition, parameters = _spans(scope, where, filters)
    content = "" if "llm_contents" in tables else _CONTENT
    sql = f"""
        SELECT DISTINCT jsonb_object_keys(newest.attributes) AS key FROM (
            SELECT c.attributes FROM {tables}{content} WHERE {condition} AND c.attributes IS NOT NULL
            ORDER BY s.ts DESC LIMIT %(sampled)s) AS newest
        ORDER BY key LIMIT %(most)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"sampled": SAMPLED_SPANS, "most": MOST_KEYS})
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
    """Prompts that were asked again, among the newest requests with text, and what the repetitions cost."""

    sampled: int
    repeated: int
    prompts: int
    cost: Decimal


def repeated_prompts(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> Repeats:
    """Return how often the newest successful requests repeat the whole text of another of the same model."""
    tables, condition, parameters = _spans(scope, where, filters)
    content = "" if "llm_contents" in tables else _CONTENT
    sql = f"""
        WITH newest AS (
            SELECT s.provider, s.model, md5(c.input_text) AS prompt, s.total_cost_nanousd, s.ts
            FROM {tables}{content}
            WHERE {condition} AND s.call_counted AND s.status_code <> 'ERROR' AND c.input_text <> ''
            ORDER BY s.ts DESC LIMIT %(sampled)s
        ), numbered AS (
            SELECT *, row_number() OVER (PARTITION BY provider, model, prompt ORDER BY ts) AS place FROM newest
        )
        SELECT count(*), count(*) FILTER (WHERE place > 1), count(*) FILTER (WHERE place = 2),
            coalesce(sum(total_cost_nanousd) FILTER (WHERE place > 1), 0)::bigint
        FROM numbered"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"sampled": SAMPLED_SPANS})
        sampled, repeated, prompts, cost = cursor.fetchone()
    return Repeats(sampled=sampled, repeated=repeated, prompts=prompts, cost=Decimal(cost) / NANO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Traces in which one model failed at least `least` times, their failures and what these cost."""

    traces: int
    failures: int
    cost: Decimal
    least: int


def retried_traces(scope: Scope, where: TimeRange, filters: Sequence[Filter]) -> Retries:
    """Return the traces of a range in which a model failed again and again."""
    tables, condition, parameters = _spans(scope, where, filters)
    sql = f"""
        SELECT count(DISTINCT (project_id, trace_id)), coalesce(sum(failures), 0)::bigint,
            coalesce(sum(cost), 0)::bigint
        FROM (
            SELECT s.project_id, s.trace_id, count(*) AS failures, sum(s.total_cost_nanousd) AS cost
            FROM {tables} WHERE {condition} AND s.call_counted AND s.status_code = 'ERROR'
            GROUP BY s.project_id, s.trace_id, s.provider, s.model HAVING count(*) >= %(least)s
        ) AS failing"""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters | {"least": LEAST_FAILURES})
        traces, failures, cost = cursor.fetchone()
    return Retries(traces=traces, failures=failures, cost=Decimal(cost) / NANO, least=LEAST_FAILURES)


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
