"""What is said of a budget, to people."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from analytics.costs.budgets.standing import bound_of, percentage_used
from analytics.models import Budget, BudgetPeriod, BudgetState
from errors.json import plain_decimal

_CENT = Decimal("0.01")


def usd(amount: Decimal) -> str:
    """Return dollars for people: to the cent, amounts below a dollar in full."""
    if abs(amount) < 1 and amount != amount.quantize(_CENT):
        return f"${plain_decimal(amount)}"
    return f"${amount.quantize(_CENT, ROUND_HALF_UP):,f}"


def rise_told(budget: Budget, period: BudgetPeriod, state: BudgetState) -> tuple[str, str]:
    """Return subject and text of an alert on a rise to `state`."""
    percent = plain_decimal(percentage_used(period.spent, period.amount).quantize(_CENT, ROUND_HALF_UP))
    subject = f"Budget {budget.name}: {state}, {percent} % of {usd(period.amount)} spent"
    reached = (
        "It is used up."
        if state is BudgetState.EXCEEDED
        else f"Its {state} threshold is {usd(bound_of(budget, state))}."
    )
    return subject, " ".join([_spent(budget, period, percent), reached, *_ahead(period), *_unpriced(period)])


def overrun_told(budget: Budget, period: BudgetPeriod) -> tuple[str, str]:
    """Return subject and text of an alert on an overrun that is foreseen."""
    percent = plain_decimal(percentage_used(period.spent, period.amount).quantize(_CENT, ROUND_HALF_UP))
    assert period.overrun_on is not None
    subject = f"Budget {budget.name}: will pass 100 % on {_day(period.overrun_on)}"
    return subject, " ".join([_spent(budget, period, percent), *_ahead(period), *_unpriced(period)])


def _spent(budget: Budget, period: BudgetPeriod, percent: str) -> str:
    first, last = period.period_start.date(), (period.period_end - timedelta(days=1)).date()
    when = f"on {first}" if first == last else f"from {first} to {last}"
    return f"{usd(period.spent)} of {usd(period.amount)} ({percent} %) of budget {budget.name} are spent {when}."


def _ahead(period: BudgetPeriod) -> list[str]:
    if period.overrun_on is None or period.state == BudgetState.EXCEEDED:
        return []
    told = f"If spending goes on like this, it will pass 100 % on {_day(period.overrun_on)}"
    if period.overrun_earliest is None:
        return [f"{told}."]
    if period.overrun_latest is None:
        return [f"{told}, and not before {_day(period.overrun_earliest)}."]
    if period.overrun_earliest == period.overrun_latest:
        return [f"{told}."]
    return [f"{told}, between {_day(period.overrun_earliest)} and {_day(period.overrun_latest)}."]


def _unpriced(period: BudgetPeriod) -> list[str]:
    count = period.unpriced_requests
    if not count:
        return []
    return [f"{count} {'request has' if count == 1 else 'requests have'} no price and no part in this sum."]


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"
