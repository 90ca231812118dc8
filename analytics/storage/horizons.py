"""From when on data are complete: what is older than its horizon was dropped, and nothing is made of what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection

from analytics.registry.rollups import SLICE_GRAIN, Rollup
from analytics.storage.prepared import Prepared, as_array, instant

EVER = datetime(1, 1, 1, tzinfo=UTC)
# SQL: the row `marks` of organisation_id, project_id, bucket lies where spans were dropped.
SPANS_ARE_GONE = """EXISTS (
    SELECT FROM retention_horizons AS h
    WHERE h.kind = 'spans' AND h.organisation_id IN (0, marks.organisation_id)
        AND h.project_id IN (0, marks.project_id) AND h.kept_since > marks.bucket)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizons:
    """Since when spans, and the rollups of each kind, are all there; UTC midnights."""

    spans: datetime = EVER
    rollups: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, rollup: Rollup) -> datetime:
        """Return since when `rollup` is all there; slices are deleted with the day's end, so spans are kept as long."""
        since = self.rollups.get(rollup.kind, EVER)
        return max(since, self.spans) if rollup.grain == SLICE_GRAIN else since


_HORIZONS = Prepared(
    """
    SELECT kind, (extract(epoch FROM max(kept_since)) * 1000000)::bigint FROM retention_horizons
    WHERE project_id = 0 OR project_id = ANY(%(projects)s::int[]) GROUP BY kind
    """
)


def horizons_of(projects: Sequence[int]) -> Horizons:
    """Return the horizons that hold for all of `projects` together."""
    told = _HORIZONS.rows({"projects": as_array(projects)})
    found = {kind: instant(since) for kind, since in told if kind is not None and since is not None}
    return Horizons(spans=found.pop("spans", EVER), rollups=found)


def move_horizon(kind: str, *, to: datetime, organisation_id: int = 0, project_id: int = 0) -> None:
    """Say that data of `kind` before `to` may be gone; a horizon never moves back."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO retention_horizons AS known (kind, organisation_id, project_id, kept_since)
            VALUES (%s, %s, %s, %s)
            ON CONFLICT (kind, organisation_id, project_id) DO UPDATE
            SET kept_since = greatest(known.kept_since, excluded.kept_since)
            """,
            [kind, organisation_id, project_id, to],
        )


def forget_marks_behind() -> int:
    """Delete the marks of buckets whose spans are gone: nothing could be made of them. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM bucket_change AS marks WHERE {SPANS_ARE_GONE}")
        deleted: int = cursor.rowcount
    return deleted
