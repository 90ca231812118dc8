"""Keeping rollups: buckets that changed are made anew from spans, or from the finer rollup, in one transaction.

A refresh deletes the marks that it sees and then rebuilds exactly those buckets. A mark that is written meanwhile
stays, and with it the bucket counts as changed: what a rollup says of an unmarked bucket is what its spans say.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.registry.facts import Distinct, Fact, Merge, Sketch
from analytics.registry.rollups import BY_TABLE, DAY, GRAIN_WIDTHS, LAST_KINDS, ROLLUPS, Rollup
from analytics.storage.changes import floor
from analytics.storage.horizons import SPANS_ARE_GONE, horizons_of
from analytics.storage.transactions import retried

# Buckets that are made anew in one transaction: of busy projects a day has as many spans as two hundred minutes.
BATCH_BUCKETS: Mapping[str, int] = {"1min": 500, "1hour": 96, "1day": 8}
_NO_LABEL = "''"
Bucket = tuple[int, int, datetime]
# SQL: the buckets that the parameters of `columns_of` name.
GIVEN = """unnest(%(organisations)s::int[], %(projects)s::int[], %(starts)s::timestamptz[])
                AS given (organisation_id, project_id, bucket)"""
# SQL: none of the hours of the day `marks` waits to be made anew.
HOURS_ARE_DONE = """AND NOT EXISTS (
    SELECT FROM bucket_change AS hours
    WHERE hours.organisation_id = marks.organisation_id AND hours.project_id = marks.project_id
        AND hours.grain = '1hour' AND hours.bucket >= marks.bucket
        AND hours.bucket < marks.bucket + interval '1 day')"""


def columns_of(buckets: Sequence[Bucket]) -> dict[str, Any]:
    """Return `buckets` (organisation, project, start) as the parameters of `GIVEN`."""
    organisations, projects, starts = (list(column) for column in zip(*buckets, strict=True))
    return {"organisations": organisations, "projects": projects, "starts": starts}


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
    _thin_out_marks(grain, before)
    return buckets


def lock_name(grain: str) -> str:
    """Return the name of the lock that whoever makes buckets of `grain` holds: two would insert the same rows."""
    return f"llm-observatory refresh {grain}"


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
    _take_marks(grain, buckets)
    kept = horizons_of(())
    for rollup in ROLLUPS:
        # What is past the limit of a rollup was dropped from it, and does not come back.
        alive = [one for one in buckets if rollup.kind not in LAST_KINDS or one[-1] >= kept.of(rollup)]
        if rollup.grain == grain and alive:
            rebuild(rollup, alive)
    if grain == "1hour":
        _mark_days(buckets)


def _take_marks(grain: str, buckets: Sequence[Bucket]) -> None:
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


def rebuild(rollup: Rollup, buckets: Sequence[Bucket]) -> None:
    """Make `buckets` (organisation, project, start) of a rollup anew; part of the caller's transaction."""
    starts = [start for _, _, start in buckets]
    parameters = columns_of(buckets) | {
        "first": min(starts),
        "last": max(starts) + rollup.width,
        "width": rollup.width,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM {rollup.table} AS old USING {GIVEN}
            WHERE old.organisation_id = given.organisation_id AND old.project_id = given.project_id
                AND old.bucket = given.bucket
            """,
            parameters,
        )
        cursor.execute(statement(rollup), parameters)


def statement(rollup: Rollup) -> str:
    """Return the INSERT that makes given buckets of `rollup` from what it is made of."""
    source = _from_spans(rollup) if rollup.source is None else _from_rollup(rollup, BY_TABLE[rollup.source])
    # Put together by grouping, which is linear whatever the server thinks of the number of rows: a join of rows that
    # were just copied in, and are not in the statistics yet, was planned as a nested loop and took a minute.
    parts = " UNION ALL ".join(_padded(name, rollup, held) for name, held in _parts(rollup))
    values = ", ".join(f"max({column})" for column in rollup.columns)
    return f"""
        INSERT INTO {rollup.table} ({", ".join([*rollup.keys, *rollup.columns])})
        WITH {source}
        SELECT {", ".join(rollup.keys)}, {values} FROM ({parts}) AS parts GROUP BY {_positions(rollup)}"""


def _parts(rollup: Rollup) -> list[tuple[str, Sequence[str]]]:
    """Return the parts of a row by the name of the query that gives them: facts, each sketch, each set of registers."""
    return [
        ("facts", [fact.key for fact in rollup.facts]),
        *((sketch.key, sketch.columns) for sketch in rollup.sketches),
        *((distinct.key, [distinct.registers]) for distinct in rollup.distincts),
    ]


def _padded(name: str, rollup: Rollup, held: Sequence[str]) -> str:
    values = ", ".join(
        column if column in held else f"NULL::{kind} AS {column}" for column, kind in rollup.columns.items()
    )
    return f"SELECT {', '.join(rollup.keys)}, {values} FROM {name}"


def _from_spans(rollup: Rollup) -> str:
    labels = "".join(f", coalesce(s.{label}, {_NO_LABEL}) AS {label}" for label in rollup.labels)
    facts = ", ".join(f"{rollup.over_spans(fact)} AS {fact.key}" for fact in rollup.facts)
    # Every expression over spans says `s`; the labels and the bucket of the inner query carry the keys' names.
    chosen = f"""
            SELECT given.*, {", ".join(f"s.{column}" for column in _read_of_spans(rollup))}
            FROM {_of_each_bucket("llm_traces", "ts")} AS s"""
    named = f"SELECT s.organisation_id, s.project_id, s.bucket{labels}"
    parts = [
        f"chosen AS ({chosen})",
        f"facts AS ({named}, {facts} FROM chosen AS s GROUP BY {_positions(rollup)})",
        *(_binned(one, rollup, named) for one in rollup.sketches),
        *(_registered(one, rollup, named) for one in rollup.distincts),
    ]
    return ", ".join(parts)


def _binned(sketch: Sketch, rollup: Rollup, named: str) -> str:
    keys, (bins, counts) = ", ".join(rollup.keys), sketch.columns
    return f"""{sketch.key} AS (
            SELECT {keys}, {_as_kept(bins, counts)}
            FROM ({named}, observatory_bin({sketch.value}) AS bin, count(*) AS n FROM chosen AS s
                WHERE {sketch.condition} GROUP BY {_positions(rollup)}, {len(rollup.keys) + 1}) AS binned
            GROUP BY {keys})"""


def _registered(distinct: Distinct, rollup: Rollup, named: str) -> str:
    keys = ", ".join(rollup.keys)
    return f"""{distinct.key} AS (
            SELECT {keys}, array_agg(register ORDER BY register) AS {distinct.registers}
            FROM (SELECT {keys}, max(register) AS register
                FROM ({named}, observatory_register({distinct.value}) AS register FROM chosen AS s
                    WHERE {distinct.value} IS NOT NULL) AS seen
                GROUP BY {keys}, register >> 6) AS greatest
            GROUP BY {keys})"""


def _of_each_bucket(table: str, time: str) -> str:
    """Return the FROM of `given` and the rows of `table` in each of its buckets, which has yet to be named.

    Each bucket is a walk along the primary key: as a join, the planner compared every row with every bucket.
    """
    return f"""{GIVEN}
            CROSS JOIN LATERAL (
                SELECT * FROM {table} AS one
                WHERE one.organisation_id = given.organisation_id AND one.project_id = given.project_id
                    AND one.{time} >= given.bucket AND one.{time} < given.bucket + %(width)s
                    AND one.{time} >= %(first)s AND one.{time} < %(last)s
                OFFSET 0
            )"""


def _read_of_spans(rollup: Rollup) -> list[str]:
    """Return the columns of spans that the rollup's labels and values are made of."""
    said = [
        *(rollup.over_spans(fact) for fact in rollup.facts),
        *(f"{one.value} {one.condition}" for one in rollup.sketches),
        *(one.value for one in rollup.distincts),
    ]
    return sorted({*rollup.labels, *re.findall(r"\bs\.(\w+)", " ".join(said))})


def _positions(rollup: Rollup) -> str:
    return ", ".join(str(place) for place in range(1, len(rollup.keys) + 1))


def _from_rollup(rollup: Rollup, source: Rollup) -> str:
    keys = ", ".join(rollup.keys)
    named = f"given.organisation_id, given.project_id, given.bucket{''.join(f', r.{one}' for one in rollup.labels)}"
    facts = ", ".join(f"{rollup.kept(fact, whole(fact, f'r.{fact.key}'))} AS {fact.key}" for fact in rollup.facts)
    finer = f"FROM {_of_each_bucket(source.table, 'bucket')} AS r"
    sketches = [_merged_sketch(one, keys, named, finer, rollup) for one in rollup.sketches]
    return ", ".join([f"facts AS (SELECT {named}, {facts} {finer} GROUP BY {_positions(rollup)})", *sketches])


def _merged_sketch(sketch: Sketch, keys: str, named: str, finer: str, rollup: Rollup) -> str:
    bins, counts = sketch.columns
    split = f"{finer} CROSS JOIN LATERAL unnest(r.{bins}, r.{counts}) AS held (bin, n)"
    place = len(rollup.keys) + 1
    return f"""{sketch.key} AS (
            SELECT {keys}, {_as_kept(bins, counts)}
            FROM (SELECT {named}, held.bin, sum(coalesce(held.n, 1))::bigint AS n {split}
                GROUP BY {_positions(rollup)}, {place}) AS binned
            GROUP BY {keys})"""


def _as_kept(bins: str, counts: str) -> str:
    """Return both columns of a sketch made of rows `bin`, `n`; counts of 1 alone, which are most, are not kept."""
    return f"""array_agg(bin ORDER BY bin) AS {bins},
                CASE WHEN max(n) > 1 THEN array_agg(n ORDER BY bin) END AS {counts}"""


def whole(fact: Fact, column: str) -> str:
    """Return the SQL that makes one fact of the rows of a rollup, with 0 for a sum of nothing."""
    sql = merged(fact.merge, column)
    return f"coalesce({sql}, 0)" if fact.merge is Merge.SUM else sql


def merged(merge: Merge, column: str) -> str:
    """Return the SQL that makes one fact of the rows of a rollup."""
    return f"sum({column})::bigint" if merge is Merge.SUM else f"{merge.value}({column})"
