"""Figures over the spans of a list."""

from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection

from analytics.pricing.money import sum_of_costs
from analytics.queries.spans import Spans, all_of
from analytics.registry.fields import TOTAL_TOKENS

_AGGREGATES = f"""
    count(*), count(DISTINCT (s.project_id, s.trace_id)),
    sum(s.total_cost_nanousd) FILTER (WHERE s.usage_counted), count(*) FILTER (WHERE s.usage_counted),
    count(*) FILTER (WHERE s.unpriced_reason IS NOT NULL AND (s.usage_counted OR s.call_counted)),
    coalesce(sum({TOTAL_TOKENS}) FILTER (WHERE s.usage_counted), 0)::bigint,
    sum(s.duration_ms)::bigint, min(s.duration_ms), max(s.duration_ms),
    count(*) FILTER (WHERE s.status_code = 'ERROR')
"""
_MS, _RATE = Decimal("0.001"), Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Cost and tokens are of counted spans; cost is `None` when none of them is priced; the rest is of all spans."""

    total_count: int
    trace_count: int
    total_cost_usd: Decimal | None
    unpriced_requests: int
    total_tokens: int
    avg_duration_ms: Decimal | None
    min_duration_ms: int | None
    max_duration_ms: int | None
    success_count: int
    error_count: int
    success_rate: Decimal


STATISTICS: tuple[str, ...] = tuple(field.name for field in fields(Statistics))


def span_statistics(spans: Spans) -> Statistics:
    """Return the figures over all of `spans`."""
    with connection.cursor() as cursor:
        cursor.execute(*all_of(spans, _AGGREGATES))
        count, traces, cost, counted, unpriced, tokens, duration, least, most, errors = cursor.fetchone()
    return Statistics(
        total_count=count,
        trace_count=traces,
        total_cost_usd=sum_of_costs(cost, over=counted),
        unpriced_requests=unpriced,
        total_tokens=tokens,
        avg_duration_ms=(Decimal(duration) / count).quantize(_MS, ROUND_HALF_UP) if count else None,
        min_duration_ms=least,
        max_duration_ms=most,
        success_count=count - errors,
        error_count=errors,
        success_rate=(Decimal(count - errors) / count).quantize(_RATE, ROUND_HALF_UP) if count else Decimal(0),
    )
