"""The interval of a forecast covers what it says, on series that are made for it."""

from decimal import Decimal

import pytest

from analytics.queries.forecasting import bounds, fitted
from benchmarks.forecast import WEEKDAYS, covered


@pytest.mark.parametrize("days", [56, 90, 180])
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_interval_covers_95_of_100_days(days, correlation):
    assert 0.93 <= covered(days, correlation, series=150) <= 0.97


@pytest.mark.parametrize(("days", "correlation"), [(28, 0.0), (28, 0.6), (56, -0.3), (56, 0.8)])
def test_it_is_near_that_for_other_series_too(days, correlation):
    assert 0.91 <= covered(days, correlation, series=150) <= 0.98


def test_another_coverage_is_kept_as_well():
    assert 0.76 <= covered(56, 0.6, series=150, coverage=0.8) <= 0.84


def test_a_line_is_found_exactly():
    fit = fitted([Decimal(10 + 2 * day) for day in range(10)])
    assert (fit.level, fit.slope, fit.at(12), fit.with_weekdays) == (10, 2, 34, False)


def test_weekdays_are_found_from_four_weeks_on():
    costs = [Decimal(str(factor)) * (100 + day) for day in range(35) for factor in [WEEKDAYS[day % 7]]]
    fit = fitted(costs)
    assert fit.with_weekdays
    assert [round(float(fit.at(day)), 3) for day in range(35, 42)] == [
        round(WEEKDAYS[day % 7] * (100 + day), 3) for day in range(35, 42)
    ]


@pytest.mark.parametrize("costs", [[0.0] * 40, [1.0] * 40, [0.0] * 39 + [5.0]])
def test_series_without_a_pattern_have_an_interval_too(costs):
    fit = fitted(costs)
    assert all(width >= 0 for width in bounds(fit, [40, 60]))


def test_money_stays_decimal():
    fit = fitted([Decimal("1.25") * (day % 7 + 1) + day % 3 for day in range(40)])
    assert all(isinstance(one, Decimal) for one in [fit.at(50), *bounds(fit, [40, 50])])
