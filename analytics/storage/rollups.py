"""Keeping rollups: buckets that changed are made anew from spans, or from the finer rollup, in one transaction.

A refresh deletes the marks that it sees and then rebuilds exactly those buckets. A mark that is written meanwhile
stays, and with it the bucket counts as changed: what a rollup says of an unmarked bucket is what its spans say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.registry.facts import FACTS, SKETCHES, Merge, Sketch
from analytics.registry.rollups import BY_TABLE, GRAIN_WIDTHS, ROLLUPS, Rollup
from analytics.storage.transactions import retried

BATCH_BUCKETS = 500
_LOCK = "llm-observatory refresh"
_NO_LABEL = "''"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh of one grain did: buckets made anew, and whether more are waiting."""

    grain: str
    buckets: int
    more: bool


def refresh(grain: str, *, before: datetime) -> Refreshed:
    """Make anew the changed buckets of `grain` that ended by `before`, at most `BATCH_BUCKETS`, oldest first.

    A day waits until none of its hours is marked.
    """
    # Read committed is enough: what is read after the marks were taken is never older than what they tell of.
    taken = retried(lambda: _refresh(grain, before))
    return Refreshed(grain=grain, buckets=len(taken), more=len(taken) >= BATCH_BUCKETS)


def _refresh(grain: str, before: datetime) -> list[tuple[int, int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"{_LOCK} {grain}"])
        if not cursor.fetchone()[0]:
            return []
    buckets = _take_marks(grain, before)
    _thin_out_marks(grain)
    if buckets:
        for rollup in ROLLUPS:
            if rollup.grain == grain:
                rebuild(rollup, buckets)
        if grain == "1hour":
            _mark_days(buckets)
    return buckets


def _take_marks(grain: str, before: datetime) -> list[tuple[int, int, datetime]]:
    unfinished = """
        AND NOT EXISTS (
            SELECT FROM bucket_change AS hours
            WHERE hours.organisation_id = marks.organisation_id AND hours.project_id = marks.project_id
                AND hours.grain = '1hour' AND hours.bucket >= marks.bucket
                AND hours.bucket < marks.bucket + interval '1 day'
        )"""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH due AS (
                SELECT DISTINCT organisation_id, project_id, bucket FROM bucket_change AS marks
                WHERE grain = %(grain)s AND bucket <= %(before)s {unfinished if grain == "1day" else ""}
                ORDER BY bucket LIMIT %(most)s
            ), taken AS (
                DELETE FROM bucket_change AS marks USING due
                WHERE marks.grain = %(grain)s AND marks.organisation_id = due.organisation_id
                    AND marks.project_id = due.project_id AND marks.bucket = due.bucket
                RETURNING marks.organisation_id, marks.project_id, marks.bucket, marks.changed_at
            ), folded AS ({_fold("taken")}
            )
            SELECT DISTINCT organisation_id, project_id, bucket FROM taken ORDER BY 3, 1, 2
            """,
            {"grain": grain, "before": before - GRAIN_WIDTHS[grain], "most": BATCH_BUCKETS},
        )
        taken: list[tuple[int, int, datetime]] = cursor.fetchall()
    return taken


def _thin_out_marks(grain: str) -> None:
    """Leave one mark, the newest, of each bucket that is not due yet: a busy hour would have thousands."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH thinned AS (
                DELETE FROM bucket_change AS marks USING (
                    SELECT ctid, row_number() OVER (
                        PARTITION BY organisation_id, project_id, bucket ORDER BY changed_at DESC
                    ) AS place FROM bucket_change WHERE grain = %(grain)s
                ) AS ranked
                WHERE marks.ctid = ranked.ctid AND ranked.place > 1
                RETURNING marks.organisation_id, marks.project_id, marks.bucket, marks.changed_at
            ) {_fold("thinned")}
            """,
            {"grain": grain},
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


def _mark_days(hours: Sequence[tuple[int, int, datetime]]) -> None:
    days = sorted({(organisation, project, _day(hour)) for organisation, project, hour in hours})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
            SELECT organisation_id, project_id, '1day', bucket
            FROM unnest(%s::int[], %s::int[], %s::timestamptz[]) AS given (organisation_id, project_id, bucket)
            """,
            [list(column) for column in zip(*days, strict=True)],
        )


def _day(hour: datetime) -> datetime:
    return hour.replace(hour=0)


def rebuild(rollup: Rollup, buckets: Sequence[tuple[int, int, datetime]]) -> None:
    """Make `buckets` (organisation, project, start) of a rollup anew; part of the caller's transaction."""
    organisations, projects, starts = (list(column) for column in zip(*buckets, strict=True))
    parameters: dict[str, Any] = {
        "organisations": organisations,
        "projects": projects,
        "starts": starts,
        "first": min(starts),
        "last": max(starts) + rollup.width,
        "width": rollup.width,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM {rollup.table} AS old USING {_GIVEN}
            WHERE old.organisation_id = given.organisation_id AND old.project_id = given.project_id
                AND old.bucket = given.bucket
            """,
            parameters,
        )
        cursor.execute(statement(rollup), parameters)


_GIVEN = """unnest(%(organisations)s::int[], %(projects)s::int[], %(starts)s::timestamptz[])
                AS given (organisation_id, project_id, bucket)"""


def statement(rollup: Rollup) -> str:
    """Return the INSERT that makes given buckets of `rollup` from what it is made of."""
    source = _from_spans(rollup) if rollup.source is None else _from_rollup(rollup, BY_TABLE[rollup.source])
    columns = [*rollup.keys, *(fact.key for fact in FACTS), *(name for one in SKETCHES for name in one.columns)]
    keys = ", ".join(rollup.keys)
    sketches = "".join(f" LEFT JOIN {one.key} USING ({keys})" for one in SKETCHES)
    return f"""
        INSERT INTO {rollup.table} ({", ".join(columns)})
        WITH {source}
        SELECT {", ".join(columns)} FROM facts{sketches}"""


def _from_spans(rollup: Rollup) -> str:
    labels = "".join(f", coalesce(s.{label}, {_NO_LABEL}) AS {label}" for label in rollup.labels)
    facts = ", ".join(f"{fact.over_spans} AS {fact.key}" for fact in FACTS)
    keys = ", ".join(rollup.keys)
    # Every expression over spans says `s`; the labels and the bucket of the inner query carry the keys' names.
    chosen = f"""
            SELECT s.*, given.bucket FROM {_GIVEN}
            JOIN llm_traces AS s ON s.organisation_id = given.organisation_id AND s.project_id = given.project_id
                AND s.ts >= given.bucket AND s.ts < given.bucket + %(width)s
            WHERE s.ts >= %(first)s AND s.ts < %(last)s"""
    named = f"SELECT s.organisation_id, s.project_id, s.bucket{labels}"
    sketches = ", ".join(
        f"""{one.key} AS (
            SELECT {keys}, array_agg(bin ORDER BY bin) AS {one.columns[0]},
                array_agg(n ORDER BY bin) AS {one.columns[1]}
            FROM ({named}, observatory_bin({one.value}) AS bin, count(*) AS n FROM chosen AS s
                WHERE {one.condition} GROUP BY {keys}, bin) AS binned
            GROUP BY {keys})"""
        for one in SKETCHES
    )
    return f"""chosen AS ({chosen}),
            facts AS ({named}, {facts} FROM chosen AS s GROUP BY {_positions(rollup)}), {sketches}"""


def _positions(rollup: Rollup) -> str:
    return ", ".join(str(place) for place in range(1, len(rollup.keys) + 1))


def _from_rollup(rollup: Rollup, source: Rollup) -> str:
    keys = ", ".join(rollup.keys)
    named = f"given.organisation_id, given.project_id, given.bucket{''.join(f', r.{one}' for one in rollup.labels)}"
    facts = ", ".join(f"{merged(fact.merge, f'r.{fact.key}')} AS {fact.key}" for fact in FACTS)
    finer = f"""FROM {_GIVEN}
            JOIN {source.table} AS r ON r.organisation_id = given.organisation_id AND r.project_id = given.project_id
                AND r.bucket >= given.bucket AND r.bucket < given.bucket + %(width)s
            WHERE r.bucket >= %(first)s AND r.bucket < %(last)s"""
    sketches = ", ".join(_merged_sketch(one, keys, named, finer, rollup) for one in SKETCHES)
    return f"facts AS (SELECT {named}, {facts} {finer} GROUP BY {_positions(rollup)}), {sketches}"


def _merged_sketch(sketch: Sketch, keys: str, named: str, finer: str, rollup: Rollup) -> str:
    bins, counts = sketch.columns
    split = finer.replace("WHERE", f"CROSS JOIN LATERAL unnest(r.{bins}, r.{counts}) AS held (bin, n) WHERE", 1)
    place = len(rollup.keys) + 1
    return f"""{sketch.key} AS (
            SELECT {keys}, array_agg(bin ORDER BY bin) AS {bins}, array_agg(n ORDER BY bin) AS {counts}
            FROM (SELECT {named}, held.bin, sum(held.n)::bigint AS n {split}
                GROUP BY {_positions(rollup)}, {place}) AS binned
            GROUP BY {keys})"""


def merged(merge: Merge, column: str) -> str:
    """Return the SQL that makes one fact of the rows of a rollup."""
    return f"sum({column})::bigint" if merge is Merge.SUM else f"{merge.value}({column})"
