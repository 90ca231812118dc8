"""The rollups as data: which table keeps the facts of which buckets, by which labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from analytics.registry.facts import (
    DISTINCTS,
    FACTS,
    FACTS_BY_KEY,
    SKETCHES,
    UNPRICED_FACTS,
    Distinct,
    Fact,
    Merge,
    Sketch,
)

LABELS = ("provider", "model", "environment", "service_name", "operation_name", "status_code", "error_type")
USAGE_LABELS = ("user_id", "team_id", "provider", "model", "environment")
UNPRICED_LABELS = ("provider", "model", "unpriced_reason")
MODEL_LABELS = ("provider", "model", "environment", "operation_name", "status_code", "error_type")
# What a fact is in most rows, which stand for few spans: a sparse rollup keeps NULL instead. Braces name other facts.
_USUAL: Mapping[str, str] = {
    "span_count": "{request_count}",
    "usage_count": "{request_count}",
    "priced_count": "{usage_count}",
    "total_cost_nanousd": "{prompt_cost_nanousd} + {completion_cost_nanousd}",
    "duration_sum": "coalesce({duration_max}, 0)",
    "duration_min": "{duration_max}",
    "ttft_sum": "coalesce({ttft_max}, 0)",
    "ttft_min": "{ttft_max}",
}
_NOTHING = "0"
# Neither a row of many nor a time to first token needs eight bytes.
_NARROW = {*(fact.key for fact in FACTS if fact.key.endswith("_count")), "ttft_min", "ttft_max"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One table: buckets of `width` by organisation and project, and by `labels` where it has them.

    It is made of spans, or of the finer rollup `source`. A missing label is the empty
    text in it. `kind` says how long it is kept. A `sparse` one has many small rows, and keeps as NULL whatever follows
    from the rest of the row: what is as usual, and a sketch of one bin. One `by_user` has the most rows. One for
    `details` answers only what no other can. A `late` one came when others of its width were there, which have more
    rows and answer for what was before it.
    """

    table: str
    grain: str
    width: timedelta
    kind: str
    labels: tuple[str, ...] = ()
    source: str | None = None
    facts: tuple[Fact, ...] = FACTS
    sketches: tuple[Sketch, ...] = SKETCHES
    distincts: tuple[Distinct, ...] = ()
    sparse: bool = False
    by_user: bool = False
    details: bool = False
    late: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return ("organisation_id", "project_id", "bucket", *self.labels)

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns that hold values, with their types."""
        narrow = _NARROW if self.sparse else frozenset()
        types = {fact.key: "integer" if fact.key in narrow else fact.type for fact in self.facts}
        for sketch in self.sketches:
            types |= {sketch.bins: "smallint[]", sketch.counts: "integer[]" if self.sparse else "bigint[]"}
        return types | {one.registers: "integer[]" for one in self.distincts}

    def kept(self, fact: Fact, value: Callable[[str], str]) -> str:
        """Return the SQL of what is kept in the column of `fact`; `value` gives that of a fact's value by its key."""
        usual = self._usual(fact.key)
        own = value(fact.key)
        return (
            own if usual is None else f"nullif({own}, {usual.format_map({one.key: value(one.key) for one in FACTS})})"
        )

    def read(self, fact: Fact, row: str) -> str:
        """Return the SQL of a fact of `row`; a sum of nothing may be NULL, which adds as little."""
        return f"{row}.{fact.key}" if self._usual(fact.key) == _NOTHING else self.value(fact.key, row)

    def arrays(self, sketch: Sketch, row: str) -> tuple[str, str]:
        """Return the SQL of bins and counts of a sketch in a `row` that has one; counts are NULL where each is 1."""
        bins, counts = (f"{row}.{column}" for column in sketch.columns)
        if not self.sparse:
            return bins, counts
        only, all_of_it = f"observatory_bin({row}.{sketch.greatest})", f"{row}.{sketch.count}"
        return (
            f"coalesce({bins}, ARRAY[{only}])",
            f"CASE WHEN {bins} IS NULL THEN ARRAY[{all_of_it}] ELSE {counts} END",
        )

    def value(self, key: str, row: str) -> str:
        """Return the SQL of a fact of `row` as a number, whatever follows from it."""
        usual = self._usual(key)
        if usual is None:
            return f"{row}.{key}"
        others = {one.key: self.value(one.key, row) for one in FACTS if f"{{{one.key}}}" in usual}
        return f"coalesce({row}.{key}, {usual.format_map(others)})"

    def _usual(self, key: str) -> str | None:
        if not self.sparse:
            return None
        return _USUAL.get(key, _NOTHING if FACTS_BY_KEY[key].merge is Merge.SUM else None)


MINUTE, FIVE, HOUR, DAY = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
# In the order of refreshing: each comes after what it is made of. Days of usage are made of spans: hours of usage are
# kept for a week only, without sketches, whose making from five minutes took as long as from spans.
ROLLUPS: tuple[Rollup, ...] = (
    Rollup(table="llm_metrics_1min", grain="1min", width=MINUTE, kind="minute", sparse=True),
    # Five minutes answer for the ends of a range and the hour that is still open. Their sketches took twice as long to
    # make as all the rest of them.
    Rollup(
        table="llm_models_5min",
        grain="5min",
        width=FIVE,
        kind="recent",
        labels=MODEL_LABELS,
        sketches=(),
        sparse=True,
        late=True,
    ),
    Rollup(table="llm_metrics_1hour", grain="1hour", width=HOUR, kind="hour", labels=LABELS, sparse=True),
    Rollup(table="llm_totals_1hour", grain="1hour", width=HOUR, kind="hour", source="llm_metrics_1hour"),
    Rollup(
        table="llm_usage_1hour",
        grain="1hour",
        width=HOUR,
        kind="usage_hour",
        labels=USAGE_LABELS,
        sketches=(),
        sparse=True,
        by_user=True,
    ),
    Rollup(
        table="llm_metrics_1day",
        grain="1day",
        width=DAY,
        kind="day",
        labels=LABELS,
        source="llm_metrics_1hour",
        sparse=True,
    ),
    Rollup(table="llm_totals_1day", grain="1day", width=DAY, kind="day", source="llm_totals_1hour"),
    Rollup(
        table="llm_usage_1day",
        grain="1day",
        width=DAY,
        kind="usage_day",
        labels=USAGE_LABELS,
        sparse=True,
        by_user=True,
    ),
    Rollup(
        table="llm_distinct_1day",
        grain="1day",
        width=DAY,
        kind="usage_day",
        facts=FACTS[:1],
        sketches=(),
        distincts=DISTINCTS,
    ),
    Rollup(
        table="llm_distinct_1hour",
        grain="1hour",
        width=HOUR,
        kind="detail_hour",
        facts=FACTS[:1],
        sketches=(),
        distincts=DISTINCTS,
        details=True,
    ),
    Rollup(
        table="llm_models_1day",
        grain="1day",
        width=DAY,
        kind="model_day",
        labels=MODEL_LABELS,
        source="llm_metrics_1hour",
        sparse=True,
        late=True,
    ),
    *(
        Rollup(
            table=f"llm_unpriced_{grain}",
            grain=grain,
            width=width,
            kind=kind,
            labels=UNPRICED_LABELS,
            facts=UNPRICED_FACTS,
            sketches=(),
            details=True,
        )
        for grain, width, kind in (("1hour", HOUR, "detail_hour"), ("1day", DAY, "detail_day"))
    ),
)
BY_TABLE: Mapping[str, Rollup] = {rollup.table: rollup for rollup in ROLLUPS}
# Minutes of busy projects, by the table of the hour that is made of them: for questions, too, where they were made.
SLICE = MINUTE
SLICE_GRAIN = "slice"
SLICES: Mapping[str, Rollup] = {
    one.table: replace(one, table=one.table.replace("1hour", "slice"), grain=SLICE_GRAIN, width=SLICE)
    for one in ROLLUPS
    if one.width == HOUR and one.source is None
}
# All that answers questions, by its table.
ANSWERING: Mapping[str, Rollup] = {**BY_TABLE, **{one.table: one for one in SLICES.values()}}
# What is made of slices where there are some: those hours, and five minutes that questions read.
OF_SLICES: Mapping[str, Rollup] = {**SLICES, "llm_models_5min": SLICES["llm_metrics_1hour"]}
KINDS: tuple[str, ...] = tuple(dict.fromkeys(rollup.kind for rollup in ROLLUPS))
# Kinds of which no other rollup is made: past their limit they need not be made anew.
LAST_KINDS: frozenset[str] = frozenset(KINDS) - {
    rollup.kind for rollup in ROLLUPS if any(other.source == rollup.table for other in ROLLUPS)
}
GRAIN_WIDTHS: Mapping[str, timedelta] = {rollup.grain: rollup.width for rollup in ROLLUPS}
