"""Rows of a rollup made of what they stand for: the INSERT that makes buckets of spans, of finer rows, or of both."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.registry.facts import FACTS_BY_KEY, Distinct, Fact, Merge, Sketch
from analytics.registry.rollups import BY_TABLE, OF_SLICES, SLICE, Rollup
from analytics.storage.buckets import GIVEN, Bucket, columns_of

_NO_LABEL = "''"
Stretch = tuple[int, int, datetime, datetime, datetime]


def rebuild(rollup: Rollup, buckets: Sequence[Bucket], slices: Sequence[Bucket] = ()) -> None:
    """Make `buckets` (organisation, project, start) of a rollup anew; part of the caller's transaction.

    What `slices` tell of buckets is taken from them, and the rest of those buckets from spans.
    """
    sql, parameters = insertion(rollup, buckets, slices)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM {rollup.table} AS old USING {GIVEN}
            WHERE old.organisation_id = given.organisation_id AND old.project_id = given.project_id
                AND old.bucket = given.bucket
            """,
            parameters,
        )
        cursor.execute(sql, parameters)


def insertion(rollup: Rollup, buckets: Sequence[Bucket], slices: Sequence[Bucket] = ()) -> tuple[str, dict[str, Any]]:
    """Return the INSERT that makes `buckets` of a rollup from what it is made of, with its parameters."""
    starts = [start for _, _, start in buckets]
    parameters = columns_of(buckets) | {"first": min(starts), "last": max(starts) + rollup.width}
    sources = []
    for source, stretches in _sources(rollup, buckets, set(slices)):
        parameters |= source.parameters(stretches)
        sources.append(source)
    # Put together by grouping, which is linear whatever the server thinks of the number of rows: a join of rows that
    # were just copied in, and are not in the statistics yet, was planned as a nested loop and took a minute.
    tables = [*(table for source in sources for table in source.tables(rollup)), *_joined(rollup, sources)]
    parts: list[tuple[str, Sequence[str]]] = [
        (f"facts_of_{source.name}", [fact.key for fact in rollup.facts]) for source in sources
    ]
    parts += [(sketch.key, sketch.columns) for sketch in rollup.sketches]
    parts += [(distinct.key, [distinct.registers]) for distinct in rollup.distincts]
    grouped = f"GROUP BY {_positions(rollup)}" if len(parts) > 1 else ""  # facts of one source are whole already
    padded = " UNION ALL ".join(_padded(name, rollup, held) for name, held in parts)
    sql = f"""
        INSERT INTO {rollup.table} ({", ".join([*rollup.keys, *rollup.columns])})
        WITH {", ".join(tables)}
        SELECT {", ".join([*rollup.keys, *_values(rollup, sources=len(sources), parts=len(parts))])}
        FROM ({padded}) AS parts {grouped}"""
    return sql, parameters


def _values(rollup: Rollup, *, sources: int, parts: int) -> list[str]:
    def value(key: str) -> str:
        if sources > 1:
            return whole(FACTS_BY_KEY[key], key)
        return key if parts == 1 else f"max({key})"

    kept = [rollup.kept(fact, value) for fact in rollup.facts]
    return [*kept, *(f"max({column})" for column in list(rollup.columns)[len(kept) :])]


def _padded(name: str, rollup: Rollup, held: Sequence[str]) -> str:
    # What is kept in four bytes is added up in eight.
    values = ", ".join(
        f"{column if column in held else 'NULL'}::{'bigint' if kind == 'integer' else kind} AS {column}"
        for column, kind in rollup.columns.items()
    )
    return f"SELECT {', '.join(rollup.keys)}, {values} FROM {name}"


# --- sources ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Stretches of time of one table, each for a bucket: of spans, or of the finer rollup `finer`."""

    name: str
    finer: Rollup | None

    def parameters(self, stretches: Sequence[Stretch]) -> dict[str, Any]:
        """Return the parameters of `stretches`."""
        columns = (list(column) for column in zip(*stretches, strict=True))
        names = ("organisations", "projects", "buckets", "begins", "ends")
        return {f"{self.name}_{name}": column for name, column in zip(names, columns, strict=True)}

    def tables(self, rollup: Rollup) -> list[str]:
        """Return the common tables: of spans those that are read, and the facts."""
        if self.finer is not None:
            facts = ", ".join(f"{whole(one, self.finer.read(one, 'r'))} AS {one.key}" for one in rollup.facts)
            rows = f"SELECT {self._named(rollup)}, {facts} FROM {self._rows()} AS r GROUP BY {_positions(rollup)}"
            return [f"facts_of_{self.name} AS ({rows})"]
        # Every expression over spans says `s`; the labels and the bucket of the inner query carry the keys' names.
        read = ", ".join(f"s.{column}" for column in _read_of_spans(rollup))
        facts = ", ".join(f"{fact.over_spans} AS {fact.key}" for fact in rollup.facts)
        rows = f"SELECT {self._named(rollup)}, {facts} FROM chosen AS s GROUP BY {_positions(rollup)}"
        return [
            f"chosen AS (SELECT given.*, {read} FROM {self._rows()} AS s)",
            f"facts_of_{self.name} AS ({rows})",
        ]

    def binned(self, rollup: Rollup, sketch: Sketch) -> str:
        """Return the query of keys, `bin` and `n` of a sketch."""
        grouped = f"GROUP BY {_positions(rollup)}, {len(rollup.keys) + 1}"
        if self.finer is None:
            return f"""SELECT {self._named(rollup)}, observatory_bin({sketch.value}) AS bin, count(*) AS n
                FROM chosen AS s WHERE {sketch.condition} {grouped}"""
        return f"""SELECT {self._named(rollup)}, held.bin, observatory_sum(coalesce(held.n, 1)) AS n
            FROM {self._rows()} AS r
            CROSS JOIN LATERAL unnest({", ".join(self.finer.arrays(sketch, "r"))}) AS held (bin, n)
            WHERE r.{sketch.greatest} IS NOT NULL {grouped}"""

    def registered(self, distinct: Distinct) -> str:
        """Return the query of keys and `register` of a count of different values."""
        if self.finer is None:
            return f"""SELECT s.organisation_id, s.project_id, s.bucket,
                    observatory_register({distinct.value}) AS register
                FROM chosen AS s WHERE {distinct.value} IS NOT NULL"""
        return f"""SELECT given.organisation_id, given.project_id, given.bucket, held.register
            FROM {self._rows()} AS r CROSS JOIN LATERAL unnest(r.{distinct.registers}) AS held (register)"""

    def _named(self, rollup: Rollup) -> str:
        if self.finer is None:
            labels = "".join(f", coalesce(s.{label}, {_NO_LABEL}) AS {label}" for label in rollup.labels)
            return f"s.organisation_id, s.project_id, s.bucket{labels}"
        return f"given.organisation_id, given.project_id, given.bucket{''.join(f', r.{one}' for one in rollup.labels)}"

    def _rows(self) -> str:
        """Return the FROM of `given` and the rows of each of its stretches, which have yet to be named.

        Each stretch is a walk along the index: as a join, the planner compared every row with every bucket.
        """
        table, time = ("llm_traces", "ts") if self.finer is None else (self.finer.table, "bucket")
        columns = zip(
            ("organisations", "projects", "buckets", "begins", "ends"),
            ("int", "int", "timestamptz", "timestamptz", "timestamptz"),
            strict=True,
        )
        given = ", ".join(f"%({self.name}_{column})s::{kind}[]" for column, kind in columns)
        return f"""unnest({given}) AS given (organisation_id, project_id, bucket, begins, ends)
            CROSS JOIN LATERAL (
                SELECT * FROM {table} AS one
                WHERE one.organisation_id = given.organisation_id AND one.project_id = given.project_id
                    AND one.{time} >= given.begins AND one.{time} < given.ends
                    AND one.{time} >= %(first)s AND one.{time} < %(last)s
                OFFSET 0
            )"""


def _sources(rollup: Rollup, buckets: Sequence[Bucket], slices: set[Bucket]) -> list[tuple[_Source, Sequence[Stretch]]]:
    if rollup.source is not None:
        whole_buckets = [(*one, one[-1], one[-1] + rollup.width) for one in buckets]
        return [(_Source(name="finer", finer=BY_TABLE[rollup.source]), whole_buckets)]
    of_spans: list[Stretch] = []
    of_slices: list[Stretch] = []
    for bucket in buckets:
        for covered, begins, ends in _stretches(bucket, rollup, slices):
            (of_slices if covered else of_spans).append((*bucket, begins, ends))
    found = [
        (_Source(name="spans", finer=None), of_spans),
        (_Source(name="slices", finer=OF_SLICES.get(rollup.table)), of_slices),
    ]
    return [(source, stretches) for source, stretches in found if stretches]


def _stretches(bucket: Bucket, rollup: Rollup, slices: set[Bucket]) -> list[tuple[bool, datetime, datetime]]:
    """Return the parts of a bucket in order, each with whether `slices` tell it; neighbours of a kind are one."""
    organisation, project, start = bucket
    width = SLICE if slices else rollup.width
    parts: list[tuple[bool, datetime, datetime]] = []
    begins = start
    while begins < start + rollup.width:
        covered = (organisation, project, begins) in slices
        if parts and parts[-1][0] == covered:
            parts[-1] = (covered, parts[-1][1], begins + width)
        else:
            parts.append((covered, begins, begins + width))
        begins += width
    return parts


# --- sketches and registers -------------------------------------------------------------------------------------------
def _joined(rollup: Rollup, sources: Sequence[_Source]) -> list[str]:
    return [
        *(_sketched(one, rollup, [source.binned(rollup, one) for source in sources]) for one in rollup.sketches),
        *(_registered(one, rollup, [source.registered(one) for source in sources]) for one in rollup.distincts),
    ]


def _sketched(sketch: Sketch, rollup: Rollup, binned: Sequence[str]) -> str:
    """Return the sketch as it is kept: counts of 1 alone, which are most, are not, nor the only bin of a sparse row."""
    keys, (bins, counts) = ", ".join(rollup.keys), sketch.columns
    rows = binned[0]
    if len(binned) > 1:
        rows = f"""SELECT {keys}, bin, observatory_sum(n) AS n FROM ({" UNION ALL ".join(binned)}) AS of_each
            GROUP BY {keys}, bin"""
    return f"""{sketch.key} AS (
            SELECT {keys}, array_agg(bin ORDER BY bin) AS {bins},
                CASE WHEN max(n) > 1 THEN array_agg(n ORDER BY bin) END AS {counts}
            FROM ({rows}) AS binned GROUP BY {keys} {"HAVING count(*) > 1" if rollup.sparse else ""})"""


def _registered(distinct: Distinct, rollup: Rollup, registered: Sequence[str]) -> str:
    keys = ", ".join(rollup.keys)
    return f"""{distinct.key} AS (
            SELECT {keys}, array_agg(register ORDER BY register) AS {distinct.registers}
            FROM (SELECT {keys}, max(register) AS register
                FROM ({" UNION ALL ".join(registered)}) AS seen
                GROUP BY {keys}, register >> 6) AS greatest
            GROUP BY {keys})"""


def _read_of_spans(rollup: Rollup) -> list[str]:
    """Return the columns of spans that the rollup's labels and values are made of."""
    said = [
        *(fact.over_spans for fact in rollup.facts),
        *(f"{one.value} {one.condition}" for one in rollup.sketches),
        *(one.value for one in rollup.distincts),
    ]
    return sorted({*rollup.labels, *re.findall(r"\bs\.(\w+)", " ".join(said))})


def _positions(rollup: Rollup) -> str:
    return ", ".join(str(place) for place in range(1, len(rollup.keys) + 1))


def whole(fact: Fact, column: str) -> str:
    """Return the SQL that makes one fact of the rows of a rollup, with 0 for a sum of nothing."""
    sql = merged(fact.merge, column)
    return f"coalesce({sql}, 0)" if fact.merge is Merge.SUM else sql


def merged(merge: Merge, column: str) -> str:
    """Return the SQL that makes one fact of the rows of a rollup."""
    return f"observatory_sum({column})" if merge is Merge.SUM else f"{merge.value}({column})"
