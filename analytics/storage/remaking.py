"""Making chosen buckets anew on an operator's word: those that are marked, or all whose spans are still there.

Days are made of hours and hours of spans, so whoever makes hours anew marks their days, as a refresh does. A bucket
whose spans are gone is never touched: nothing could be made of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.registry.rollups import GRAIN_WIDTHS, HOUR, ROLLUPS
from analytics.storage import rollups, slices
from analytics.storage.buckets import GIVEN, Bucket, columns_of, lock_name
from analytics.storage.changes import floor
from analytics.storage.horizons import SPANS_ARE_GONE
from analytics.storage.rollups import BATCH_BUCKETS, HOURS_ARE_DONE
from analytics.storage.transactions import retried

_ORIGIN = "TIMESTAMPTZ '1970-01-01 00:00Z'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Buckets that lie in `[start, end)`, of `projects`; `None`: of all."""

    start: datetime
    end: datetime
    projects: Sequence[int] | None = None


def due_buckets(grain: str, window: Window) -> list[Bucket]:
    """Return the marked buckets of a window, oldest first; a day counts only when none of its hours is marked."""
    return _buckets(
        f"""
        SELECT DISTINCT organisation_id, project_id, bucket FROM bucket_change AS marks
        WHERE grain = %(grain)s AND bucket >= %(start)s AND bucket + %(width)s <= %(end)s {_of_projects(window)}
            AND NOT {SPANS_ARE_GONE} {HOURS_ARE_DONE if grain == "1day" else ""}
        ORDER BY bucket, organisation_id, project_id""",
        grain,
        window,
    )


def buckets_with_data(grain: str, window: Window) -> list[Bucket]:
    """Return the buckets of a window that have spans or rows of a rollup, oldest first."""
    parts = [
        f"""SELECT organisation_id, project_id, date_bin(%(width)s, ts, {_ORIGIN}) AS bucket FROM llm_traces
            WHERE ts >= %(start)s AND ts < %(end)s {_of_projects(window)}""",
        *(
            f"""SELECT organisation_id, project_id, bucket FROM {rollup.table}
            WHERE bucket >= %(start)s AND bucket < %(end)s {_of_projects(window)}"""
            for rollup in ROLLUPS
            if rollup.grain == grain
        ),
    ]
    return _buckets(
        f"""
        SELECT * FROM ({" UNION ".join(parts)}) AS marks
        WHERE bucket >= %(start)s AND bucket + %(width)s <= %(end)s AND NOT {SPANS_ARE_GONE}
        ORDER BY bucket, organisation_id, project_id""",
        grain,
        window,
    )


def _of_projects(window: Window) -> str:
    return "" if window.projects is None else "AND project_id = ANY(%(projects)s::int[])"


def _buckets(sql: str, grain: str, window: Window) -> list[Bucket]:
    given: dict[str, Any] = {"grain": grain, "width": GRAIN_WIDTHS[grain], "start": window.start, "end": window.end}
    if window.projects is not None:
        given["projects"] = list(window.projects)
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        buckets: list[Bucket] = cursor.fetchall()
    return buckets


def batches(grain: str, buckets: Sequence[Bucket]) -> list[Sequence[Bucket]]:
    """Return `buckets` in the portions that one transaction makes."""
    most = BATCH_BUCKETS[grain]
    return [buckets[place : place + most] for place in range(0, len(buckets), most)]


def remake(grain: str, buckets: Sequence[Bucket], *, corrects: bool = False) -> None:
    """Make `buckets` of every rollup of `grain` anew in one transaction, and take their marks.

    With `corrects` answers may change by it, and so the versions of their hours do.
    """
    retried(lambda: _remake(grain, buckets, corrects=corrects))


def _remake(grain: str, buckets: Sequence[Bucket], *, corrects: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [lock_name(grain)])
    if corrects:
        add_to_versions(buckets)
        slices.forget(buckets, GRAIN_WIDTHS[grain])  # they may be what is wrong
    rollups.remake(grain, buckets)


def add_to_versions(buckets: Sequence[Bucket]) -> None:
    """Count one change in the version of each hour that a bucket starts in; part of the caller's transaction."""
    hours = sorted({(organisation, project, floor(start, HOUR)) for organisation, project, start in buckets})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO data_version AS known (organisation_id, project_id, hour, changes, changed_at)
            SELECT organisation_id, project_id, bucket, 1, clock_timestamp() FROM {GIVEN}
            ON CONFLICT (organisation_id, project_id, hour) DO UPDATE
            SET changes = known.changes + 1, changed_at = greatest(known.changed_at, excluded.changed_at)
            """,
            columns_of(hours),
        )
