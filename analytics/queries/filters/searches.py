"""What only the server can say of a filter: how it reads full-text questions, whether regular expressions compile."""

from collections.abc import Sequence

from django.db import DatabaseError, connection, transaction

from analytics.queries.filters.compiling import HAS_TEXT, Searches, Tail
from analytics.queries.filters.questions import Question, question_of
from analytics.queries.filters.tree import Leaf, Node, leaves
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope
from analytics.storage.searches import backlog, rows_alone, tell_of_reading
from analytics.storage.transactions import sqlstate
from errors.catalog import INVALID_FILTER
from errors.exceptions import ApiError

_INVALID_REGEX = "2201B"
_MOST_OPEN = 100  # a phrase of them is looked for by a regular expression


def searches_of(node: Node | None, *, scope: Scope, where: TimeRange) -> Searches:
    """Return the full-text questions of a filter as the server reads them, and the rows of `where` to scan.

    Raises 400/1213 at the place of a question without a word, and of a regular expression that does not compile.
    """
    found = list(leaves(node))
    _check_patterns([one for one in found if one.operator.key == "regex"])
    asked = [one for one in found if one.operator.key == "search"]
    if not asked:
        return Searches()
    return Searches(queries=_questions(asked), tail=_tail(scope, where))


def _check_patterns(compared: Sequence[Leaf]) -> None:
    for one in compared:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT '' ~* %s::text", [one.value])
        except DatabaseError as problem:
            if sqlstate(problem) != _INVALID_REGEX:
                raise
            raise _invalid(one, "is no POSIX regular expression that can be compiled") from None


def _invalid(leaf: Leaf, problem: str) -> ApiError:
    place = leaf.place
    return ApiError(INVALID_FILTER, field=place.name, details=f"{place.token}{leaf.value[:64]!r} {problem}")


def _questions(asked: Sequence[Leaf]) -> dict[tuple[str, str], Question]:
    askers = {(one.value, one.target.field.weights): one for one in asked}
    keys = list(askers)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT observatory_question(given.text, given.weights)::text
            FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (text, weights, place) ORDER BY place
            """,
            [[text for text, _ in keys], [weights for _, weights in keys]],
        )
        queries = [query for (query,) in cursor.fetchall()]
    for leaf, query in zip(askers.values(), queries, strict=True):
        if not query:
            raise _invalid(leaf, "has no word to search for")
    questions = {key: question_of(query, weights=key[1]) for key, query in zip(keys, queries, strict=True)}
    for key, question in questions.items():
        if question.most_open > _MOST_OPEN:
            raise _invalid(askers[key], f"has a phrase of more than {_MOST_OPEN} single eastern characters")
    return questions


def _tail(scope: Scope, where: TimeRange) -> Tail | None:
    """Return where the rows without a vector lie: from the first to the last of `where`, whole days of the backlog."""
    with connection.cursor() as cursor, rows_alone(cursor):
        cursor.execute(
            f"""
            SELECT min(c.ts), max(c.ts) FROM llm_contents AS c
            WHERE c.search_vector IS NULL AND {HAS_TEXT} AND c.ts >= %(start)s AND c.ts < %(end)s
                AND c.organisation_id = ANY(%(organisations)s::int[]) AND c.project_id = ANY(%(projects)s::int[])
            """,
            {**scope.tenant, "start": where.start, "end": where.end},
        )
        first, last = cursor.fetchone()
    spans = [(first, last)] if first is not None else []
    spans += [one for one in backlog() if one[1] > where.start and one[0] < where.end]
    if not spans:
        return None
    tell_of_reading()
    return Tail(start=min(start for start, _ in spans), end=max(end for _, end in spans))
