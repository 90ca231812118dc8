"""Questions that differ in their label alone are answered together, each as it would be by itself."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.queries.figures import ask
from analytics.queries.plans import Filter, Question, Sort
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import ALL, Grain
from analytics.registry.measures import FIGURES
from tests.analytics.queries.conftest import DAY

LABELS = ("provider", "model", "environment", "error_type")
SHOWN = [FIGURES[key] for key in ("total_cost", "total_requests", "avg_cost_per_request")]
RAGGED = TimeRange(start=DAY + timedelta(hours=1, minutes=7), end=DAY + timedelta(days=2, hours=5, minutes=3))


def question(scope, label, **more) -> Question:
    return Question(**{"scope": scope, "range": RAGGED, "figures": SHOWN, "group_by": [DIMENSIONS[label]]} | more)


def told(answer):
    return answer.rows, answer.truncated, answer.source, answer.as_of, answer.range, answer.question.group_by


@pytest.mark.parametrize("grain", [ALL, Grain(key="all", width=None, exact=True)], ids=["rollups", "spans"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"sort": Sort(by="total_cost"), "limit": 2},
        {"sort": Sort(by="total_requests", descending=False), "limit": 1},
        {"filters": [Filter(dimension=DIMENSIONS["environment"], values=("prod",))]},
    ],
    ids=["in order of labels", "the dearest", "the rarest", "narrowed"],
)
def test_each_gets_the_answer_that_it_would_get_alone(filled, grain, more):
    asked = [question(filled, label, grain=grain, **more) for label in LABELS]

    assert [told(one) for one in ask(*asked)] == [told(ask(one)[0]) for one in asked]


def test_limits_and_an_order_by_the_label_are_those_of_each(filled):
    asked = [
        question(filled, label, sort=Sort(by=label), limit=limit)
        for label, limit in zip(LABELS, (1, None, 2, 9), strict=True)
    ]

    assert [told(one) for one in ask(*asked)] == [told(ask(one)[0]) for one in asked]


def test_one_statement_reads_for_all_labels(filled):
    with CaptureQueriesContext(connection) as made:
        ask(*(question(filled, label) for label in LABELS[:3]))

    assert len([one for one in made if "llm_traces" in one["sql"]]) == 1
