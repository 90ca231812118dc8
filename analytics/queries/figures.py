"""Figures over a range, for every route: a question -> sources -> facts of each -> merged facts -> figures."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import repeat
from operator import eq, ge, gt, le, lt
from typing import Any, NamedTuple, TypeVar

import orjson
from django.db import connection

from analytics.queries.plans import TIMESTAMP, Comparison, Groups, Question, Sort
from analytics.queries.runs import Known, Run, check_grain, ordering, settled, source_of
from analytics.queries.statements import Statement, Statements, is_known_to_server, seconds_of
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import PROJECT, Source
from analytics.registry.facts import FACTS_BY_KEY, Distinct, Merge, Sketch
from analytics.registry.measures import Quantile
from analytics.registry.sketches import distinct_values, estimate, nearest_ranks
from analytics.storage.deadline import statement_ms
from analytics.storage.horizons import EVER
from analytics.storage.transactions import retried
from errors.catalog import RANGE_NOT_KEPT
from errors.exceptions import ApiError

COUNTED = "counted"
A = TypeVar("A")
Key = tuple[Any, ...]
Facts = dict[str, Any]
_COMPARE = {Comparison.GT: gt, Comparison.GTE: ge, Comparison.LT: lt, Comparison.LTE: le, Comparison.EQ: eq}


class Row(NamedTuple):
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
    that there are more rows, `estimated` that numbers of different values are within 2 %; `counted` is how many rows
    there are, where that was asked.
    """

    question: Question
    rows: Sequence[Row]
    as_of: datetime | None
    source: str
    truncated: bool = False
    estimated: bool = False
    counted: int = 0

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
        labels, figures = self.question.group_by, self.question.figures
        keys = [TIMESTAMP, *(one.key for one in labels), *(one.key for one in figures)]
        start = self.range.start
        for row in self.rows:
            item = dict(zip(keys, (row.bucket or start, *row.labels, *row.values), strict=True))
            if row.other:
                item["other"] = True
            yield item


def ask(*questions: Question) -> list[Answer]:
    """Answer `questions` in one snapshot, so that they agree with each other.

    Raise 400/1204 for a range that is too long for its buckets, or of which too little is kept.
    """
    return _in_snapshot(questions, lambda known: _answers(questions, known))


def ask_kept(question: Question, *others: Question) -> tuple[Answer, list[Answer | None]]:
    """Answer a question as `ask` does, and others in the same snapshot: `None` for one of which too little is kept."""
    return _in_snapshot(
        (question, *others),
        lambda known: (_answer(question, known), [_answer_if_kept(other, known) for other in others]),
    )


def _in_snapshot(questions: Sequence[Question], answers: Callable[[Known], A]) -> A:
    for question in questions:
        check_grain(question)
    return retried(lambda: answers(Known()), snapshot=True)


def _answer_if_kept(asked: Question, known: Known) -> Answer | None:
    try:
        return _answer(asked, known)
    except ApiError as problem:
        if problem.spec is not RANGE_NOT_KEPT:
            raise
        return None


Ask = Callable[..., list[Answer]]


def _answers(questions: Sequence[Question], known: Known) -> list[Answer]:
    """Return the answers in the order of the questions; those that differ in one label alone take one statement."""
    alike: list[tuple[Any, list[int]]] = []
    for place, question in enumerate(questions):
        rest = _but_for_its_label(question)
        known_places = next((places for one, places in alike if one is not None and one == rest), None)
        if known_places is None:
            alike.append((rest, [place]))
        else:
            known_places.append(place)
    found: dict[int, Answer] = {}
    for _, places in alike:
        several = [questions[place] for place in places]
        if len(places) > 1 and len({one.group_by[0].key for one in several}) == len(places):
            found |= zip(places, _of_labels(several, known), strict=True)
        else:
            found |= {place: _answer(questions[place], known) for place in places}
    return [found[place] for place in range(len(questions))]


def _but_for_its_label(question: Question) -> tuple[Any, ...] | None:
    """Return all that decides about the answer but the label and the limit; `None` where the label is not all."""
    simple = (
        [one.source for one in question.group_by] == [Source.ROLLUP]
        and question.width is None
        and not (question.quantiles or question.distincts or question.having or question.groups)
        and not (question.counted or question.other or question.after)
        and all(map(is_known_to_server, ordering(question)))
    )
    if not simple or PROJECT in (question.group_by[0].key, question.sort.by):
        return None
    by = None if question.sort.by == question.group_by[0].key else question.sort.by
    return (
        tuple(question.scope.projects),
        question.range,
        question.grain.exact,
        tuple(question.figures),
        tuple(question.filters),
        (by, question.sort.descending),
        question.present,
        tuple(one.table for one in question.for_facts),
    )


def _of_labels(asked: Sequence[Question], known: Known) -> list[Answer]:
    """Return the answers of questions that are alike but for the label and the limit."""
    statement_ms()
    run = settled(asked[0], known)
    limits = [one.limit for one in asked if one.limit is not None]
    together = replace(
        run.question,
        group_by=[one.group_by[0] for one in asked],
        limit=max(limits) if len(limits) == len(asked) else None,
    )
    segments = run.segments(asked[0].for_facts)
    rows = _read(Statements(question=together, segments=segments).facts_of_labels())
    answers = []
    for place, one in enumerate(asked):
        question = replace(one, range=run.question.range)
        found = {(row[1],): dict(zip(question.facts, row[2:], strict=True)) for row in rows if row[0] == place}
        answers.append(
            Answer(
                question=question,
                rows=_rows_of(question, found)[: one.limit],
                as_of=run.changes.newest,
                source=source_of(run.used),
                truncated=one.limit is not None and len(found) > one.limit,
            )
        )
    return answers


def _answer(asked: Question, known: Known) -> Answer:
    statement_ms()  # between two questions the request may have run out of time
    run = settled(asked, known)
    found = _rows(run)
    rows = [*found.rows, _rest(run, found.rows)] if asked.other and found.truncated else found.rows
    return replace(found, rows=rows, source=source_of(run.used))


def _rows(run: Run) -> Answer:
    question = run.question
    in_server = all(map(is_known_to_server, ordering(question)))
    found = _facts(Statements(question=question, segments=run.segments(question.for_facts)), ordered=in_server)
    more = question.limit is not None and len(found) > question.limit
    if in_server and more:
        found = dict(list(found.items())[: question.limit])
        run = replace(run, question=replace(question, groups=_shown(question, list(found))))
    estimated = _complete(run, found)
    rows = _rows_of(question, found)
    if not in_server:
        rows = _arranged(question, rows, list(found.values()))
        more = question.limit is not None and len(rows) > question.limit
        rows = rows[: question.limit]
    return Answer(
        question=question,
        rows=rows,
        as_of=run.changes.newest,
        source=source_of(run.used),
        truncated=more,
        estimated=estimated,
        counted=next((facts[COUNTED] for facts in found.values() if question.counted), 0),
    )


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
    rows = _read(statements.facts(ordered=ordered))
    if question.counted:
        names = [*names, COUNTED]
    return {row[:width]: dict(zip(names, row[width:], strict=True)) for row in rows}


def _complete(run: Run, found: Mapping[Key, Facts]) -> bool:
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
    merged: dict[Key, dict[int, int]] = {}
    for *key, bins, counts in _read(statements.sketches(sketch)):
        if bins is None:  # all that a part without keys says of nothing
            continue
        # Without counts each bin counts 1, and may come more than once.
        numbers = _numbers(bins)
        binned = zip(numbers, repeat(1) if counts is None else _numbers(counts), strict=False)
        into = merged.setdefault(tuple(key), defaultdict(int))
        if into or counts is None:
            for number, count in binned:
                into[number] += count
        else:
            into.update(binned)
    return {
        key: _ranked(binned, wanted, least=found[key][f"{sketch.key}_min"], greatest=found[key][f"{sketch.key}_max"])
        for key, binned in merged.items()
        if key in found and binned
    }


def _numbers(array: str) -> list[int]:
    """Return the numbers of an array as PostgreSQL writes it."""
    numbers: list[int] = orjson.loads(f"[{array[1:-1]}]")
    return numbers


def nothing(question: Question) -> tuple[Any, ...]:
    """Return the values of the figures over no span at all."""
    facts: Facts = {key: 0 if FACTS_BY_KEY[key].merge is Merge.SUM else None for key in question.facts}
    facts |= {one.key: None for wanted in question.quantiles.values() for one in wanted}
    facts |= {f"{distinct.key}_distinct": 0 for distinct in question.distincts}
    (row,) = _rows_of(question, {(None,) * _width(question): facts})
    return row.values


def _ranked(binned: Mapping[int, int], wanted: Sequence[Quantile], *, least: int, greatest: int) -> Facts:
    percents = [one.percent for one in wanted]
    bins, whole = nearest_ranks(binned, percents), sum(binned.values())
    ranks = [-(-percent * whole // 100) for percent in percents]
    # The first and the last in rank are known exactly.
    return {
        one.key: greatest if rank == whole else least if rank == 1 else estimate(number, least=least, greatest=greatest)
        for one, number, rank in zip(wanted, bins, ranks, strict=True)
    }


def _counted(statements: Statements, distinct: Distinct) -> dict[Key, int]:
    return {row[:-1]: row[-1] for row in _read(statements.values(distinct))}


def _estimated(statements: Statements, distinct: Distinct) -> dict[Key, int]:
    ranks: dict[Key, dict[int, int]] = defaultdict(dict)
    for *key, rank, count in _read(statements.registers(distinct)):
        ranks[tuple(key)][rank] = count
    return {key: distinct_values(known) for key, known in ranks.items()}


# --- rows -------------------------------------------------------------------------------------------------------------
def _rows_of(question: Question, found: Mapping[Key, Facts]) -> list[Row]:
    with_bucket, seconds = question.width is not None, Decimal(str(seconds_of(question)))
    figures = [one.of.value for one in question.figures]
    return [
        Row(
            key[0] if with_bucket else None,
            tuple([text or None for text in key[with_bucket:]]) if question.group_by else (),
            tuple([value(facts, seconds) for value in figures]),
        )
        for key, facts in found.items()
    ]


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


def _rest(run: Run, rows: Sequence[Row]) -> Row:
    """Return the row of everything that `rows` do not show."""
    asked = run.question
    groups = Groups(
        dimensions=asked.group_by, rows=[tuple(label or "" for label in row.labels) for row in rows], inside=False
    )
    rest = replace(asked, group_by=(), having=(), sort=Sort(), limit=None, other=False, groups=groups)
    (row,) = _rows(replace(run, question=rest)).rows
    return row._replace(labels=(None,) * len(asked.group_by), other=True)
