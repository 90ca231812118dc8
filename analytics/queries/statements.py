"""A question and the segments that answer it -> SQL. Names come from the registry, values are always parameters. Pure.

Rows are keyed by their bucket, where the question has buckets, and by a text of each dimension that it groups by, the
empty text where there is none. `s` is a row of spans or of a rollup, `c` the content of a span.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from analytics.queries.contents import CONTENT, content_bounds
from analytics.queries.orders import following, order, order_of_label
from analytics.queries.plans import Comparison, Filter, Groups, Operator, Question
from analytics.queries.sources import Segment
from analytics.registry.dimensions import PROJECT, Dimension
from analytics.registry.facts import FACTS_BY_KEY, Distinct, Fact, Sketch
from analytics.registry.measures import Figure, Quantile
from analytics.registry.rollups import ANSWERING, Rollup
from analytics.storage.making import whole
from analytics.storage.prepared import as_array

_EPOCH = "TIMESTAMPTZ '1970-01-01 00:00Z'"
_TENANT = "s.organisation_id = ANY(%(organisations)s::int[]) AND s.project_id = ANY(%(projects)s::int[])"
_COMPARISONS = {
    Comparison.GT: ">",
    Comparison.GTE: ">=",
    Comparison.LT: "<",
    Comparison.LTE: "<=",
    Comparison.EQ: "=",
}
Statement = tuple[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Statements:
    """The statements of one question over given segments."""

    question: Question
    segments: Sequence[Segment]

    # --- statements ---------------------------------------------------------------------------------------------------
    def facts(self, *, ordered: bool) -> Statement:
        """Return the statement of key and facts; `ordered` also applies having, sort and limit (and reads one more)."""
        question, keys = self.question, self._keys
        columns = "".join(f", {_whole(key)} AS {key}" for key in question.facts)
        sql = f"""
            SELECT {", ".join([*keys, *question.facts, *(["count(*) OVER ()"] if question.counted else [])])} FROM (
                SELECT {_listed(keys, columns)} FROM ({" UNION ALL ".join(self._fact_parts())}) AS parts {self._grouped}
            ) AS merged"""
        conditions = [f"{' + '.join(question.present)} > 0"] if keys else []
        parameters = self._parameters
        if ordered:
            conditions += [
                f"{one.figure.of.sql} {_COMPARISONS[one.comparison]} %(having_{place})s"
                for place, one in enumerate(question.having)
            ]
            parameters |= {f"having_{place}": one.value for place, one in enumerate(question.having)}
            if question.after is not None:
                conditions.append(following(question))
                parameters |= {"after_value": question.after[0], "after_label": question.after[1]}
        if conditions:
            sql += f" WHERE {' AND '.join(conditions)}"
        if ordered and keys:
            sql += f" ORDER BY {', '.join(order(question))}"
            if question.limit is not None:
                sql += " LIMIT %(most)s"
                parameters["most"] = question.limit + 1
        return sql, parameters

    def facts_of_labels(self) -> Statement:
        """Return the statement of place, label and facts of each label of the dimension in that place, by itself.

        Rows of a place are in the question's order, and one more than its limit; spans and rollups are read once.
        """
        question, keys = self.question, self._keys
        columns = "".join(f", {_whole(key)} AS {key}" for key in question.facts)
        place = "CASE" + "".join(f" WHEN grouping(parts.{key}) = 0 THEN {number}" for number, key in enumerate(keys))
        sets = ", ".join(f"(parts.{key})" for key in keys)
        by = ", ".join(order_of_label(question))
        sql = f"""
            SELECT place, g0, {", ".join(question.facts)} FROM (
                SELECT merged.*, row_number() OVER (PARTITION BY place ORDER BY {by}) AS rank FROM (
                    SELECT {place} END AS place, coalesce({", ".join(f"parts.{key}" for key in keys)}) AS g0{columns}
                    FROM ({" UNION ALL ".join(self._fact_parts())}) AS parts GROUP BY GROUPING SETS ({sets})
                ) AS merged WHERE {" + ".join(question.present)} > 0
            ) AS ranked"""
        if question.limit is not None:
            sql += " WHERE rank <= %(most)s"
        return f"{sql} ORDER BY place, rank", self._parameters | {"most": (question.limit or 0) + 1}

    def exact(self, sketch: Sketch, wanted: Sequence[Quantile]) -> Statement:
        """Return the statement of key and exact nearest-rank percentiles, from spans alone."""
        # percentile_disc is the nearest rank: the least value whose rank is at least p times the count.
        ranks = "".join(
            f", percentile_disc({one.percent / 100}) WITHIN GROUP (ORDER BY {sketch.value})"
            f" FILTER (WHERE {sketch.condition})"
            for one in wanted
        )
        return self._over_spans(ranks), self._parameters

    def values(self, distinct: Distinct) -> Statement:
        """Return the statement of key and exact number of different values, from spans alone."""
        if not self._keys:
            return self._over_spans(f", count(DISTINCT {distinct.value})"), self._parameters
        return self._apart("", distinct.value, ", count(apart)", range(len(self.segments))), self._parameters

    def sketches(self, sketch: Sketch) -> Statement:
        """Return the statement of key, bins and counts: as kept, and of spans binned now; a key may have several rows.

        Rows by labels are many, so they are merged before they leave the server, at once with those of spans. Arrays
        are told as texts, which are read faster than by the driver.
        """
        keys, parts, binned = self._keys, [], []
        for rollup, places in self._sources:
            head, chosen = self._head(rollup), f"FROM {self._from(rollup)} WHERE {self._where(rollup, places)}"
            if rollup is None:
                held = f", observatory_bin({sketch.value}) AS bin, 1 AS n"
                binned.append(f"SELECT {_listed(head, held)} {chosen} AND {sketch.condition}")
                continue
            arrays, chosen = rollup.arrays(sketch, "s"), f"{chosen} AND s.{sketch.greatest} IS NOT NULL"
            if rollup.labels:  # a function of each row in FROM would take a table of its own each time
                held = f", unnest({arrays[0]}) AS bin, unnest({arrays[1]}) AS n"
                binned.append(f"SELECT {_listed(head, held)} {chosen}")
            else:
                parts.append(f"SELECT {_listed(head, ''.join(f', ({one})::text' for one in arrays))} {chosen}")
        if binned:
            merged = f"""SELECT {_listed(keys, ", bin, observatory_sum(coalesce(n, 1)) AS n")}
                FROM ({" UNION ALL ".join(binned)}) AS binned GROUP BY {_positions(len(keys) + 1)}"""
            arrays_told = ", array_agg(bin)::text, array_agg(n)::text"
            parts.append(f"SELECT {_listed(keys, arrays_told)} FROM ({merged}) AS merged {self._grouped}")
        return " UNION ALL ".join(parts), self._parameters

    def registers(self, distinct: Distinct) -> Statement:
        """Return the statement of key, rank and how many registers of different values have that rank."""
        keys, parts = self._keys, []
        for rollup, places in self._sources:
            head = self._head(rollup)
            if rollup is None:
                known = (
                    f"SELECT DISTINCT {_listed(head, f', {distinct.value} AS value')} FROM {self._from(None)}"
                    f" WHERE {self._where(None, places)} AND {distinct.value} IS NOT NULL"
                )
                parts.append(
                    f"SELECT {_listed(keys, ', observatory_register(value) AS register')} FROM ({known}) AS known"
                )
            else:
                held = f", unnest(s.{distinct.registers}) AS register"
                parts.append(
                    f"SELECT {_listed(head, held)} FROM {rollup.table} AS s WHERE {self._where(rollup, places)}"
                )
        seen = " UNION ALL ".join(parts)
        greatest = f"""SELECT {_listed(keys, ", max(register) & 63 AS rank")} FROM ({seen}) AS seen
            GROUP BY {", ".join([*keys, "register >> 6"])}"""
        sql = f"""SELECT {_listed(keys, ", rank, count(*)")} FROM ({greatest}) AS greatest
            GROUP BY {_positions(len(keys) + 1)}"""
        return sql, self._parameters

    def spans(self, *, owner: str = _TENANT) -> tuple[str, str, dict[str, Any]]:
        """Return the relations, the condition and the parameters that choose the spans of the segments.

        `owner` is the condition of whose they are.
        """
        places = range(len(self.segments))
        return self._from(None), self._where(None, places, owner=owner), self._parameters

    # --- parts --------------------------------------------------------------------------------------------------------
    @cached_property
    def _keys(self) -> list[str]:
        bucket = [] if self.question.width is None else ["bucket"]
        return [*bucket, *(f"g{place}" for place in range(len(self.question.group_by)))]

    @property
    def _grouped(self) -> str:
        return f"GROUP BY {_positions(len(self._keys))}" if self._keys else ""

    @cached_property
    def _sources(self) -> list[tuple[Rollup | None, list[int]]]:
        places: dict[str, tuple[Rollup | None, list[int]]] = {}
        for place, segment in enumerate(self.segments):
            name = segment.rollup.table if segment.rollup else ""
            places.setdefault(name, (segment.rollup, []))[1].append(place)
        return list(places.values())

    def _fact_parts(self) -> Iterator[str]:
        different = [FACTS_BY_KEY[key] for key in self.question.facts if FACTS_BY_KEY[key].distinct]
        for rollup, places in self._sources:
            if rollup is None and self._keys and len(different) == 1:
                yield self._with_different(different[0], places)
                continue
            # Rows of a rollup are put together once, with those of the others.
            facts = "".join(f", {_fact(key, rollup)} AS {key}" for key in self.question.facts)
            yield (
                f"SELECT {_listed(self._head(rollup), facts)} FROM {self._from(rollup)}"
                f" WHERE {self._where(rollup, places)} {'' if rollup else self._grouped}"
            )

    def _with_different(self, different: Fact, places: Sequence[int]) -> str:
        """Return the part of spans with a fact that counts different values."""
        assert different.distinct is not None
        others = [key for key in self.question.facts if key != different.key]
        inner = "".join(f", {_fact(key, None)} AS {key}" for key in others)
        outer = "".join(
            f", count(apart) AS {key}" if key == different.key else f", {_whole(key)} AS {key}"
            for key in self.question.facts
        )
        return self._apart(inner, different.distinct, outer, places)

    def _apart(self, inner: str, value: str, outer: str, places: Sequence[int]) -> str:
        """Return the statement of key and `outer` over rows of spans by key and `value` (`apart`) with `inner`.

        Each value of a key is a row first: that takes hashing, DISTINCT in an aggregate sorts all spans by their texts.
        """
        rows = (
            f"SELECT {_listed(self._head(None), f', {value} AS apart{inner}')} FROM {self._from(None)}"
            f" WHERE {self._where(None, places)} GROUP BY {_positions(len(self._keys) + 1)}"
        )
        return f"SELECT {_listed(self._keys, outer)} FROM ({rows}) AS apart {self._grouped}"

    def _over_spans(self, columns: str) -> str:
        places = range(len(self.segments))
        return (
            f"SELECT {_listed(self._head(None), columns)} FROM {self._from(None)}"
            f" WHERE {self._where(None, places)} {self._grouped}"
        )

    def _head(self, rollup: Rollup | None) -> list[str]:
        column = "s.bucket" if rollup else "s.ts"
        bucket = [] if self.question.width is None else [f"date_bin(%(width)s, {column}, {_EPOCH}) AS bucket"]
        return [
            *bucket,
            *(f"{self._text(one, rollup)} AS g{place}" for place, one in enumerate(self.question.group_by)),
        ]

    def _text(self, dimension: Dimension, rollup: Rollup | None) -> str:
        value = self._value(dimension, rollup)
        return value if rollup or dimension.key == PROJECT else f"coalesce({value}, '')"

    def _value(self, dimension: Dimension, rollup: Rollup | None) -> str:
        if dimension.key == PROJECT:
            return "(%(project_ids)s::text[])[array_position(%(projects)s::int[], s.project_id)]"
        if rollup is not None:
            return f"s.{dimension.label}"
        if dimension.list:
            return "listed.value"
        return dimension.sql.format(attribute=self._names[dimension.key]) if dimension.attribute else dimension.sql

    @cached_property
    def _names(self) -> dict[str, str]:
        attributes = [one.key for one in self.question.dimensions if one.attribute]
        return {key: f"attribute_{place}" for place, key in enumerate(attributes)}

    @cached_property
    def _split(self) -> Dimension | None:
        """The list whose elements are rows of their own."""
        narrowed = self.question.groups.dimensions if self.question.groups else ()
        return next((one for one in (*self.question.group_by, *narrowed) if one.list), None)

    def _from(self, rollup: Rollup | None) -> str:
        if rollup is not None:
            return f"{rollup.table} AS s"
        tables = "llm_traces AS s"
        if self.question.needs_content:
            tables += CONTENT
        if self._split is not None:
            tables += f" LEFT JOIN LATERAL unnest({self._split.sql}) AS listed (value) ON true"
        return tables

    def _where(self, rollup: Rollup | None, places: Sequence[int], *, owner: str = _TENANT) -> str:
        column = "s.bucket" if rollup else "s.ts"
        ranges = " OR ".join(f"({column} >= %(from_{place})s AND {column} < %(to_{place})s)" for place in places)
        conditions = [
            owner,
            # The whole stretch once more: partitions are pruned by it, not by the alternatives.
            f"{column} >= %(from_{places[0]})s AND {column} < %(to_{places[-1]})s",
            *([f"({ranges})"] if len(places) > 1 else []),
            *(self._condition(one, f"filter_{place}", rollup) for place, one in enumerate(self.question.filters)),
            *([self._narrowed(self.question.groups, rollup)] if self.question.groups else []),
        ]
        return " AND ".join(conditions)

    def _condition(self, one: Filter, name: str, rollup: Rollup | None) -> str:
        if one.dimension.key == PROJECT:
            return f"s.project_id {'<> ALL' if one.operator.negative else '= ANY'}(%({name})s::int[])"
        if one.dimension.list and self._split is None:
            found = f"coalesce({one.dimension.sql} && %({name})s::text[], false)"
            if one.operator is Operator.STARTS_WITH:
                listed = f"unnest({one.dimension.sql}) AS one (value)"
                found = f"EXISTS (SELECT FROM {listed} WHERE starts_with(one.value, %({name})s))"
            return f"NOT {found}" if one.operator.negative else found
        value = self._value(one.dimension, rollup)
        match one.operator:
            case Operator.EQ | Operator.IN:
                return f"{value} = ANY(%({name})s::text[])"
            case Operator.NE | Operator.NOT_IN:
                return f"({value} IS NULL OR {value} <> ALL(%({name})s::text[]))"
            case Operator.STARTS_WITH:
                return f"starts_with({value}, %({name})s)"
            case Operator.PRESENT:
                return f"{value} <> ''"

    def _narrowed(self, groups: Groups, rollup: Rollup | None) -> str:
        texts = ", ".join(self._text(one, rollup) for one in groups.dimensions)
        given = ", ".join(f"%(group_{place})s::text[]" for place in range(len(groups.dimensions)))
        return f"({texts}) {'IN' if groups.inside else 'NOT IN'} (SELECT * FROM unnest({given}) AS given)"

    @property
    def _parameters(self) -> dict[str, Any]:
        question = self.question
        tenant = question.scope.tenant
        parameters: dict[str, Any] = {
            # As PostgreSQL writes arrays: the driver takes half of a statement's time to find out what is in a list.
            **{name: as_array(numbers) for name, numbers in tenant.items()},
            "width": question.width,
            "seconds": seconds_of(question),
        }
        if any(one.key == PROJECT for one in question.dimensions):
            known = question.scope.projects
            parameters["project_ids"] = [str(known[one].public_id) for one in tenant["projects"]]
        for key, name in self._names.items():
            parameters[name] = next(one.attribute for one in question.dimensions if one.key == key)
        for place, one in enumerate(question.filters):
            parameters[f"filter_{place}"] = self._compared(one)
        if question.groups:
            for place in range(len(question.groups.dimensions)):
                parameters[f"group_{place}"] = [row[place] for row in question.groups.rows]
        for place, segment in enumerate(self.segments):
            parameters |= {f"from_{place}": segment.start, f"to_{place}": segment.end}
        if self.question.needs_content:
            parameters |= content_bounds(self.segments[0].start, self.segments[-1].end)
        return parameters

    def _compared(self, one: Filter) -> Any:
        if one.dimension.key == PROJECT:
            known = self.question.scope.projects.items()
            return [number for number, project in known if str(project.public_id) in one.values]
        return one.values[0] if one.operator is Operator.STARTS_WITH else list(one.values)


def seconds_of(question: Question) -> Any:
    """Return the seconds that rates of a row are over: those of a bucket, or of the whole range."""
    return (question.width or question.range.end - question.range.start).total_seconds()


def is_known_to_server(figure: Figure) -> bool:
    """Return whether the server can compare and order by a figure."""
    return figure.of.sql is not None


def _listed(keys: Sequence[str], columns: str) -> str:
    return f"{', '.join(keys)}{columns}" if keys else columns.removeprefix(", ")


def _positions(count: int) -> str:
    return ", ".join(str(place) for place in range(1, count + 1))


def _fact(key: str, rollup: Rollup | None) -> str:
    return _kept_fact(key, rollup.table) if rollup else FACTS_BY_KEY[key].over_spans


@lru_cache(maxsize=1024)
def _kept_fact(key: str, table: str) -> str:
    return ANSWERING[table].read(FACTS_BY_KEY[key], "s")


@lru_cache(maxsize=256)
def _whole(key: str) -> str:
    return whole(FACTS_BY_KEY[key], key)
