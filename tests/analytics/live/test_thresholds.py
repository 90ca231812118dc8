from datetime import timedelta
from decimal import Decimal

import pytest

from analytics.live.thresholds import METRICS, Threshold, Watch, read_thresholds
from analytics.queries.plans import Comparison

GOOD = {"metric": "error_rate", "operator": "gt", "value": 0.05, "window_seconds": 300}


def threshold(comparison=Comparison.GT, value=10):
    return Threshold(metric="request_count", comparison=comparison, value=Decimal(value), window=timedelta(minutes=5))


def test_a_threshold_is_read_as_it_was_sent():
    (found,) = read_thresholds("thresholds", [GOOD])

    assert (found.metric, found.comparison, float(found.value), found.window) == (
        "error_rate", Comparison.GT, 0.05, timedelta(minutes=5),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["request_count", "error_rate", "p95_duration", "total_cost"])
def test_a_metric_is_a_measure_or_one_of_its_aggregations(name):
    assert name in METRICS


@pytest.mark.parametrize(
    ("comparison", "passed"),
    [
        (Comparison.GT, [11]),
        (Comparison.GTE, [10, 11]),
        (Comparison.LT, [9]),
        (Comparison.LTE, [9, 10]),
        (Comparison.EQ, [10]),
    ],
)
def test_each_comparison_holds_where_it_should(comparison, passed):
    one = threshold(comparison)

    assert [value for value in (9, 10, 11) if Watch([one]).rises({one: value})] == passed


def test_a_rise_is_told_once_and_again_after_the_value_came_back():
    one = threshold()
    watch = Watch([one])

    assert [bool(watch.rises({one: value})) for value in (5, 11, 12, 5, 11, None, 11)] == [
        False, True, False, False, True, False, True,
    ]  # fmt: skip


def test_an_unknown_value_passes_nothing():
    below, above = threshold(Comparison.LT), threshold()

    assert Watch([below, above]).rises({below: None, above: None}) == []


def test_each_of_several_thresholds_rises_by_itself():
    low, high = threshold(value=10), threshold(value=20)
    watch = Watch([low, high])

    assert [watch.rises({low: value, high: value}) for value in (15, 25, 15, 25)] == [[low], [high], [], [high]]
