"""Keeping rollups: buckets that changed are made anew from spans, or from the finer rollup, in one transaction.

A refresh deletes the marks that it sees and then rebuilds exactly those buckets. A mark that is written meanwhile
stays, and with it the bucket counts as changed: what a rollup says of an unmarked bucket is what its spans say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.registry.rollups import DAY, GRAIN_WIDTHS, LAST_KINDS, OF_SLICES, ROLLUPS
from analytics.storage import slices
from analytics.storage.buckets import GIVEN, Bucket, columns_of, lock_name
from analytics.storage.changes import floor
from analytics.storage.horizons import SPANS_ARE_GONE, horizons_of
from analytics.storage.making import rebuild
from analytics.storage.transactions import retried

# Buckets that are made anew in one transaction: of busy projects a day has as many spans as two hundred minutes.
BATCH_BUCKETS: Mapping[str, int] = {"1min": 500, "5min": 200, "1hour": 96, "1day": 8}
_OF_SLICES = {rollup.grain for rollup in ROLLUPS if rollup.table in OF_SLICES}
# SQL: none of the hours of the day `marks` waits to be made anew.
HOURS_ARE_DONE = """AND NOT EXISTS (
    SELECT FROM bucket_change AS hours
    WHERE hours.organisation_id = marks.organisation_id AND hours.project_id = marks.project_id
        AND hours.grain = '1hour' AND hours.bucket >= marks.bucket
        AND hours.bucket < marks.bucket + interval '1 day')"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh of one grain did: buckets made anew, and whether more are waiting."""

    grain: str
    buckets: int
    more: bool


def refresh(grain: str, *, before: datetime) -> Refreshed:
    """Make anew the changed buckets of `grain` that ended by `before`, at most a batch of them, oldest first.

    A day waits until none of its hours is marked.
    """
    # Read committed is enough: what is read after the marks were taken is never older than what they tell of.
    taken = retried(lambda: _refresh(grain, before))
    return Refreshed(grain=grain, buckets=len(taken), more=len(taken) >= BATCH_BUCKETS[grain])


def _refresh(grain: str, before: datetime) -> list[Bucket]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [lock_name(grain)])
        if not cursor.fetchone()[0]:
            return []
    buckets = _due(grain, before)
    if buckets:
        remake(grain, buckets)
    if len(buckets) < BATCH_BUCKETS[grain]:  # with more to do there is a next time, and soon
        _thin_out_marks(grain, before)
    return buckets


def _due(grain: str, before: datetime) -> list[Bucket]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT organisation_id, project_id, bucket FROM bucket_change AS marks
            WHERE grain = %(grain)s AND bucket <= %(before)s AND NOT {SPANS_ARE_GONE}
                {HOURS_ARE_DONE if grain == "1day" else ""}
            ORDER BY bucket, organisation_id, project_id LIMIT %(most)s
            """,
            {"grain": grain, "before": before - GRAIN_WIDTHS[grain], "most": BATCH_BUCKETS[grain]},
        )
        due: list[Bucket] = cursor.fetchall()
    return due


def remake(grain: str, buckets: Sequence[Bucket]) -> None:
    """Take the marks of `buckets` and make them anew in every rollup of `grain`; part of the caller's transaction."""
    take_marks(grain, buckets)
    kept, made = horizons_of(()), slices.made(buckets, GRAIN_WIDTHS[grain]) if grain in _OF_SLICES else []
    for rollup in ROLLUPS:
        # What is past the limit of a rollup was dropped from it, and does not come back.
        alive = [one for one in buckets if rollup.kind not in LAST_KINDS or one[-1] >= kept.of(rollup)]
        if rollup.grain == grain and alive:
            rebuild(rollup, alive, made if rollup.table in OF_SLICES else [])
    if grain == "1min":
        slices.remake(buckets)
    if grain == "1hour":
        _mark_days(buckets)
    if grain == "1day":
        slices.forget(buckets, DAY)


def take_marks(grain: str, buckets: Sequence[Bucket]) -> None:
    """Delete the marks of `buckets`, and count those of hours in their versions; part of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH taken AS (
                DELETE FROM bucket_change AS marks USING {GIVEN}
                WHERE marks.grain = %(grain)s AND marks.organisation_id = given.organisation_id
                    AND marks.project_id = given.project_id AND marks.bucket = given.bucket
                RETURNING marks.organisation_id, marks.project_id, marks.bucket, marks.changed_at
            ) {_fold("taken")}
            """,
            columns_of(buckets) | {"grain": grain},
        )


def _thin_out_marks(grain: str, before: datetime) -> None:
    """Leave one mark, the newest, of each bucket that is not due yet: a busy hour would have thousands.

    Those that are due are left to their turn: looking at all of them after each batch made a long backlog quadratic.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH thinned AS (
                DELETE FROM bucket_change AS marks USING (
                    SELECT ctid, row_number() OVER (
                        PARTITION BY organisation_id, project_id, bucket ORDER BY changed_at DESC
                    ) AS place FROM bucket_change WHERE grain = %(grain)s AND bucket > %(before)s
                ) AS ranked
                WHERE marks.ctid = ranked.ctid AND ranked.place > 1
                RETURNING marks.organisation_id, marks.project_id, marks.bucket, marks.changed_at
            ) {_fold("thinned")}
            """,
            {"grain": grain, "before": before - GRAIN_WIDTHS[grain]},
        )


def _fold(taken: str) -> str:
    """Return the INSERT that counts the hours' marks of CTE `taken` in the versions of their hours."""
    return f"""
            INSERT INTO data_version AS known (organisation_id, project_id, hour, changes, changed_at)
            SELECT organisation_id, project_id, bucket, count(*), max(changed_at) FROM {taken}
            WHERE %(grain)s = '1hour' GROUP BY 1, 2, 3
            ON CONFLICT (organisation_id, project_id, hour) DO UPDATE
            SET changes = known.changes + excluded.changes,
                changed_at = greatest(known.changed_at, excluded.changed_at)"""


def _mark_days(hours: Sequence[Bucket]) -> None:
    days = sorted({(organisation, project, floor(hour, DAY)) for organisation, project, hour in hours})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
            SELECT organisation_id, project_id, '1day', bucket FROM {GIVEN}
            """,
            columns_of(days),
        )
