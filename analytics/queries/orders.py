"""The order of a question's rows as SQL: what they are sorted by, and which come after the last of a page. Pure."""

from collections.abc import Iterator

from analytics.queries.plans import TIMESTAMP, Question


def following(question: Question) -> str:
    """Return the condition of rows that come after the last one of the page before, where `after` says it ended."""
    assert question.after is not None
    value, _ = question.after
    sort = question.sort
    (by,) = (one.of.sql for one in question.figures if one.key == sort.by)
    label = f"{_ordered(0)} > %(after_label)s"
    if value is None:
        return f"({by} IS NULL AND {label})"
    beyond = f"{by} {'<' if sort.descending else '>'} %(after_value)s"
    return f"({beyond} OR {by} IS NULL OR ({by} = %(after_value)s AND {label}))"


def order(question: Question) -> Iterator[str]:
    """Yield what rows are ordered by: a figure, label or the bucket, then bucket and labels, so that none are equal."""
    sort, groups = question.sort, question.group_by
    direction = "DESC" if sort.descending else "ASC"
    figures = {one.key: one for one in question.figures}
    if sort.by in figures:
        yield f"{figures[sort.by].of.sql} {direction} NULLS LAST"
    for place, one in enumerate(groups):
        if one.key == sort.by:
            yield f"{_ordered(place)} {direction} NULLS LAST"
    if question.width is not None:
        yield f"bucket {direction if sort.by == TIMESTAMP else 'DESC'}"
    yield from (f"{_ordered(place)} ASC NULLS LAST" for place in range(len(groups)))


def order_of_label(question: Question) -> Iterator[str]:
    """Yield what rows are ordered by whose only label is `g0`, whichever dimension it is of."""
    sort = question.sort
    direction = "DESC" if sort.descending else "ASC"
    for one in question.figures:
        if one.key == sort.by:
            yield f"{one.of.sql} {direction} NULLS LAST"
    by_label = sort.by in {one.key for one in question.group_by}
    yield f"{_ordered(0)} {direction if by_label else 'ASC'} NULLS LAST"


def _ordered(place: int) -> str:
    return f"nullif(g{place}, '') COLLATE \"C\""
