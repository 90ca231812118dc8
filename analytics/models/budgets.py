"""Budgets, their periods, and the alerts of these."""

from typing import ClassVar
from uuid import uuid4

from django.db import models


class BudgetPeriodKind(models.TextChoices):
    """How long a budget's amount lasts: periods of the calendar, in UTC."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class BudgetState(models.TextChoices):
    """What of a budget is spent, in rising order."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    EXCEEDED = "exceeded"


class ThresholdType(models.TextChoices):
    """What the thresholds of a budget are in: percent of its amount, or dollars."""

    PERCENTAGE = "percentage"
    ABSOLUTE = "absolute"


class Budget(models.Model):
    """An amount for each period, of an organisation or one of its projects (the storage's number).

    `changes` counts what evaluations have changed of the present period since the row got its version: both together
    tag what clients see.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation_id = models.IntegerField()
    organisation_uuid = models.UUIDField()
    project_id = models.IntegerField(null=True)
    project_uuid = models.UUIDField(null=True)
    name = models.TextField()
    amount = models.DecimalField(max_digits=19, decimal_places=9)
    period = models.TextField(choices=BudgetPeriodKind.choices)
    threshold_type = models.TextField(choices=ThresholdType.choices, default=ThresholdType.PERCENTAGE)
    warning_threshold = models.DecimalField(max_digits=19, decimal_places=9)
    critical_threshold = models.DecimalField(max_digits=19, decimal_places=9)
    provider = models.TextField(null=True)
    model = models.TextField(null=True)
    environment = models.TextField(null=True)
    user_id = models.TextField(null=True)
    team_id = models.TextField(null=True)
    hard_limit = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    row_version = models.IntegerField(default=1)
    changes = models.IntegerField(default=0)
    evaluated_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "budgets"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation_id", "name"], name="budgets_name_per_organisation"),
        ]

    def __str__(self) -> str:
        return self.name


class BudgetPeriod(models.Model):
    """What was spent of a budget in one period when it was last evaluated, and what the forecast said then.

    `overrun_…` are days on which the amount is used up if spending goes on: the likely one, and those between which it
    lies; all `None` while that is not before the period's end.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods")
    organisation_id = models.IntegerField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    amount = models.DecimalField(max_digits=19, decimal_places=9)
    spent = models.DecimalField(max_digits=28, decimal_places=9, default=0)
    unpriced_requests = models.BigIntegerField(default=0)
    state = models.TextField(choices=BudgetState.choices, default=BudgetState.OK)
    forecast_at = models.DateTimeField(null=True)
    overrun_on = models.DateField(null=True)
    overrun_earliest = models.DateField(null=True)
    overrun_latest = models.DateField(null=True)

    class Meta:
        db_table = "budget_periods"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["budget", "period_start", "period_end"], name="budget_periods_once"),
        ]

    def __str__(self) -> str:
        return f"{self.budget_id} from {self.period_start:%Y-%m-%d}: {self.state}"


class AlertSeverity(models.TextChoices):
    """How urgent an alert of a budget is; `info` tells what is only foreseen."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class BudgetAlert(models.Model):
    """A rise of a budget's state, or an overrun that is foreseen (`state` is empty): the `number`th of its period.

    It is resolved when the state is below again, and by the next period. `state` is what it still tells of: the state
    that the budget rose to, or a lower one that it has fallen to since; a rise from there is another one.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    period = models.ForeignKey(BudgetPeriod, on_delete=models.CASCADE, related_name="alerts")
    organisation_id = models.IntegerField()
    number = models.IntegerField()
    state = models.TextField(choices=BudgetState.choices, default="")
    severity = models.TextField(choices=AlertSeverity.choices)
    current_cost = models.DecimalField(max_digits=28, decimal_places=9)
    threshold_value = models.DecimalField(max_digits=28, decimal_places=9)
    percentage_used = models.DecimalField(max_digits=28, decimal_places=4)
    message = models.TextField()
    triggered_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "budget_alerts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["period", "number"], name="budget_alerts_once"),
        ]

    def __str__(self) -> str:
        return f"{self.severity} at {self.triggered_at:%Y-%m-%d %H:%M}"
