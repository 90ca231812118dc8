"""When a budget will be used up if spending goes on as it does: the forecast of days, added up from what is spent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from analytics.queries.forecasting import fitted
from analytics.queries.reports.forecast import expected

HISTORY = timedelta(days=56)  # eight of each weekday
LEAST_HISTORY = 7  # days; a line through fewer says nothing of a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """The day on which the amount will likely be used up, and the days between which that lies.

    `earliest` and `latest` come from the bounds of each day's forecast; `None` where the history is too short for
    them, and `latest` also where it lies behind the period.
    """

    on: date
    earliest: date | None
    latest: date | None


def overrun_of(
    costs: Sequence[Decimal], *, amount: Decimal, spent: Decimal, spent_today: Decimal, today: date, end: date
) -> Overrun | None:
    """Return when `amount` will be used up, `None` when that is not before `end`, the first day behind the period.

    `costs` are those of the full days before `today`, oldest first; days before the first with a cost do not count.
    """
    first = next((place for place, cost in enumerate(costs) if cost), len(costs))
    history = costs[first:]
    if len(history) < LEAST_HISTORY or today >= end:
        return None
    ahead = expected(fitted(history), (end - today).days)
    missing, known = amount - spent, all(day.lower is not None for day in ahead)

    def passed(days: Iterable[Decimal]) -> date | None:
        total = -spent_today  # what today has cost already is no longer ahead
        for place, cost in enumerate(days):
            total = max(total + cost, Decimal(0)) if place == 0 else total + cost
            if total >= missing:
                return today + timedelta(days=place)
        return None

    on = passed(day.cost for day in ahead)
    if on is None:
        return None
    return Overrun(
        on=on,
        earliest=passed(day.upper or Decimal(0) for day in ahead) if known else None,
        latest=passed(day.lower or Decimal(0) for day in ahead) if known else None,
    )
