"""What is spent of a budget, by the query core, and what follows from it: a state, alerts, messages, an event.

The figures are asked for outside of the transaction that notes them. An evaluator that was overtaken by another one
notes nothing, so that two of them tell of a rise once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from prometheus_client import Counter

from analytics.alerts.channels import announce
from analytics.costs.budgets.overrun import HISTORY, Overrun, overrun_of
from analytics.costs.budgets.periods import period_at, period_before
from analytics.costs.budgets.sentences import overrun_told, rise_told
from analytics.costs.budgets.standing import RANK, SEVERITY, bound_of, percentage_used, state_of
from analytics.events import publish
from analytics.models import AlertSeverity, Budget, BudgetAlert, BudgetPeriod, BudgetPeriodKind, BudgetState
from analytics.queries.figures import Answer, ask_kept
from analytics.queries.plans import Filter, Question, Sort
from analytics.queries.reports.cost_summary import full_days
from analytics.queries.reports.parts import figures_named, of_whole_range
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.scope import Scope
from analytics.storage.transactions import retried

KIND = "budget"
FILTERS = ("provider", "model", "environment", "user_id", "team_id")
ALERTS = Counter("budget_alerts_total", "Alerts of budgets.", ["severity"])
# A forecast is made anew once an hour: a day more or less of history changes it, a minute does not.
_FORECAST_AGE = timedelta(hours=1)
_DAY = timedelta(days=1)
ScopeOf = Callable[[Budget], Scope | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the requests of a period cost: those that have a price, and how many have none."""

    period: TimeRange
    dollars: Decimal
    unpriced_requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Figures of a budget as its row was at `row_version`, asked for at `at`.

    `before` is what the period before was, for spans that came late, `None` where its data are no longer kept. Without
    `foreseen` the forecast is as it was.
    """

    row_version: int
    at: datetime
    now: Spent
    before: Spent | None
    foreseen: bool
    overrun: Overrun | None


def budget_evaluate(budget_id: UUID, *, scope_of: ScopeOf, now: datetime) -> bool:
    """Note what is spent of a budget and tell of a rise; return whether anything was noted.

    Nothing is of a budget without projects, nor by an evaluator that a later one or a change of the budget overtook.
    """
    budget = Budget.objects.filter(id=budget_id).first()
    scope = None if budget is None else scope_of(budget)
    if budget is None or scope is None:
        return False
    measured = _measure(budget, scope, now=now)
    return retried(partial(_note, budget_id, measured))


# --- figures ----------------------------------------------------------------------------------------------------------
def _measure(budget: Budget, scope: Scope, *, now: datetime) -> Measured:
    period = period_at(budget.period, now)
    before = period_before(budget.period, period)
    filters = [
        Filter(dimension=DIMENSIONS[name], values=(value,)) for name in FILTERS if (value := getattr(budget, name))
    ]
    sums = figures_named("total_cost", "unpriced_requests")
    questions = [of_whole_range(scope, one, filters, sums) for one in (period, before)]
    foreseen = _is_forecast_due(budget, period, now=now)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if foreseen:
        days = TimeRange(start=today - HISTORY, end=today + _DAY)
        figures = figures_named("total_cost", "total_requests")
        sort = Sort(descending=False)
        questions.append(
            Question(scope=scope, range=days, filters=filters, figures=figures, grain=GRAINS["1day"], sort=sort)
        )
    # The period that is over, and the history of a forecast, may be older than what is kept: that stops no evaluation.
    this, (last, *daily) = ask_kept(*questions)
    spent = _spent(this, period)
    overrun = None
    if daily and daily[0] is not None:
        costs = [cost for _, cost, _ in full_days(daily[0])]
        overrun = overrun_of(
            costs[:-1],
            amount=budget.amount,
            spent=spent.dollars,
            spent_today=costs[-1],
            today=today.date(),
            end=period.end.date(),
        )
    return Measured(
        row_version=budget.row_version,
        at=now,
        now=spent,
        before=None if last is None else _spent(last, before),
        foreseen=foreseen,
        overrun=overrun,
    )


def _spent(answer: Answer, period: TimeRange) -> Spent:
    totals = answer.totals
    return Spent(
        period=period, dollars=totals["total_cost"] or Decimal(0), unpriced_requests=totals["unpriced_requests"]
    )


def _is_forecast_due(budget: Budget, period: TimeRange, *, now: datetime) -> bool:
    if budget.period == BudgetPeriodKind.DAILY or not budget.is_active:
        return False
    known = _rows_of(budget, period).first()
    return known is None or known.forecast_at is None or known.forecast_at <= now - _FORECAST_AGE


# --- what follows -----------------------------------------------------------------------------------------------------
def _note(budget_id: UUID, measured: Measured) -> bool:
    budget = Budget.objects.select_for_update().filter(id=budget_id).first()
    if budget is None or budget.row_version != measured.row_version:
        return False
    if budget.evaluated_at is not None and budget.evaluated_at > measured.at:
        return False
    if measured.before is not None:
        late = {"spent": measured.before.dollars, "unpriced_requests": measured.before.unpriced_requests}
        _rows_of(budget, measured.before.period).update(**late)
    period, seen = _period(budget, measured)
    period.amount, period.spent = budget.amount, measured.now.dollars
    period.unpriced_requests = measured.now.unpriced_requests
    period.state = state = state_of(budget, period.spent)
    if measured.foreseen:
        _foresee(period, measured)
    if state is BudgetState.EXCEEDED:
        period.overrun_on = period.overrun_earliest = period.overrun_latest = None
    _resolve(budget, period, now=measured.at)
    if budget.is_active:
        _tell(budget, period, was=_told(period), now=measured.at)
    period.save()
    if budget.evaluated_at is not None and _shown(period) != seen:
        budget.changes += 1
    budget.evaluated_at = measured.at
    budget.save(update_fields=["changes", "evaluated_at"])
    return True


def _period(budget: Budget, measured: Measured) -> tuple[BudgetPeriod, tuple[Any, ...] | None]:
    """Return the row of the present period, and what clients see of it so far."""
    where = measured.now.period
    period, made = BudgetPeriod.objects.get_or_create(
        budget=budget,
        period_start=where.start,
        period_end=where.end,
        defaults={"organisation_id": budget.organisation_id, "amount": budget.amount},
    )
    return period, None if made else _shown(period)


def _rows_of(budget: Budget, period: TimeRange) -> QuerySet[BudgetPeriod]:
    return BudgetPeriod.objects.filter(budget=budget, period_start=period.start, period_end=period.end)


def _shown(period: BudgetPeriod) -> tuple[Any, ...]:
    overrun = (period.overrun_on, period.overrun_earliest, period.overrun_latest)
    return (period.period_start, period.amount, period.spent, period.unpriced_requests, str(period.state), *overrun)


def _foresee(period: BudgetPeriod, measured: Measured) -> None:
    found = measured.overrun
    period.forecast_at = measured.at
    period.overrun_on = None if found is None else found.on
    period.overrun_earliest = None if found is None else found.earliest
    period.overrun_latest = None if found is None else found.latest


def _resolve(budget: Budget, period: BudgetPeriod, *, now: datetime) -> None:
    """Resolve alerts of periods that are over, and those on states no longer reached, which tell of a lower one now."""
    left = BudgetAlert.objects.filter(period__budget=budget, resolved_at=None)
    left.exclude(period=period).update(resolved_at=now)
    above = [state for state, rank in RANK.items() if rank > RANK[BudgetState(period.state)]]
    left.filter(period=period, state__in=above).update(resolved_at=now)
    BudgetAlert.objects.filter(period=period, state__in=above).update(state=period.state)


def _told(period: BudgetPeriod) -> BudgetState:
    """Return the highest state that an alert tells of: one that rose while its budget was off is told when it is on."""
    states = BudgetAlert.objects.filter(period=period).exclude(state="").values_list("state", flat=True)
    return max(map(BudgetState, states), key=RANK.__getitem__, default=BudgetState.OK)


def _tell(budget: Budget, period: BudgetPeriod, *, was: BudgetState, now: datetime) -> None:
    state = BudgetState(period.state)
    if RANK[state] > RANK[was]:
        subject, text = rise_told(budget, period, state)
        _alert(budget, period, state=state, severity=SEVERITY[state], subject=subject, text=text, now=now)
    elif state is BudgetState.OK and period.overrun_on is not None:
        told = BudgetAlert.objects.filter(period=period, severity=AlertSeverity.INFO).exists()
        if not told:
            subject, text = overrun_told(budget, period)
            _alert(budget, period, state=None, severity=AlertSeverity.INFO, subject=subject, text=text, now=now)


def _alert(
    budget: Budget,
    period: BudgetPeriod,
    *,
    state: BudgetState | None,
    severity: AlertSeverity,
    subject: str,
    text: str,
    now: datetime,
) -> None:
    """Write an alert, and with it what tells of it: an event, and a message for each channel."""
    bound = bound_of(budget, state or BudgetState.EXCEEDED)
    alert = BudgetAlert.objects.create(
        period=period,
        organisation_id=budget.organisation_id,
        number=BudgetAlert.objects.filter(period=period).count() + 1,
        state=state or "",
        severity=severity,
        current_cost=period.spent,
        threshold_value=bound,
        percentage_used=percentage_used(period.spent, period.amount),
        message=text,
        triggered_at=now,
    )
    event = {
        "budget_id": str(budget.id),
        "threshold_value": bound,
        "current_value": period.spent,
        "period": budget.period,
        "severity": severity,
        "timestamp": now,
    }
    publish(
        event_type="cost_threshold",
        organisation_id=budget.organisation_id,
        project_ids=[] if budget.project_id is None else [budget.project_id],
        data=event,
    )
    announce(
        organisation_id=budget.organisation_id,
        kind=KIND,
        key=f"{KIND}:{budget.id}:{period.pk}:{alert.number}",
        subject=subject,
        text=text,
        data={
            **event,
            "budget_name": budget.name,
            "org_id": str(budget.organisation_uuid),
            "project_id": None if budget.project_uuid is None else str(budget.project_uuid),
            "state": period.state,
            "amount": period.amount,
            "percentage_used": alert.percentage_used,
            "unpriced_requests": period.unpriced_requests,
            "period_start": period.period_start,
            "period_end": period.period_end,
            "overrun_on": period.overrun_on,
            "overrun_earliest": period.overrun_earliest,
            "overrun_latest": period.overrun_latest,
        },
    )
    transaction.on_commit(ALERTS.labels(severity).inc)
