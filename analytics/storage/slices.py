"""Minutes of busy projects by label and by user, made with the minute itself, so that spans are read once for them.

They answer for the hour that is still open, and hours are made of them. A slice counts only while its minute is not
marked and both were written by one transaction: whoever makes a minute anew without its slice, a worker of an older
version, leaves one that counts no more. Of what has no slice spans tell.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection

from analytics.registry.facts import FACTS_BY_KEY
from analytics.registry.rollups import BY_TABLE, SLICE, SLICES
from analytics.storage.buckets import GIVEN, Bucket, columns_of
from analytics.storage.making import insertion

# Of fewer spans than these in a minute, their hour is made as fast without it.
BUSY_SPANS = 400
_PORTION = 60  # minutes whose spans are grouped by one statement: of a backlog there are hundreds, of any size
_IN_USE = "llm-observatory slices in use"  # the name of a lock
_MINUTES = BY_TABLE["llm_metrics_1min"]
_KNOWN = SLICES["llm_distinct_1hour"].table  # every slice that was made has one row in it for each project
# SQL: slices as `d`, each beside its minute `m`. Both were made at once: xmin is the transaction that wrote a row.
MADE = f"""{_KNOWN} AS d JOIN {_MINUTES.table} AS m ON m.organisation_id = d.organisation_id
    AND m.project_id = d.project_id AND m.bucket = d.bucket AND m.xmin = d.xmin"""


def remake(minutes: Sequence[Bucket]) -> None:
    """Make the slices of minutes that were just made anew, if they are busy; part of the same transaction."""
    _delete(minutes, SLICE)  # whoever makes an hour meanwhile makes it again: its mark came with that of the minute
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.organisation_id, m.project_id, m.bucket FROM {GIVEN} JOIN {_MINUTES.table} AS m
                ON m.organisation_id = given.organisation_id AND m.project_id = given.project_id
                AND m.bucket = given.bucket
            WHERE {_MINUTES.read(FACTS_BY_KEY["span_count"], "m")} >= %(busy)s
            ORDER BY m.bucket
            """,
            columns_of(minutes) | {"busy": BUSY_SPANS},
        )
        busy: list[Bucket] = cursor.fetchall()
    for first in range(0, len(busy), _PORTION):
        for rollup in SLICES.values():
            with connection.cursor() as cursor:
                cursor.execute(*insertion(rollup, busy[first : first + _PORTION]))


def made(buckets: Sequence[Bucket], width: timedelta) -> list[Bucket]:
    """Return the slices of `buckets` of some width that say what their spans say.

    Until the caller's transaction ends nobody forgets any: what is made of them would lack their spans, unmarked.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext(%s))", [_IN_USE])
        cursor.execute(
            f"""
            SELECT d.organisation_id, d.project_id, d.bucket FROM {GIVEN}
            CROSS JOIN LATERAL (
                SELECT d.* FROM {MADE}
                WHERE d.organisation_id = given.organisation_id AND d.project_id = given.project_id
                    AND d.bucket >= given.bucket AND d.bucket < given.bucket + %(of)s
            ) AS d
            WHERE NOT EXISTS (
                SELECT FROM bucket_change AS marks
                WHERE marks.organisation_id = d.organisation_id AND marks.project_id = d.project_id
                    AND marks.grain = %(grain)s AND marks.bucket = d.bucket
            )
            """,
            columns_of(buckets) | {"grain": _MINUTES.grain, "of": width},
        )
        found: list[Bucket] = cursor.fetchall()
    return found


def forget(buckets: Sequence[Bucket], width: timedelta) -> None:
    """Delete the slices in `buckets` of some width; part of the caller's transaction, which waits for their readers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_IN_USE])
    _delete(buckets, width)


def _delete(buckets: Sequence[Bucket], width: timedelta) -> None:
    # The row that says a slice was made goes last, so that none stays beside less than all of its slice: each statement
    # sees what was committed before it, and a minute may be made meanwhile.
    for rollup in sorted(SLICES.values(), key=lambda one: one.table == _KNOWN):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                DELETE FROM {rollup.table} AS old USING {GIVEN}
                WHERE old.organisation_id = given.organisation_id AND old.project_id = given.project_id
                    AND old.bucket >= given.bucket AND old.bucket < given.bucket + %(width)s
                """,
                columns_of(buckets) | {"width": width},
            )
