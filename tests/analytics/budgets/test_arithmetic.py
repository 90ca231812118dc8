"""Periods of the calendar, days of an overrun, amounts for people."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.costs.budgets.overrun import Overrun, overrun_of
from analytics.costs.budgets.periods import period_at, period_before
from analytics.costs.budgets.sentences import usd


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "instant", "start", "end"),
    [
        ("daily", "2026-02-28T23:59:59", "2026-02-28", "2026-03-01"),
        ("daily", "2026-03-01T00:00:00", "2026-03-01", "2026-03-02"),
        ("weekly", "2026-03-01T12:00:00", "2026-02-23", "2026-03-02"),
        ("weekly", "2026-03-02T00:00:00", "2026-03-02", "2026-03-09"),
        ("monthly", "2024-02-29T12:00:00", "2024-02-01", "2024-03-01"),
        ("monthly", "2026-12-31T23:00:00", "2026-12-01", "2027-01-01"),
        ("quarterly", "2026-06-30T23:00:00", "2026-04-01", "2026-07-01"),
        ("quarterly", "2026-11-15T00:00:00", "2026-10-01", "2027-01-01"),
        ("yearly", "2026-07-01T00:00:00", "2026-01-01", "2027-01-01"),
    ],
)
def test_a_period_is_one_of_the_calendar(kind, instant, start, end):
    period = period_at(kind, at(instant))

    assert (period.start, period.end) == (at(start), at(end))
    assert period_before(kind, period).end == period.start


TODAY, END = date(2026, 3, 10), date(2026, 4, 1)


def foreseen(costs, *, amount=100, spent=0, spent_today=0):
    return overrun_of(
        [Decimal(cost) for cost in costs],
        amount=Decimal(amount),
        spent=Decimal(spent),
        spent_today=Decimal(spent_today),
        today=TODAY,
        end=END,
    )


def test_the_day_on_which_the_amount_is_used_up():
    assert foreseen([10] * 14, spent=45) == Overrun(on=date(2026, 3, 15), earliest=None, latest=None)


def test_what_today_has_cost_already_is_no_longer_ahead():
    assert foreseen([10] * 14, spent=50, spent_today=10).on == date(2026, 3, 15)
    assert foreseen([10] * 14, spent=60, spent_today=25).on == date(2026, 3, 14)


def test_nothing_is_foreseen_behind_the_period():
    assert foreseen([1] * 14) is None


def test_a_week_of_history_is_needed_and_days_before_the_first_cost_are_none():
    assert foreseen([0] * 50 + [10] * 6, spent=60) is None
    assert foreseen([0] * 49 + [10] * 7, spent=70).on == date(2026, 3, 12)


def test_the_bounds_of_the_forecast_bound_the_day():
    costs = [9 + place * 7919 % 3 for place in range(56)]

    assert foreseen(costs, spent=20) == Overrun(
        on=date(2026, 3, 17), earliest=date(2026, 3, 16), latest=date(2026, 3, 19)
    )
    assert foreseen(costs, amount=200) == Overrun(on=date(2026, 3, 29), earliest=date(2026, 3, 26), latest=None)


def test_a_budget_that_is_as_good_as_spent_is_used_up_today():
    assert foreseen([10] * 28, spent=95) == Overrun(on=TODAY, earliest=TODAY, latest=TODAY)


@pytest.mark.parametrize(
    ("amount", "told"),
    [("1234.5", "$1,234.50"), ("0.004", "$0.004"), ("0.5", "$0.50"), ("0", "$0.00"), ("99.999", "$100.00")],
)
def test_amounts_for_people(amount, told):
    assert usd(Decimal(amount)) == told


def test_a_year_has_one_period_of_each_day():
    day, ends = at("2026-01-01"), set()
    while day.year == 2026:
        ends.add(period_at("daily", day).end)
        day += timedelta(days=1)

    assert len(ends) == 365
