"""The rollups as data: which table keeps the facts of which buckets, by which labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

LABELS = ("provider", "model", "environment", "service_name", "operation_name", "error_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One table: buckets of `width` by organisation and project, and by `labels` where it has them.

    It is made of spans, or of the finer rollup `source`. A missing label is the empty text in it.
    """

    table: str
    grain: str
    width: timedelta
    labels: tuple[str, ...] = ()
    source: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return ("organisation_id", "project_id", "bucket", *self.labels)


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# In the order of refreshing: each comes after what it is made of.
ROLLUPS: tuple[Rollup, ...] = (
    Rollup(table="llm_metrics_1min", grain="1min", width=MINUTE),
    Rollup(table="llm_metrics_1hour", grain="1hour", width=HOUR, labels=LABELS),
    Rollup(table="llm_totals_1hour", grain="1hour", width=HOUR, source="llm_metrics_1hour"),
    Rollup(table="llm_metrics_1day", grain="1day", width=DAY, labels=LABELS, source="llm_metrics_1hour"),
    Rollup(table="llm_totals_1day", grain="1day", width=DAY, source="llm_totals_1hour"),
)
BY_TABLE: Mapping[str, Rollup] = {rollup.table: rollup for rollup in ROLLUPS}
GRAIN_WIDTHS: Mapping[str, timedelta] = {rollup.grain: rollup.width for rollup in ROLLUPS}
