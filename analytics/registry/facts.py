"""What adds up: the facts that figures are made of, and the rollups that keep them.

A fact of a range is the merger of the facts of its parts, so it is the same from spans and from any rollup. Means and
rates are made of facts last. Percentiles come from the values themselves, or from sketches, which add up bin by bin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

CALLS = "s.call_counted"
USAGE = "s.usage_counted"
TOKEN_PARTS = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "visible_output_tokens",
    "reasoning_tokens",
    "audio_output_tokens",
)


class Merge(StrEnum):
    """How the facts of two parts become the fact of both."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One aggregate: `over_spans` is SQL over span rows `s`, and rollups keep it in a column of the fact's name.

    Sums are 0 over nothing; least and greatest are NULL.
    """

    key: str
    over_spans: str
    merge: Merge = Merge.SUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A latency whose distribution rollups keep: sparse bins of `value` over spans that meet `condition`."""

    key: str
    value: str
    condition: str = CALLS

    @property
    def bins(self) -> str:
        """Name of the array column of bin numbers."""
        return f"{self.key}_bins"

    @property
    def counts(self) -> str:
        """Name of the array column of counts, beside the bins."""
        return f"{self.key}_counts"

    @property
    def columns(self) -> tuple[str, str]:
        """Names of both columns."""
        return self.bins, self.counts


def _count(key: str, condition: str) -> Fact:
    return Fact(key=key, over_spans=f"count(*) FILTER (WHERE {condition})")


def _sum(key: str, value: str, condition: str) -> Fact:
    return Fact(key=key, over_spans=f"coalesce(sum({value}) FILTER (WHERE {condition}), 0)::bigint")


def _extremes(name: str, value: str) -> tuple[Fact, Fact]:
    return (
        Fact(key=f"{name}_min", over_spans=f"min({value}) FILTER (WHERE {CALLS})", merge=Merge.MIN),
        Fact(key=f"{name}_max", over_spans=f"max({value}) FILTER (WHERE {CALLS})", merge=Merge.MAX),
    )


FACTS: tuple[Fact, ...] = (
    Fact(key="span_count", over_spans="count(*)"),
    _count("request_count", CALLS),
    _count("error_count", f"{CALLS} AND s.status_code = 'ERROR'"),
    _count("usage_count", USAGE),
    _count("priced_count", f"{USAGE} AND s.total_cost_nanousd IS NOT NULL"),
    _count("unpriced_count", f"({USAGE} OR {CALLS}) AND s.unpriced_reason IS NOT NULL"),
    *(_sum(part, f"s.{part}", USAGE) for part in TOKEN_PARTS),
    _sum("prompt_cost_nanousd", "s.prompt_cost_nanousd", USAGE),
    _sum("completion_cost_nanousd", "s.completion_cost_nanousd", USAGE),
    _sum("total_cost_nanousd", "s.total_cost_nanousd", USAGE),
    _sum("reported_cost_nanousd", "s.reported_cost_nanousd", USAGE),
    _sum("duration_sum", "s.duration_ms", CALLS),
    *_extremes("duration", "s.duration_ms"),
    _count("ttft_count", f"{CALLS} AND s.ttft_ms IS NOT NULL"),
    _sum("ttft_sum", "s.ttft_ms", CALLS),
    *_extremes("ttft", "s.ttft_ms"),
)
FACTS_BY_KEY: Mapping[str, Fact] = {fact.key: fact for fact in FACTS}

SKETCHES: tuple[Sketch, ...] = (
    Sketch(key="duration", value="s.duration_ms"),
    Sketch(key="ttft", value="s.ttft_ms", condition=f"{CALLS} AND s.ttft_ms IS NOT NULL"),
)
SKETCHES_BY_KEY: Mapping[str, Sketch] = {sketch.key: sketch for sketch in SKETCHES}
