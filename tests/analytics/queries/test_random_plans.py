"""Whatever is asked, the answer is the one that reading every span gives: sums exactly, percentiles within 2.5 %."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.queries.figures import ask
from analytics.queries.plans import ASKED, Comparison, Filter, Having, Operator, Question, Sort
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import DIMENSIONS, dimension
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import MEASURES, Figure
from tests.analytics.queries import naive
from tests.analytics.queries.conftest import DAY

FIGURES = [
    Figure(key=f"{aggregation}_{measure.key}", measure=measure, aggregation=aggregation)
    for measure in MEASURES
    for aggregation in measure.of
]
EVERY_DIMENSION = [*DIMENSIONS, dimension("attributes.color")]
VALUES = {
    "provider": ["openai", "anthropic", "x", "nobody"],
    "model": ["gpt-4o", "gpt-4o-mini", "unknown"],
    "environment": ["prod", "staging"],
    "status_code": ["OK", "ERROR", "UNSET"],
    "error_type": ["Timeout", "RateLimit"],
    "operation_name": ["chat", "embeddings"],
    "user_id": ["user-1", "user-2"],
    "team_id": ["team-1"],
    "session_id": ["session-1"],
    "tag": ["a", "ab"],
    "attributes.color": ["red"],
}
# Whole days and ragged ends, in rolled up days and in fresh ones.
OFFSETS = st.one_of(st.integers(0, 3).map(lambda day: day * 86_400), st.integers(0, 3 * 86_400))


@st.composite
def questions(draw):
    """Draw everything of a question but its scope."""
    start, end = sorted(draw(st.tuples(OFFSETS, OFFSETS).filter(lambda pair: pair[0] != pair[1])))
    figures = draw(st.lists(st.sampled_from(FIGURES), min_size=1, max_size=4, unique_by=lambda one: one.key))
    group_by = draw(st.lists(st.sampled_from(EVERY_DIMENSION), max_size=2, unique=True))
    narrowed = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2, unique=True))
    filters = []
    for name in narrowed:
        operator = draw(st.sampled_from([*ASKED, Operator.STARTS_WITH]))
        one = operator in {Operator.EQ, Operator.NE, Operator.STARTS_WITH}
        values = draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=1 if one else 2, unique=True))
        filters.append(Filter(dimension=dimension(name), operator=operator, values=tuple(values)))
    sums = [one for one in FIGURES if not one.of.quantiles and not one.of.distinct]
    having = [
        Having(
            figure=figure,
            comparison=draw(st.sampled_from(list(Comparison))),
            value=draw(st.sampled_from([Decimal(0), Decimal(1), Decimal("0.25"), Decimal(5000)])),
        )
        for figure in draw(st.lists(st.sampled_from(sums), max_size=1))
    ]
    by_label = [one for one in (*group_by, *(one.dimension for one in filters)) if one.key != "project_id"]
    small = end - start <= 2 * 86_400 or not by_label
    grain = draw(st.sampled_from(["all", "1hour", "1day", *(["1min", "5min"] if small else [])]))
    exact_keys = [one.key for one in figures if not one.of.quantiles and not one.of.distinct]
    sort = Sort(
        by=draw(st.sampled_from(["timestamp", *exact_keys, *(one.key for one in group_by)])),
        descending=draw(st.booleans()),
    )
    return {
        "range": TimeRange(start=DAY + timedelta(seconds=start), end=DAY + timedelta(seconds=end)),
        "figures": figures,
        "group_by": group_by,
        "filters": filters,
        "having": having,
        "grain": GRAINS[grain],
        "sort": sort,
        "limit": draw(st.none() | st.integers(1, 5)),
    }


def assert_same(figure, found, expected):
    if figure.of.quantiles and expected is not None:
        assert abs(found - expected) <= (Decimal("0.025") * expected if expected else 1), figure.key
    elif figure.of.distinct:
        assert abs(found - expected) <= Decimal("0.02") * expected, figure.key
    else:
        assert found == expected, figure.key


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(asked=questions())
def test_a_valid_question_is_answered_as_its_spans_say(filled, asked):
    question = Question(scope=filled, **asked)
    (answer,) = ask(question)
    expected = naive.answer(question, naive.spans(filled))
    assert [(row.bucket, row.labels) for row in answer.rows] == [row[:2] for row in expected]
    for row, (*_, values) in zip(answer.rows, expected, strict=True):
        for figure, found, value in zip(question.figures, row.values, values, strict=True):
            assert_same(figure, found, value)


def test_percentiles_sort_and_narrow_rows_too(filled):
    (latency,) = [one for one in FIGURES if one.key == "p95_duration"]
    whole = TimeRange(start=DAY, end=DAY + timedelta(days=3))
    asked = {"scope": filled, "range": whole, "figures": [latency], "group_by": [dimension("model")]}
    (every,) = ask(Question(**asked))
    bound = sorted(row.values[0] for row in every.rows)[1]
    having = [Having(figure=latency, comparison=Comparison.GTE, value=Decimal(bound))]
    (found,) = ask(Question(**asked, having=having, sort=Sort(by="p95_duration"), limit=2))
    expected = sorted((row for row in every.rows if row.values[0] >= bound), key=lambda row: -row.values[0])
    assert ([row.values for row in found.rows], found.truncated) == ([row.values for row in expected[:2]], True)


@pytest.mark.parametrize("group", ["model", "user_id", "session_id"])
def test_the_other_row_makes_sums_whole(filled, group):
    figures = [one for one in FIGURES if one.key in {"sum_request_count", "sum_total_tokens", "p95_duration"}]
    whole = TimeRange(start=DAY, end=DAY + timedelta(days=3))
    asked = {"scope": filled, "range": whole, "figures": figures}
    sort = Sort(by="sum_total_tokens")
    found, total = ask(
        Question(**asked, group_by=[dimension(group)], sort=sort, limit=2, other=True), Question(**asked)
    )
    assert [row.other for row in found.rows] == [False, False, True]
    counts = [found.figures_of(row) for row in found.rows]
    for key in ("sum_request_count", "sum_total_tokens"):
        assert sum(one[key] for one in counts) == total.totals[key]


def test_an_unselected_figure_is_not_computed(filled):
    (count,) = [one for one in FIGURES if one.key == "sum_request_count"]
    with CaptureQueriesContext(connection) as captured:
        ask(Question(scope=filled, range=TimeRange(start=DAY, end=DAY + timedelta(days=3)), figures=[count]))
    (statement,) = [one["sql"] for one in captured if "request_count" in one["sql"]]
    assert [
        name
        for name in ("duration", "ttft", "cost", "tokens", "user_id", "observatory_bin", "observatory_register")
        if name in statement
    ] == []
