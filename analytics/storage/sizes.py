"""What the storage holds: rows of days and projects, the range with spans, rollups and how far they are behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from analytics.registry.rollups import DAY, GRAIN_WIDTHS, ROLLUPS
from analytics.storage.engines import StoredDay, engine
from analytics.storage.spans import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Rows of `table` with `column` in `[start, end)`."""

    table: str
    column: str
    start: datetime
    end: datetime

    @property
    def condition(self) -> str:
        """The range as SQL with the parameters `start` and `end`."""
        return f"{self.column} >= %(start)s AND {self.column} < %(end)s"

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the condition."""
        return {"start": self.start, "end": self.end}


def day_of(stored: StoredDay) -> Range:
    """Return the rows of a stored day."""
    start = datetime(stored.day.year, stored.day.month, stored.day.day, tzinfo=UTC)
    return Range(table=stored.relation, column="ts", start=start, end=start + DAY)


def tenants_in(rows: Range) -> list[Tenant]:
    """Return the projects that have some of `rows`; the table's primary key begins with organisation and project."""
    # One step into the index for each project: DISTINCT would read every row.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE tenants AS (
                (SELECT organisation_id, project_id FROM {rows.table} WHERE {rows.condition} ORDER BY 1, 2 LIMIT 1)
                UNION ALL
                SELECT following.* FROM tenants, LATERAL (
                    SELECT organisation_id, project_id FROM {rows.table}
                    WHERE (organisation_id, project_id) > (tenants.organisation_id, tenants.project_id)
                        AND {rows.condition}
                    ORDER BY 1, 2 LIMIT 1) AS following
            )
            SELECT organisation_id, project_id FROM tenants
            """,
            rows.parameters,
        )
        return [Tenant(organisation_id=organisation, project_id=project) for organisation, project in cursor]


def counts_in(rows: Range) -> Mapping[Tenant, int]:
    """Return how many of `rows` each project has."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT organisation_id, project_id, count(*) FROM {rows.table} WHERE {rows.condition} GROUP BY 1, 2",
            rows.parameters,
        )
        return {Tenant(organisation_id=one, project_id=other): count for one, other, count in cursor}


def span_days() -> tuple[datetime, datetime] | None:
    """Return the range of whole days, from the first to the last with spans; `None` when there are no spans."""
    days = [day_of(one) for one in engine().days("llm_traces")]
    first = next((one for one in days if _has_rows(one)), None)
    last = next((one for one in reversed(days) if _has_rows(one)), None)
    return None if first is None or last is None else (first.start, last.end)


def _has_rows(rows: Range) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {rows.table} WHERE {rows.condition})", rows.parameters)
        found: bool = cursor.fetchone()[0]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupState:
    """A rollup: rows, bytes, start of its newest bucket, and how far its grain is behind."""

    table: str
    grain: str
    rows: int
    bytes: int
    watermark: datetime | None
    behind: "Behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Marked buckets of a grain, and for how long the first of those that have ended has been waiting."""

    marked: int
    lag: timedelta


def rollup_states(*, now: datetime) -> list[RollupState]:
    """Return every rollup in the order of refreshing."""
    behind = lag_by_grain(now=now)
    states = []
    for rollup in ROLLUPS:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*), max(bucket), pg_total_relation_size('{rollup.table}') FROM {rollup.table}"
            )
            rows, watermark, size = cursor.fetchone()
        states.append(
            RollupState(
                table=rollup.table,
                grain=rollup.grain,
                rows=rows,
                bytes=size,
                watermark=watermark,
                behind=behind[rollup.grain],
            )
        )
    return states


def lag_by_grain(*, now: datetime) -> Mapping[str, Behind]:
    """Return how far each grain is behind; a bucket waits from its end, or from its first change after it."""
    given: dict[str, Any] = {"grains": list(GRAIN_WIDTHS), "widths": list(GRAIN_WIDTHS.values()), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT grain, count(*),
                min(greatest(changed_at, bucket + width)) FILTER (WHERE bucket + width <= %(now)s)
            FROM (
                SELECT grain, bucket, min(changed_at) AS changed_at FROM bucket_change
                GROUP BY grain, organisation_id, project_id, bucket
            ) AS marked
            JOIN unnest(%(grains)s::text[], %(widths)s::interval[]) AS widths (grain, width) USING (grain)
            GROUP BY grain
            """,
            given,
        )
        found = {grain: (marked, since) for grain, marked, since in cursor}
    return {grain: _behind(*found.get(grain, (0, None)), now=now) for grain in GRAIN_WIDTHS}


def _behind(marked: int, since: datetime | None, *, now: datetime) -> Behind:
    return Behind(marked=marked, lag=max(now - since, timedelta()) if since else timedelta())
