"""What an amount that was spent means for a budget. Pure."""

from decimal import Decimal

from analytics.models import AlertSeverity, Budget, BudgetState, ThresholdType
from analytics.queries.reports.parts import share

RANK = {state: rank for rank, state in enumerate(BudgetState)}
SEVERITY = {
    BudgetState.WARNING: AlertSeverity.WARNING,
    BudgetState.CRITICAL: AlertSeverity.CRITICAL,
    BudgetState.EXCEEDED: AlertSeverity.CRITICAL,
}


def bound_of(budget: Budget, state: BudgetState) -> Decimal:
    """Return the dollars from which on a budget is in `state`."""
    if state is BudgetState.OK:
        return Decimal(0)
    if state is BudgetState.EXCEEDED:
        return budget.amount
    threshold = budget.warning_threshold if state is BudgetState.WARNING else budget.critical_threshold
    return threshold if budget.threshold_type == ThresholdType.ABSOLUTE else (budget.amount * threshold).scaleb(-2)


def state_of(budget: Budget, spent: Decimal) -> BudgetState:
    """Return the highest state whose bound is reached; a budget that is used up to the cent is exceeded."""
    return next(state for state in reversed(BudgetState) if spent >= bound_of(budget, state))


def percentage_used(spent: Decimal, amount: Decimal) -> Decimal:
    """Return the part of the amount that is spent, in percent with at most 4 decimals."""
    return share(spent, amount)
