"""What adds up: the facts that figures are made of, and the rollups that keep them.

A fact of a range is the merger of the facts of its parts, so it is the same from spans and from any rollup. Means and
rates are made of facts last. Percentiles come from the values themselves, or from sketches, which add up bin by bin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from analytics.registry.fields import COMPLETION_TOKENS, PROMPT_TOKENS, TOTAL_TOKENS

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

    Sums are 0 over nothing; least and greatest are NULL. What is not `kept` is in no rollup: spans alone answer.
    `distinct` is the value of which one counts the different ones.
    """

    key: str
    over_spans: str
    merge: Merge = Merge.SUM
    kept: bool = True
    type: str = "bigint"
    distinct: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A number whose distribution can be asked for: `value` over spans that meet `condition`.

    Rollups keep sparse bins of those that are `kept`; of the others spans alone tell. `count` is the fact that counts
    those spans.
    """

    key: str
    value: str
    condition: str = CALLS
    kept: bool = True
    count: str = "request_count"

    @property
    def greatest(self) -> str:
        """Key of the fact that is the greatest value."""
        return f"{self.key}_max"

    @property
    def bins(self) -> str:
        """Name of the array column of bin numbers."""
        return f"{self.key}_bins"

    @property
    def counts(self) -> str:
        """Name of the array column of counts, beside the bins; NULL where each is 1."""
        return f"{self.key}_counts"

    @property
    def columns(self) -> tuple[str, str]:
        """Names of both columns."""
        return self.bins, self.counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """Something whose different values are counted: from the values themselves, or from registers that rollups keep.

    A register is 64 times its number plus its rank (see `sketches`); of two with one number the greater counts.
    """

    key: str
    value: str

    @property
    def registers(self) -> str:
        """Name of the array column of registers."""
        return f"{self.key}_registers"


def _count(key: str, condition: str) -> Fact:
    return Fact(key=key, over_spans=f"count(*) FILTER (WHERE {condition})")


def _sum(key: str, value: str, condition: str) -> Fact:
    return Fact(key=key, over_spans=f"coalesce(observatory_sum({value}) FILTER (WHERE {condition}), 0)")


def _different(key: str, value: str) -> Fact:
    return Fact(key=key, over_spans=f"count(DISTINCT {value})", kept=False, distinct=value)


def _extremes(name: str, value: str, condition: str = CALLS, *, kept: bool = True) -> tuple[Fact, Fact]:
    filtered = f"({value}) FILTER (WHERE {condition})"
    return (
        Fact(key=f"{name}_min", over_spans=f"min{filtered}", merge=Merge.MIN, kept=kept),
        Fact(key=f"{name}_max", over_spans=f"max{filtered}", merge=Merge.MAX, kept=kept),
    )


# Rollups keep these, each in a column of its name.
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
SKETCHES: tuple[Sketch, ...] = (
    Sketch(key="duration", value="s.duration_ms"),
    Sketch(key="ttft", value="s.ttft_ms", condition=f"{CALLS} AND s.ttft_ms IS NOT NULL", count="ttft_count"),
)

# When something without a price was first and last seen; rollups of it alone keep these.
_UNPRICED = f"(s.ts) FILTER (WHERE ({USAGE} OR {CALLS}) AND s.unpriced_reason IS NOT NULL)"
UNPRICED_FACTS: tuple[Fact, ...] = (
    *(fact for fact in FACTS if fact.key in {"span_count", "unpriced_count", *TOKEN_PARTS}),
    Fact(key="unpriced_min", over_spans=f"min{_UNPRICED}", merge=Merge.MIN, type="timestamptz"),
    Fact(key="unpriced_max", over_spans=f"max{_UNPRICED}", merge=Merge.MAX, type="timestamptz"),
)

# What one span costs and how many tokens it has: only spans tell least, greatest and percentiles of these.
SPREADS: Mapping[str, str] = {
    "total_cost": "s.total_cost_nanousd",
    "prompt_cost": "s.prompt_cost_nanousd",
    "completion_cost": "s.completion_cost_nanousd",
    "total_tokens": TOTAL_TOKENS,
    "prompt_tokens": PROMPT_TOKENS,
    "completion_tokens": COMPLETION_TOKENS,
    "uncached_input_tokens": "s.uncached_input_tokens",
    "cache_read_tokens": "s.cache_read_tokens",
    "cache_write_tokens": "(s.cache_write_5m_tokens + s.cache_write_1h_tokens)",
    "reasoning_tokens": "s.reasoning_tokens",
}
UNKEPT_FACTS: tuple[Fact, ...] = (
    *(fact for name, value in SPREADS.items() for fact in _extremes(name, value, USAGE, kept=False)),
    Fact(key="first_ts", over_spans="min(s.ts)", merge=Merge.MIN, kept=False),
    Fact(key="last_ts", over_spans="max(s.ts)", merge=Merge.MAX, kept=False),
    # Spans are one source, so these are whole.
    _different("trace_count", "(s.project_id, s.trace_id)"),
    _different("session_count", "s.session_id"),
    Fact(key="user_min", over_spans="min(s.user_id)", merge=Merge.MIN, kept=False),
)
UNKEPT_SKETCHES: tuple[Sketch, ...] = tuple(
    Sketch(key=name, value=value, condition=f"{USAGE} AND {value} IS NOT NULL", kept=False)
    for name, value in SPREADS.items()
)
DISTINCTS: tuple[Distinct, ...] = (
    Distinct(key="users", value="s.user_id"),
    Distinct(key="sessions", value="s.session_id"),
)
FACTS_BY_KEY: Mapping[str, Fact] = {fact.key: fact for fact in (*FACTS, *UNPRICED_FACTS, *UNKEPT_FACTS)}
SKETCHES_BY_KEY: Mapping[str, Sketch] = {sketch.key: sketch for sketch in (*SKETCHES, *UNKEPT_SKETCHES)}
DISTINCTS_BY_KEY: Mapping[str, Distinct] = {distinct.key: distinct for distinct in DISTINCTS}
