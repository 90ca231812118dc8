"""Five minutes of busy projects, made as they end, so that what is made of them takes no spans: mostly their hour.

They are not for questions and say nothing that spans do not. A slice counts for an hour only while neither it nor one
of its minutes is marked; of the rest of the hour spans tell, and of all of it where there are no slices.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from analytics.registry.facts import FACTS_BY_KEY
from analytics.registry.rollups import BY_TABLE, MINUTE, SLICE, SLICE_GRAIN, SLICES
from analytics.storage.buckets import GIVEN, Bucket, columns_of, lock_name
from analytics.storage.horizons import SPANS_ARE_GONE
from analytics.storage.making import rebuild
from analytics.storage.transactions import retried

# Of fewer spans than these in a slice, its hour is made as fast without it.
BUSY_SPANS = 2000
BATCH_SLICES = 24
_KNOWN = SLICES["llm_distinct_1hour"].table  # every slice that was made has one row in it for each project
_MINUTES = BY_TABLE["llm_metrics_1min"]


def mark(minutes: Sequence[Bucket]) -> None:
    """Mark the slices of minutes that were made anew, if they are busy or made already; in the caller's transaction."""
    with connection.cursor() as cursor:
        # A busy slice has a minute with its fifth or more: of few others all five are looked at.
        cursor.execute(
            f"""
            INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
            SELECT DISTINCT changed.organisation_id, changed.project_id, %(grain)s, changed.slice
            FROM (
                SELECT given.*, date_bin(%(width)s, given.bucket, 'epoch') AS slice, {_spans_of("r")} AS spans
                FROM {GIVEN} LEFT JOIN {_MINUTES.table} AS r
                    ON r.organisation_id = given.organisation_id AND r.project_id = given.project_id
                    AND r.bucket = given.bucket
            ) AS changed
            WHERE EXISTS (
                SELECT FROM {_KNOWN} AS r WHERE r.organisation_id = changed.organisation_id
                    AND r.project_id = changed.project_id AND r.bucket = changed.slice
            ) OR CASE WHEN changed.spans >= %(share)s THEN %(busy)s <= (
                SELECT sum({_spans_of("r")}) FROM {_MINUTES.table} AS r
                WHERE r.organisation_id = changed.organisation_id AND r.project_id = changed.project_id
                    AND r.bucket >= changed.slice AND r.bucket < changed.slice + %(width)s
            ) END
            """,
            columns_of(minutes)
            | {"grain": SLICE_GRAIN, "busy": BUSY_SPANS, "share": BUSY_SPANS / (SLICE / MINUTE), "width": SLICE},
        )


def _spans_of(minute: str) -> str:
    return _MINUTES.read(FACTS_BY_KEY["span_count"], minute)


def refresh(*, before: datetime) -> None:
    """Make the marked slices anew that ended by `before`, some in a transaction, oldest first."""
    while retried(lambda: _refresh(before)) == BATCH_SLICES:
        pass


def _refresh(before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [lock_name(SLICE_GRAIN)])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            f"""
            SELECT DISTINCT organisation_id, project_id, bucket FROM bucket_change AS marks
            WHERE grain = %(grain)s AND bucket <= %(before)s AND NOT {SPANS_ARE_GONE}
            ORDER BY bucket, organisation_id, project_id LIMIT %(most)s
            """,
            {"grain": SLICE_GRAIN, "before": before - SLICE, "most": BATCH_SLICES},
        )
        due: list[Bucket] = cursor.fetchall()
    if due:
        _take_marks(due, SLICE)
        for rollup in SLICES.values():
            rebuild(rollup, due)
    return len(due)


def made(buckets: Sequence[Bucket], width: timedelta) -> list[Bucket]:
    """Return the slices of `buckets` of some width that say what their spans say."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT r.organisation_id, r.project_id, r.bucket
            FROM {GIVEN} JOIN {_KNOWN} AS r
                ON r.organisation_id = given.organisation_id AND r.project_id = given.project_id
                AND r.bucket >= given.bucket AND r.bucket < given.bucket + %(of)s
            WHERE NOT EXISTS (
                SELECT FROM bucket_change AS marks
                WHERE marks.organisation_id = r.organisation_id AND marks.project_id = r.project_id
                    AND marks.grain = ANY(%(grains)s)
                    AND marks.bucket >= r.bucket AND marks.bucket < r.bucket + %(width)s
            )
            """,
            columns_of(buckets) | {"grains": [_MINUTES.grain, SLICE_GRAIN], "width": SLICE, "of": width},
        )
        found: list[Bucket] = cursor.fetchall()
    return found


def forget(buckets: Sequence[Bucket], width: timedelta) -> None:
    """Delete the slices in `buckets` of some width, and their marks; part of the caller's transaction."""
    _take_marks(buckets, width)
    for rollup in SLICES.values():
        _delete(rollup.table, buckets, width)


def _take_marks(buckets: Sequence[Bucket], width: timedelta) -> None:
    _delete("bucket_change", buckets, width, f"AND old.grain = '{SLICE_GRAIN}'")


def _delete(table: str, buckets: Sequence[Bucket], width: timedelta, condition: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM {table} AS old USING {GIVEN}
            WHERE old.organisation_id = given.organisation_id AND old.project_id = given.project_id
                AND old.bucket >= given.bucket AND old.bucket < given.bucket + %(width)s {condition}
            """,
            columns_of(buckets) | {"width": width},
        )
