"""Budgets as replies tell of them, and as the OpenAPI document describes them."""

from typing import Any

from analytics.api.json_schema import DAY, INSTANT, TEXT, UUID, nullable, whole
from analytics.costs.budgets.evaluation import FILTERS
from analytics.costs.budgets.standing import percentage_used
from analytics.models import (
    AlertSeverity,
    Budget,
    BudgetAlert,
    BudgetPeriod,
    BudgetPeriodKind,
    BudgetState,
    ThresholdType,
)


def shown_budget(budget: Budget, period: BudgetPeriod) -> dict[str, Any]:
    """Return a budget with its present period."""
    return {
        "id": str(budget.id),
        "org_id": str(budget.organisation_uuid),
        "project_id": None if budget.project_uuid is None else str(budget.project_uuid),
        "name": budget.name,
        "amount": budget.amount,
        "period": budget.period,
        "threshold_type": budget.threshold_type,
        "warning_threshold": budget.warning_threshold,
        "critical_threshold": budget.critical_threshold,
        "filters": {name: getattr(budget, name) for name in FILTERS},
        "hard_limit": budget.hard_limit,
        "is_active": budget.is_active,
        "created_at": budget.created_at,
        "updated_at": budget.updated_at,
        "current": {
            "period_start": period.period_start,
            "period_end": period.period_end,
            "spent": period.spent,
            "percentage_used": percentage_used(period.spent, period.amount),
            "unpriced_requests": period.unpriced_requests,
            "state": period.state,
            "overrun": _overrun(period),
        },
    }


def _overrun(period: BudgetPeriod) -> dict[str, Any] | None:
    if period.overrun_on is None:
        return None
    return {"on": period.overrun_on, "earliest": period.overrun_earliest, "latest": period.overrun_latest}


def shown_period(period: BudgetPeriod) -> dict[str, Any]:
    """Return a period with its alerts, in the order of their rises."""
    return {
        "period_start": period.period_start,
        "period_end": period.period_end,
        "spent": period.spent,
        "amount": period.amount,
        "percentage_used": percentage_used(period.spent, period.amount),
        "alerts": [_alert(one) for one in sorted(period.alerts.all(), key=lambda one: one.number)],
    }


def _alert(alert: BudgetAlert) -> dict[str, Any]:
    return {
        "id": str(alert.id),
        "severity": alert.severity,
        "current_cost": alert.current_cost,
        "threshold_value": alert.threshold_value,
        "percentage_used": alert.percentage_used,
        "message": alert.message,
        "triggered_at": alert.triggered_at,
        "resolved_at": alert.resolved_at,
    }


_DOLLARS = {"type": "number", "description": "US dollars."}
_PERCENT = {"type": "number", "description": "Of the amount, in percent."}
_OVERRUN = whole(
    on=DAY,
    earliest={**nullable(DAY), "description": "null: fewer than 28 days of history."},
    latest={**nullable(DAY), "description": "null also where it lies behind the period."},
)
COMPONENTS: dict[str, Any] = {
    "Budget": whole(
        id=UUID,
        org_id=UUID,
        project_id=nullable(UUID),
        name=TEXT,
        amount=_DOLLARS,
        period={"type": "string", "enum": list(BudgetPeriodKind.values)},
        threshold_type={"type": "string", "enum": list(ThresholdType.values)},
        warning_threshold={"type": "number"},
        critical_threshold={"type": "number"},
        filters=whole(**dict.fromkeys(FILTERS, nullable(TEXT))),
        hard_limit={"type": "boolean"},
        is_active={"type": "boolean"},
        created_at=INSTANT,
        updated_at=INSTANT,
        current=whole(
            period_start=INSTANT,
            period_end=INSTANT,
            spent={**_DOLLARS, "description": "What the requests that have a price cost, when last evaluated."},
            percentage_used=_PERCENT,
            unpriced_requests={"type": "integer", "description": "Requests without a price: no part of spent."},
            state={"type": "string", "enum": list(BudgetState.values)},
            overrun={
                **_OVERRUN,
                "type": ["object", "null"],
                "description": "When the amount will be used up if spending goes on; null: not in this period.",
            },
        ),
    ),
    "BudgetHistory": whole(
        budget_id=UUID,
        history={
            "type": "array",
            "items": whole(
                period_start=INSTANT,
                period_end=INSTANT,
                spent=_DOLLARS,
                amount=_DOLLARS,
                percentage_used=_PERCENT,
                alerts={
                    "type": "array",
                    "items": whole(
                        id=UUID,
                        severity={"type": "string", "enum": list(AlertSeverity.values)},
                        current_cost=_DOLLARS,
                        threshold_value={**_DOLLARS, "description": "The dollars that were reached."},
                        percentage_used=_PERCENT,
                        message=TEXT,
                        triggered_at=INSTANT,
                        resolved_at={**INSTANT, "type": ["string", "null"]},
                    ),
                },
            ),
        },
    ),
}
