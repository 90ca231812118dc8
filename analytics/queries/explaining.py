"""How a question would be answered: sources, columns, SQL without values."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from analytics.queries.figures import Answer
from analytics.queries.plans import Question
from analytics.queries.runs import Known, Run, check_grain, ordering, settled, source_of
from analytics.queries.statements import Statement, Statements, is_known_to_server
from analytics.storage.transactions import retried


class Explained(Exception):  # noqa: N818  # it is no error: it ends what would go on with the answers
    """Raised instead of answering by one who only wants to know how."""

    def __init__(self, plans: Sequence[Mapping[str, Any]]) -> None:
        self.plans = plans
        super().__init__()


def explain(*questions: Question) -> list[Answer]:
    """Raise `Explained` with how each of `questions` would be answered: sources, columns, SQL without values."""
    for question in questions:
        check_grain(question)
    raise Explained(retried(partial(_plans, questions), snapshot=True))


def _plans(questions: Sequence[Question]) -> list[Mapping[str, Any]]:
    known = Known()
    return [_plan(settled(question, known)) for question in questions]


def _plan(run: Run) -> Mapping[str, Any]:
    question = run.question
    facts = Statements(question=question, segments=run.segments(question.for_facts))
    parts = [_part("facts", facts, facts.facts(ordered=all(map(is_known_to_server, ordering(question)))))]
    for sketch, wanted in question.quantiles.items():
        each = Statements(question=question, segments=run.segments(question.for_sketch(sketch)))
        exact = source_of(each.segments) == "spans"
        parts.append(
            _part(f"percentiles of {sketch.key}", each, each.exact(sketch, wanted) if exact else each.sketches(sketch))
        )
    for distinct in question.distincts:
        each = Statements(question=question, segments=run.segments(question.for_distinct(distinct)))
        exact = source_of(each.segments) == "spans"
        parts.append(
            _part(f"different {distinct.key}", each, each.values(distinct) if exact else each.registers(distinct))
        )
    return {
        "grain": question.grain.key,
        "start_time": question.range.start,
        "end_time": question.range.end,
        "data_source": source_of(run.used),
        "columns": [*(one.key for one in question.group_by), *(one.key for one in question.figures)],
        "parts": parts,
    }


def _part(name: str, statements: Statements, statement: Statement) -> Mapping[str, Any]:
    sources = [
        {
            "source": segment.rollup.table if segment.rollup else "llm_traces",
            "start_time": segment.start,
            "end_time": segment.end,
        }
        for segment in statements.segments
    ]
    return {"part": name, "sources": sources, "sql": " ".join(statement[0].split())}
