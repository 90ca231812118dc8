"""Figures over a range, for every route: a question -> sources -> facts of each -> merged facts -> figures."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial
from operator import eq, ge, gt, le, lt
from typing import Any

from django.db import connection

from analytics.queries.plans import TIMESTAMP, Comparison, Groups, Question, Sort
from analytics.queries.sources import Segment, choose, earliest, widened
from analytics.queries.statements import Statement, Statements, is_known_to_server, seconds_of
from analytics.queries.timerange import TimeRange, check_length
from analytics.registry.facts import Distinct, Sketch
from analytics.registry.measures import Figure, Quantile
from analytics.registry.rollups import Rollup
from analytics.registry.sketches import distinct_values, estimate, nearest_ranks
from analytics.scope import Scope
from analytics.storage.changes import Changes, changes_of
from analytics.storage.horizons import EVER, Horizons, horizons_of
from analytics.storage.transactions import retried
from errors.catalog import RANGE_NOT_KEPT
from errors.exceptions import ApiError

Key = tuple[Any, ...]
Facts = dict[str, Any]
_COMPARE = {Comparison.GT: gt, Comparison.GTE: ge, Comparison.LT: lt, Comparison.LTE: le, Comparison.EQ: eq}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A bucket (`None`: the whole range) of a group: its labels and the values of the figures, each in their order.

    `other` marks the one that stands for everything that is not shown.
    """

    bucket: datetime | None
    labels: tuple[str | None, ...]
    values: tuple[Any, ...]
    other: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The rows of a question, and where they came from.

    `as_of` is the newest change, `source` where facts came from: rollup, spans, mixed. `question` is as it was
    answered: its range is wider than asked where spans are gone and only whole buckets are left. `truncated` tells
    that there are more rows, `estimated` that numbers of different values are within 2 %.
    """

    question: Question
    rows: Sequence[Row]
    as_of: datetime | None
    source: str
    truncated: bool = False
    estimated: bool = False

    @property
    def range(self) -> TimeRange:
        """The range that was answered."""
        return self.question.range

    @cached_property
    def totals(self) -> dict[str, Any]:
        """The figures of the only row, by key."""
        (row,) = self.rows
        return self.figures_of(row)

    def figures_of(self, row: Row) -> dict[str, Any]:
        """Return the figures of a row by key."""
        return dict(zip([one.key for one in self.question.figures], row.values, strict=True))

    def items(self) -> Iterator[dict[str, Any]]:
        """Yield each row as it is shown: timestamp (for the whole range, its start), labels, figures."""
        labels = [one.key for one in self.question.group_by]
        figures = [one.key for one in self.question.figures]
        start = self.range.start
        for row in self.rows:
            item: dict[str, Any] = {TIMESTAMP: row.bucket or start}
            item.update(zip(labels, row.labels, strict=True))
            item.update(zip(figures, row.values, strict=True))
            if row.other:
                item["other"] = True
            yield item


def ask(*questions: Question) -> list[Answer]:
    """Answer `questions` in one snapshot, so that they agree with each other.

    Raise 400/1204 for a range that is too long for its buckets, or of which too little is kept.
    """
    for question in questions:
        check_grain(question)
    return retried(partial(_answers, questions), snapshot=True)


def _answers(questions: Sequence[Question]) -> list[Answer]:
    known = _Known()
    return [_answer(question, known) for question in questions]


def check_grain(question: Question) -> None:
    """Raise 400/1204 when the range is longer than its buckets are served over."""
    grain = question.grain
    longest = (question.is_by_label and grain.longest_by_label) or grain.longest
    if longest is not None:
        check_length(question.range, longest=longest, instead=grain.next)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read in this snapshot already."""

    horizons: dict[tuple[int, ...], Horizons] = field(default_factory=dict)
    changes: dict[tuple[Any, ...], Changes] = field(default_factory=dict)

    def horizons_of(self, scope: Scope) -> Horizons:
        key = tuple(scope.projects)
        if key not in self.horizons:
            self.horizons[key] = horizons_of(key)
        return self.horizons[key]

    def changes_of(self, scope: Scope, where: TimeRange) -> Changes:
        key = (*scope.projects, where.start, where.end)
        if key not in self.changes:
            self.changes[key] = changes_of(scope.tenant, where.start, where.end)
        return self.changes[key]


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A question whose range is settled, with what decides about its sources."""

    question: Question
    changes: Changes
    kept: Horizons
    used: list[Segment] = field(default_factory=list)

    def segments(self, rollups: Sequence[Rollup]) -> list[Segment]:
        segments = choose(self.question.range, rollups, self.changes.marked, self.kept)
        self.used.extend(segments)
        return segments


def _settled(asked: Question, known: _Known) -> _Run:
    kept = known.horizons_of(asked.scope)
    question = asked
    for rollups in asked.parts:
        question = replace(question, range=widened(question.range, rollups, kept))
    since = max(earliest(rollups, kept) for rollups in question.parts)
    if question.range.start < since:
        raise ApiError(
            RANGE_NOT_KEPT,
            field="start_time",
            earliest=f"{since:%Y-%m-%dT%H:%M:%SZ}",
            details="Older data can be asked for by day, without what only spans tell." if since > EVER else "",
        )
    return _Run(question=question, changes=known.changes_of(asked.scope, question.range), kept=kept)


def _answer(asked: Question, known: _Known) -> Answer:
    run = _settled(asked, known)
    rows, more, estimated = _rows(run)
    if asked.other and more:
        rows.append(_rest(run, rows))
    return Answer(
        question=run.question,
        rows=rows,
        as_of=run.changes.newest,
        source=source_of(run.used),
        truncated=more,
        estimated=estimated,
    )


def _rows(run: _Run) -> tuple[list[Row], bool, bool]:
    """Return the rows, whether there are more, and whether a number of different values is estimated."""
    question = run.question
    in_server = all(map(is_known_to_server, _ordering(question)))
    found = _facts(Statements(question=question, segments=run.segments(question.for_facts)), ordered=in_server)
    more = question.limit is not None and len(found) > question.limit
    if in_server and more:
        found = dict(list(found.items())[: question.limit])
        run = replace(run, question=replace(question, groups=_shown(question, list(found))))
    estimated = _complete(run, found)
    rows = [_row(question, key, facts) for key, facts in found.items()]
    if not in_server:
        rows = _arranged(question, rows, list(found.values()))
        more = question.limit is not None and len(rows) > question.limit
        rows = rows[: question.limit]
    return rows, more, estimated


def _ordering(question: Question) -> list[Figure]:
    sorting = [one for one in question.figures if one.key == question.sort.by]
    return [*(one.figure for one in question.having), *sorting]


def source_of(segments: Sequence[Segment]) -> str:
    """Return where the facts of an answer came from: rollup, spans, mixed."""
    from_spans = {segment.rollup is None for segment in segments}
    return "mixed" if len(from_spans) > 1 else "spans" if from_spans == {True} else "rollup"


# --- facts ------------------------------------------------------------------------------------------------------------
def _read(statement: Statement) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _width(question: Question) -> int:
    return len(question.group_by) + (question.width is not None)


def _facts(statements: Statements, *, ordered: bool) -> dict[Key, Facts]:
    question = statements.question
    width, names = _width(question), question.facts
    return {row[:width]: dict(zip(names, row[width:], strict=True)) for row in _read(statements.facts(ordered=ordered))}


def _complete(run: _Run, found: Mapping[Key, Facts]) -> bool:
    """Add percentiles and distinct counts to the facts of each key; return whether a count is estimated."""
    question, estimated = run.question, False
    for sketch, wanted in question.quantiles.items():
        statements = Statements(question=question, segments=run.segments(question.for_sketch(sketch)))
        values = _percentiles(statements, sketch, wanted, found)
        nothing = dict.fromkeys([one.key for one in wanted])
        for key, facts in found.items():
            facts.update(values.get(key, nothing))
    for distinct in question.distincts:
        statements = Statements(question=question, segments=run.segments(question.for_distinct(distinct)))
        exact = source_of(statements.segments) == "spans"
        counts = _counted(statements, distinct) if exact else _estimated(statements, distinct)
        estimated = estimated or not exact
        for key, facts in found.items():
            facts[f"{distinct.key}_distinct"] = counts.get(key, 0)
    return estimated


def _percentiles(
    statements: Statements, sketch: Sketch, wanted: Sequence[Quantile], found: Mapping[Key, Facts]
) -> dict[Key, Facts]:
    width = _width(statements.question)
    if source_of(statements.segments) == "spans":
        keys = [one.key for one in wanted]
        rows = _read(statements.exact(sketch, wanted))
        return {row[:width]: dict(zip(keys, row[width:], strict=True)) for row in rows}
    merged: dict[Key, Counter[int]] = defaultdict(Counter)
    for *key, bins, counts in _read(statements.sketches(sketch)):
        into = merged[tuple(key)]
        for number, count in zip(bins or (), counts or (), strict=True):
            into[number] += count
    return {
        key: _ranked(binned, wanted, least=found[key][f"{sketch.key}_min"], greatest=found[key][f"{sketch.key}_max"])
        for key, binned in merged.items()
        if key in found and binned
    }


def _ranked(binned: Mapping[int, int], wanted: Sequence[Quantile], *, least: int, greatest: int) -> Facts:
    bins = nearest_ranks(binned, [one.percent for one in wanted])
    return {one.key: estimate(number, least=least, greatest=greatest) for one, number in zip(wanted, bins, strict=True)}


def _counted(statements: Statements, distinct: Distinct) -> dict[Key, int]:
    return {row[:-1]: row[-1] for row in _read(statements.values(distinct))}


def _estimated(statements: Statements, distinct: Distinct) -> dict[Key, int]:
    ranks: dict[Key, dict[int, int]] = defaultdict(dict)
    for *key, rank, count in _read(statements.registers(distinct)):
        ranks[tuple(key)][rank] = count
    return {key: distinct_values(known) for key, known in ranks.items()}


# --- rows -------------------------------------------------------------------------------------------------------------
def _row(question: Question, key: Key, facts: Facts, *, other: bool = False) -> Row:
    seconds = Decimal(str(seconds_of(question)))
    with_bucket = question.width is not None
    return Row(
        bucket=key[0] if with_bucket else None,
        labels=tuple([text or None for text in key[with_bucket:]]),
        values=tuple([one.of.value(facts, seconds) for one in question.figures]),
        other=other,
    )


def _arranged(question: Question, rows: Sequence[Row], facts: Sequence[Facts]) -> list[Row]:
    """Apply having and sort where the server could not."""
    seconds = Decimal(str(seconds_of(question)))
    kept = [
        row
        for row, known in zip(rows, facts, strict=True)
        if all(_meets(one.figure.of.value(known, seconds), one.comparison, one.value) for one in question.having)
    ]
    kept.sort(key=lambda row: [(label is None, label) for label in row.labels])
    sort = question.sort
    if question.width is not None:
        kept.sort(key=lambda row: row.bucket or EVER, reverse=sort.descending or sort.by != TIMESTAMP)
    places = [*(one.key for one in question.figures), *(one.key for one in question.group_by)]
    if sort.by in places:
        place = places.index(sort.by)
        known = [row for row in kept if (*row.values, *row.labels)[place] is not None]
        known.sort(key=lambda row: (*row.values, *row.labels)[place], reverse=sort.descending)
        kept = [*known, *(row for row in kept if (*row.values, *row.labels)[place] is None)]
    return kept


def _meets(value: Any, comparison: Comparison, bound: Decimal) -> bool:
    return value is not None and bool(_COMPARE[comparison](value, bound))


def _shown(question: Question, keys: Sequence[Key]) -> Groups | None:
    """Return the groups of keys, to which other statements of the question can be narrowed."""
    if not question.group_by:
        return None
    start = int(question.width is not None)
    return Groups(dimensions=question.group_by, rows=list(dict.fromkeys(key[start:] for key in keys)), inside=True)


def _rest(run: _Run, rows: Sequence[Row]) -> Row:
    """Return the row of everything that `rows` do not show."""
    asked = run.question
    groups = Groups(
        dimensions=asked.group_by, rows=[tuple(label or "" for label in row.labels) for row in rows], inside=False
    )
    rest = replace(asked, group_by=(), having=(), sort=Sort(), limit=None, other=False, groups=groups)
    (row,), _, _ = _rows(replace(run, question=rest))
    return replace(row, labels=(None,) * len(asked.group_by), other=True)
