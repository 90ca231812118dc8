"""Making, changing and deleting budgets, and reading them with what is spent."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.db.models import Q, QuerySet

from analytics.costs.budgets.evaluation import FILTERS, ScopeOf, budget_evaluate
from analytics.costs.budgets.periods import period_at
from analytics.models import Budget, BudgetPeriod, ThresholdType
from analytics.scope import Scope
from analytics.storage.transactions import retried
from errors.catalog import BUDGET_NOT_FOUND, NUMBER_OUT_OF_RANGE, RESOURCE_ALREADY_EXISTS, UNPROCESSABLE_CONTENT
from errors.exceptions import ApiError

log = structlog.get_logger("analytics.budgets")
_WARNING_PERCENT, _CRITICAL_PERCENT, _WHOLE = Decimal(80), Decimal(95), Decimal(100)
_NANO = Decimal("0.000000001")
_THRESHOLDS = ("warning_threshold", "critical_threshold")
_PLAIN = ("name", "amount", "period", "threshold_type", *_THRESHOLDS, "hard_limit", "is_active")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose budget it is: an organisation's, or one of its projects'; numbers of the storage, and public names."""

    organisation_id: int
    organisation_uuid: UUID
    project_id: int | None = None
    project_uuid: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whose budgets a caller sees: those of `projects`, and with `whole` those of the organisation."""

    organisation_id: int
    projects: Collection[int]
    whole: bool


Change = Callable[[Budget], tuple[Place | None, Mapping[str, Any]]]


def budgets_of(reach: Reach) -> QuerySet[Budget]:
    """Return the budgets in reach, by name."""
    mine = Q(project_id__in=list(reach.projects))
    if reach.whole:
        mine |= Q(project_id=None)
    return Budget.objects.filter(mine, organisation_id=reach.organisation_id).order_by("name", "id")


def budget_get(reach: Reach, budget_id: str, *, locked: bool = False) -> Budget:
    """Return a budget in reach, `locked` for a change; raise 404/1307."""
    try:
        number = UUID(budget_id)
    except ValueError:
        raise ApiError(BUDGET_NOT_FOUND, budget_id=budget_id[:64]) from None
    rows = budgets_of(reach).filter(id=number)
    budget = (rows.select_for_update() if locked else rows).first()
    if budget is None:
        raise ApiError(BUDGET_NOT_FOUND, budget_id=budget_id[:64])
    return budget


def budget_add(place: Place, given: dict[str, Any], *, scope: Scope, now: datetime) -> Budget:
    """Make a budget and note what is spent of it so far; raises as `budget_create` does."""
    budget = retried(lambda: budget_create(place, given, now=now))
    return _evaluated(budget, scope, now=now)


def budget_edit(reach: Reach, budget_id: str, change: Change, *, scope_of: ScopeOf, now: datetime) -> Budget:
    """Let `change` judge a budget and say what becomes of it, and note what is spent of it then.

    Raises 404/1307, what `change` raises, and as `budget_change` does.
    """

    def in_transaction() -> Budget:
        budget = budget_get(reach, budget_id, locked=True)
        place, changes = change(budget)
        return budget_change(budget, place, changes, now=now)

    budget = retried(in_transaction)
    return _evaluated(budget, scope_of(budget), now=now)


def _evaluated(budget: Budget, scope: Scope | None, *, now: datetime) -> Budget:
    """Return the budget as it is after an evaluation; what cannot be summed now is left to the worker."""
    try:
        budget_evaluate(budget.id, scope_of=lambda _: scope, now=now)
    except (ApiError, DatabaseError) as problem:
        log.warning("budget not evaluated", budget_id=str(budget.id), problem=type(problem).__name__)
    budget.refresh_from_db()
    return budget


def budget_create(place: Place, given: dict[str, Any], *, now: datetime) -> Budget:
    """Make a budget, in the caller's transaction; thresholds default to 80 and 95 percent of the amount.

    Raises 409/1400 for a name that is taken, 422/1211 for thresholds that contradict each other or the amount,
    400/1200 for percentages beyond 100.
    """
    budget = Budget(created_at=now)
    _place(budget, place)
    _take(budget, _default_thresholds(given) | given, now=now)
    _check(budget)
    budget.save()
    return budget


def budget_change(budget: Budget, place: Place | None, changes: Mapping[str, Any], *, now: datetime) -> Budget:
    """Change members of a budget, and whose it is where `place` says, likewise; raises as `budget_create` does.

    `filters` are replaced as a whole. Another type of thresholds takes both of them anew.
    """
    if place is not None:
        _place(budget, place)
    if changes.get("threshold_type", budget.threshold_type) != budget.threshold_type:
        for name in _THRESHOLDS:
            if name not in changes:
                told = "Another threshold_type gives thresholds another meaning: send both"
                raise ApiError(UNPROCESSABLE_CONTENT, field=name, details=told)
    _take(budget, changes, now=now)
    _check(budget)
    budget.row_version += 1
    budget.changes, budget.evaluated_at = 0, None
    budget.save()
    # What was foreseen was foreseen of another amount, or of other requests.
    BudgetPeriod.objects.filter(budget=budget, period_end__gt=now).update(forecast_at=None)
    return budget


def budget_switch(budget_id: UUID, *, on: bool, now: datetime) -> None:
    """Let a budget be evaluated, by the worker's next round, or rest; raise 404/1307."""

    def in_transaction() -> None:
        budget = Budget.objects.select_for_update().filter(pk=budget_id).first()
        if budget is None:
            raise ApiError(BUDGET_NOT_FOUND, budget_id=str(budget_id))
        if budget.is_active != on:
            budget_change(budget, None, {"is_active": on}, now=now)

    retried(in_transaction)


def _place(budget: Budget, place: Place) -> None:
    budget.organisation_id, budget.organisation_uuid = place.organisation_id, place.organisation_uuid
    budget.project_id, budget.project_uuid = place.project_id, place.project_uuid


def _take(budget: Budget, given: Mapping[str, Any], *, now: datetime) -> None:
    for name in _PLAIN:
        if name in given:
            setattr(budget, name, given[name])
    if "filters" in given:
        for name in FILTERS:
            setattr(budget, name, given["filters"].get(name))
    budget.updated_at = now


def _default_thresholds(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the thresholds of a budget that names none, in what its thresholds are in."""
    is_absolute = given.get("threshold_type") == ThresholdType.ABSOLUTE
    whole = given["amount"] if is_absolute else _WHOLE
    return {
        name: (whole * percent).scaleb(-2).quantize(_NANO, ROUND_HALF_EVEN)
        for name, percent in zip(_THRESHOLDS, (_WARNING_PERCENT, _CRITICAL_PERCENT), strict=True)
    }


def _check(budget: Budget) -> None:
    for name in _THRESHOLDS:
        threshold = getattr(budget, name)
        if budget.threshold_type == ThresholdType.PERCENTAGE and threshold > _WHOLE:
            raise ApiError(NUMBER_OUT_OF_RANGE, field=name, details=f"Received value: {threshold}", low=0, high=_WHOLE)
        if budget.threshold_type == ThresholdType.ABSOLUTE and threshold > budget.amount:
            raise ApiError(UNPROCESSABLE_CONTENT, field=name, details="A threshold must not be above the amount")
    if budget.warning_threshold > budget.critical_threshold:
        told = "warning_threshold must not be above critical_threshold"
        raise ApiError(UNPROCESSABLE_CONTENT, field="warning_threshold", details=told)
    same = Budget.objects.filter(organisation_id=budget.organisation_id, name=budget.name).exclude(id=budget.id)
    if same.exists():
        raise ApiError(RESOURCE_ALREADY_EXISTS, field="name")


def current_periods(budgets: Sequence[Budget], *, now: datetime) -> dict[UUID, BudgetPeriod]:
    """Return the present period of each budget; one that was not evaluated yet has nothing spent."""
    wanted = {one.id: period_at(one.period, now) for one in budgets}
    known = {
        (one.budget_id, one.period_start, one.period_end): one
        for one in BudgetPeriod.objects.filter(budget__in=wanted, period_end__gt=now)
    }
    found = {}
    for budget in budgets:
        where = wanted[budget.id]
        period = known.get((budget.id, where.start, where.end))
        found[budget.id] = period or BudgetPeriod(
            budget=budget,
            organisation_id=budget.organisation_id,
            period_start=where.start,
            period_end=where.end,
            amount=budget.amount,
        )
    return found


def history_of(budget: Budget, *, limit: int) -> list[BudgetPeriod]:
    """Return the newest `limit` periods of a budget with their alerts, the newest first."""
    rows = BudgetPeriod.objects.filter(budget=budget).order_by("-period_start", "-period_end")
    return list(rows.prefetch_related("alerts")[:limit])


def version_of(budget: Budget, period: BudgetPeriod) -> str:
    """Return what tags a budget with its present `period`: the row's version, and what evaluations changed since."""
    version = str(budget.row_version)
    if budget.changes:
        version = f"{version}.{budget.changes}"
    if budget.is_active and budget.evaluated_at is None:
        return f"{version}.new"
    # A period that has begun and was not evaluated yet shows something else than the one before.
    return version if period.pk or not budget.is_active else f"{version}.{period.period_start:%Y%m%d}"
