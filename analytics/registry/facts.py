"""What adds up: the facts that figures are made of. A fact of a range is the merger of the facts of its parts.

`sql` aggregates span rows `s`. Means and rates are made of these last; percentiles come from the values themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.registry.fields import TOTAL_TOKENS

CALLS = "s.call_counted"
USAGE = "s.usage_counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One aggregate over spans; NULL where there is nothing to aggregate, 0 for counts."""

    key: str
    sql: str


def _count(key: str, condition: str) -> Fact:
    return Fact(key=key, sql=f"count(*) FILTER (WHERE {condition})")


def _sum(key: str, value: str, condition: str) -> Fact:
    return Fact(key=key, sql=f"coalesce(sum({value}) FILTER (WHERE {condition}), 0)::bigint")


def _values(name: str, column: str) -> tuple[Fact, ...]:
    of_calls = f"FILTER (WHERE {CALLS})"
    return (
        _count(f"{name}_count", f"{CALLS} AND {column} IS NOT NULL"),
        _sum(f"{name}_sum", column, CALLS),
        Fact(key=f"{name}_min", sql=f"min({column}) {of_calls}"),
        Fact(key=f"{name}_max", sql=f"max({column}) {of_calls}"),
        *(
            # percentile_disc is the nearest rank: the least value whose rank is at least p times the count.
            Fact(
                key=f"{name}_p{percent}",
                sql=f"percentile_disc(0.{percent}) WITHIN GROUP (ORDER BY {column}) {of_calls}",
            )
            for percent in (50, 95, 99)
        ),
    )


FACTS: tuple[Fact, ...] = (
    _count("request_count", CALLS),
    _count("error_count", f"{CALLS} AND s.status_code = 'ERROR'"),
    _sum("total_tokens", TOTAL_TOKENS, USAGE),
    *_values("duration", "s.duration_ms"),
    *_values("ttft", "s.ttft_ms"),
)
FACTS_BY_KEY: Mapping[str, Fact] = {fact.key: fact for fact in FACTS}
