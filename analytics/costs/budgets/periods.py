"""Periods of the calendar, in UTC. Pure."""

from datetime import UTC, date, datetime, timedelta

from analytics.models import BudgetPeriodKind
from analytics.queries.timerange import TimeRange

_MONTHS = {BudgetPeriodKind.MONTHLY: 1, BudgetPeriodKind.QUARTERLY: 3, BudgetPeriodKind.YEARLY: 12}


def period_at(kind: str, instant: datetime) -> TimeRange:
    """Return the period that `instant` lies in; weeks begin on Monday, quarters in January, April, July, October."""
    day = instant.astimezone(UTC).date()
    if kind == BudgetPeriodKind.DAILY:
        return _days(day, day + timedelta(days=1))
    if kind == BudgetPeriodKind.WEEKLY:
        monday = day - timedelta(days=day.weekday())
        return _days(monday, monday + timedelta(days=7))
    length = _MONTHS[BudgetPeriodKind(kind)]
    first = day.replace(month=(day.month - 1) // length * length + 1, day=1)
    months = first.month - 1 + length
    return _days(first, first.replace(year=first.year + months // 12, month=months % 12 + 1))


def period_before(kind: str, period: TimeRange) -> TimeRange:
    """Return the period that ended where `period` begins."""
    return period_at(kind, period.start - timedelta(days=1))


def _days(first: date, end: date) -> TimeRange:
    return TimeRange(start=_midnight(first), end=_midnight(end))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
