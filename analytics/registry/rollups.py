"""The rollups as data: which table keeps the facts of which buckets, by which labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from analytics.registry.facts import DISTINCTS, FACTS, SKETCHES, UNPRICED_FACTS, Distinct, Fact, Merge, Sketch

LABELS = ("provider", "model", "environment", "service_name", "operation_name", "status_code", "error_type")
USAGE_LABELS = ("user_id", "team_id", "provider", "model", "environment")
UNPRICED_LABELS = ("provider", "model", "unpriced_reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One table: buckets of `width` by organisation and project, and by `labels` where it has them.

    It is made of spans, or of the finer rollup `source`. A missing label is the empty text in it. `kind` says how long
    it is kept. A `sparse` one has many small rows, and NULL for every sum that is 0. One `by_user` has the most rows.
    One for `details` answers only what no other can.
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

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return ("organisation_id", "project_id", "bucket", *self.labels)

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns that hold values, with their types."""
        types = {fact.key: fact.type for fact in self.facts}
        for sketch in self.sketches:
            types |= {sketch.bins: "smallint[]", sketch.counts: "bigint[]"}
        return types | {one.registers: "integer[]" for one in self.distincts}

    def over_spans(self, fact: Fact) -> str:
        """Return the SQL over spans that makes the column of `fact`."""
        return self.kept(fact, fact.over_spans)

    def kept(self, fact: Fact, value: str) -> str:
        """Return the SQL of what is kept of `value` in the column of `fact`."""
        return f"nullif({value}, 0)" if self.sparse and fact.merge is Merge.SUM else value


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# In the order of refreshing: each comes after what it is made of. Days of usage are made of spans: hours of usage are
# kept for a week only, and a day that changes later could not be made of them.
ROLLUPS: tuple[Rollup, ...] = (
    Rollup(table="llm_metrics_1min", grain="1min", width=MINUTE, kind="minute", sparse=True),
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
    *(
        Rollup(
            table=f"llm_unpriced_{grain}",
            grain=grain,
            width=width,
            kind=kind,
            labels=UNPRICED_LABELS,
            facts=UNPRICED_FACTS,
            sketches=(),
            sparse=True,
            details=True,
        )
        for grain, width, kind in (("1hour", HOUR, "detail_hour"), ("1day", DAY, "detail_day"))
    ),
)
BY_TABLE: Mapping[str, Rollup] = {rollup.table: rollup for rollup in ROLLUPS}
KINDS: tuple[str, ...] = tuple(dict.fromkeys(rollup.kind for rollup in ROLLUPS))
# Kinds of which no other rollup is made: past their limit they need not be made anew.
LAST_KINDS: frozenset[str] = frozenset(KINDS) - {
    rollup.kind for rollup in ROLLUPS if any(other.source == rollup.table for other in ROLLUPS)
}
GRAIN_WIDTHS: Mapping[str, timedelta] = {rollup.grain: rollup.width for rollup in ROLLUPS}
