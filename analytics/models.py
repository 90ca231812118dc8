"""Models of analytics. SQL files make the partitioned span tables, and `analytics.queries` reads them."""

from typing import ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class ModelPrice(models.Model):
    """One price version, in dollars per million tokens and per request. Rows never change; a correction is a newer row.

    `organisation_id` is whose price it is; 0: everybody's.
    """

    id = models.AutoField(primary_key=True)
    organisation_id = models.IntegerField(default=0, db_default=0)
    provider = models.TextField()
    model_pattern = models.TextField()
    service_tier = models.TextField(default="default")
    min_prompt_tokens = models.IntegerField(default=0)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    input = models.DecimalField(max_digits=18, decimal_places=9)
    output = models.DecimalField(max_digits=18, decimal_places=9)
    cache_read = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    cache_write_5m = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    cache_write_1h = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    audio_input = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    audio_output = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    reasoning = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    per_request = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    source = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "model_prices"
        indexes: ClassVar = [
            # The newest row of an organisation, which every request asks for, and then all of its rows.
            models.Index(fields=["organisation_id", "id"], name="model_prices_of_organisation"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model_pattern} from {self.valid_from:%Y-%m-%d}"


class IdempotencyRecord(models.Model):
    """A request that carried an `Idempotency-Key`, and its reply once there is one. Kept for a day."""

    organisation_id = models.IntegerField()
    principal = models.CharField(max_length=200)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=2000)
    key = models.CharField(max_length=128)
    body_sha256 = models.BinaryField(max_length=32)
    started_at = models.DateTimeField()
    status_code = models.SmallIntegerField(null=True)
    reply = models.BinaryField(null=True)
    headers = models.JSONField(default=dict)

    class Meta:
        db_table = "idempotency_keys"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation_id", "principal", "method", "path", "key"], name="idempotency_keys_once"
            ),
        ]
        indexes: ClassVar = [
            # What is forgotten after a day.
            models.Index(fields=["started_at"], name="idempotency_keys_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"


class CostRun(models.Model):
    """One re-pricing: which spans it covers, by which prices, how far it came, and whether it was undone.

    Prices up to `newest_price` are its book. `position` is the span behind which it goes on after an interruption.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        UNDOING = "undoing"
        UNDONE = "undone"

    id = models.AutoField(primary_key=True)
    state = models.TextField(choices=State.choices, default=State.RUNNING)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField()
    project_id = models.IntegerField(null=True)
    provider = models.TextField(null=True)
    model = models.TextField(null=True)
    newest_price = models.IntegerField()
    position = models.JSONField(null=True)
    spans_seen = models.BigIntegerField(default=0)
    spans_changed = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cost_runs"

    def __str__(self) -> str:
        return f"run {self.id}: {self.start_time:%Y-%m-%d} to {self.end_time:%Y-%m-%d}, {self.state}"


class RejectedSpan(models.Model):
    """An entry of the list of what ingest set aside, as the admin shows it; `analytics.storage` writes it."""

    id = models.UUIDField(primary_key=True)
    organisation_id = models.IntegerField()
    project_id = models.IntegerField()
    received_at = models.DateTimeField()
    trace_id = models.BinaryField(null=True)
    span_id = models.BinaryField(null=True)
    span_name = models.TextField(null=True)
    service_name = models.TextField(null=True)
    scope_name = models.TextField(null=True)
    reason = models.TextField()
    message = models.TextField()
    key_prefix = models.TextField(null=True)
    request_id = models.TextField()

    class Meta:
        db_table = "rejected_spans"
        managed = False

    def __str__(self) -> str:
        return f"{self.reason} at {self.received_at:%Y-%m-%d %H:%M:%S}"


class ExportStatus(models.TextChoices):
    """Where an export is; a completed one is expired from its time on, whether its file went already or not."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Selected(models.Model):
    """Which spans are exported and how: of whom, which of them, which of their members, in which form.

    `project_ids` are the storage's numbers, `project_uuids` beside them what clients know. `asked` holds the
    comparisons as they were sent, for people; `filter` is one expression of the filter language that means them all.
    """

    organisation_id = models.IntegerField()
    organisation_uuid = models.UUIDField()
    project_ids = ArrayField(models.IntegerField())
    project_uuids = ArrayField(models.UUIDField())
    format = models.TextField()
    compression = models.TextField()
    within = models.TextField()
    filter = models.JSONField(null=True)
    asked = models.JSONField(default=dict)
    fields = ArrayField(models.TextField(), default=list)

    class Meta:
        abstract = True


class ExportJob(Selected):
    """One export: what it is of, how far it is, and what came of it.

    Its spans are those that were stored at `created_at`: all that came before `settled`, and what came at the times in
    `arrived`. `after_…` is the key of the last span that is in the file, of `rows` spans and `bytes` octets with the
    digest `sha256`; what the file holds behind them is not there.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    status = models.TextField(choices=ExportStatus.choices, default=ExportStatus.PENDING)
    start_time = models.DateTimeField()
    end_time = models.DateTimeField()
    row_limit = models.BigIntegerField(null=True)
    step_rows = models.IntegerField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    settled = models.DateTimeField()
    arrived = ArrayField(models.DateTimeField(), default=list)
    # What creating it found: spans (of the whole range unless exactly), first and last start.
    expected_rows = models.BigIntegerField()
    expected_exactly = models.BooleanField()
    expected_first = models.DateTimeField(null=True)
    expected_last = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    sha256 = models.TextField(default="")
    first_ts = models.DateTimeField(null=True)
    after_ts = models.DateTimeField(null=True)
    after_trace_id = models.BinaryField(null=True)
    after_span_id = models.BinaryField(null=True)
    after_project_id = models.IntegerField(null=True)
    more = models.BooleanField(default=False)
    # Of those in the file, the ones that re-pricings changed which were under way meanwhile; null where nobody knows.
    repriced = models.BigIntegerField(null=True)
    attempts = models.IntegerField(default=0)
    file_name = models.TextField(default="")
    error_message = models.TextField(null=True)
    # Of a scheduled one: where its file goes instead of under its own id, and how long it is kept (null: for ever).
    schedule_id = models.UUIDField(null=True)
    target = models.TextField(default="", db_default="")
    keep_days = models.IntegerField(null=True)

    class Meta:
        db_table = "export_jobs"
        indexes: ClassVar = [
            models.Index(fields=["organisation_id", "-created_at"], name="export_jobs_newest"),
            # What the worker looks for: unfinished exports.
            models.Index(
                fields=["created_at"],
                name="export_jobs_open",
                condition=models.Q(status__in=["pending", "processing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.format} of {self.start_time:%Y-%m-%d %H:%M} to {self.end_time:%Y-%m-%d %H:%M}, {self.status}"


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


class ChannelType(models.TextChoices):
    """How a channel takes messages."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack"


class Channel(models.Model):
    """Where an organisation hears of alerts. `target` (addresses, or a URL) and `signing_secret` are encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation_id = models.IntegerField()
    organisation_uuid = models.UUIDField()
    name = models.TextField()
    type = models.TextField(choices=ChannelType.choices)
    target = models.BinaryField()
    signing_secret = models.BinaryField(null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    row_version = models.IntegerField(default=1)

    class Meta:
        db_table = "channels"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation_id", "name"], name="channels_name_per_organisation"),
        ]

    def __str__(self) -> str:
        return self.name


class DeliveryStatus(models.TextChoices):
    """Where a message is: to be sent, taken by its receiver, or given up."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


class Delivery(models.Model):
    """A message for one channel: written with what it tells of, sent by the worker. `key` tells it once a channel.

    `data` is JSON as webhooks are sent it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation_id = models.IntegerField()
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    kind = models.TextField()
    key = models.TextField()
    subject = models.TextField()
    text = models.TextField()
    data = models.TextField(default="{}")
    status = models.TextField(choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.TextField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "deliveries"
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "key"], name="deliveries_once"),
        ]
        indexes: ClassVar = [
            # What the worker looks for: messages that are due.
            models.Index(fields=["next_attempt_at"], name="deliveries_due", condition=models.Q(status="pending")),
            # What is forgotten after its time.
            models.Index(fields=["created_at"], name="deliveries_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.created_at:%Y-%m-%d %H:%M}: {self.status}"


class AnomalyStatus(models.TextChoices):
    """Whether a metric still deviates, or an hour was quiet since."""

    OPEN = "open"
    CLOSED = "closed"


class Anomaly(models.Model):
    """A run of hours in which a metric of a model, or of a whole project, was beyond what hours like them are.

    `last_hour` is the newest that deviates. `score`, `expected` and `observed` are of the hour that deviates most.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation_id = models.IntegerField()
    project_id = models.IntegerField()
    metric = models.TextField()
    provider = models.TextField(null=True)
    model = models.TextField(null=True)
    direction = models.TextField()
    severity = models.TextField()
    status = models.TextField(choices=AnomalyStatus.choices, default=AnomalyStatus.OPEN)
    started_at = models.DateTimeField()
    last_hour = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    score = models.DecimalField(max_digits=10, decimal_places=2)
    expected = models.DecimalField(max_digits=30, decimal_places=9)
    observed = models.DecimalField(max_digits=30, decimal_places=9)
    explanation = models.JSONField(default=list)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "anomalies"
        verbose_name_plural = "anomalies"
        indexes: ClassVar = [
            models.Index(fields=["organisation_id", "project_id", "-started_at"], name="anomalies_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.model or 'the project'} from {self.started_at:%Y-%m-%d %H:%M}, {self.status}"


class AnomalyProgress(models.Model):
    """Up to which hour the figures of a project were judged."""

    project_id = models.IntegerField(primary_key=True)
    organisation_id = models.IntegerField()
    judged_until = models.DateTimeField()

    class Meta:
        db_table = "anomaly_progress"
        verbose_name_plural = "anomaly progress"

    def __str__(self) -> str:
        return f"project {self.project_id} until {self.judged_until:%Y-%m-%d %H:%M}"


class Cadence(models.TextChoices):
    """How often a schedule exports: each day, or the seven days of a week together."""

    DAILY = "daily"
    WEEKLY = "weekly"


class ExportSchedule(Selected):
    """Days that are exported one after the other into one folder.

    `next_day` is the first that is not there yet, `job_id` the export that makes it, `problem` what stood in its way,
    until `not_before`.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    name = models.TextField()
    prefix = models.TextField()
    every = models.TextField(choices=Cadence.choices)
    enabled = models.BooleanField(default=True)
    next_day = models.DateField()
    keep_days = models.IntegerField(null=True)
    created_at = models.DateTimeField()
    job_id = models.UUIDField(null=True)
    last_job_id = models.UUIDField(null=True)
    not_before = models.DateTimeField(null=True)
    problem = models.TextField(null=True)

    class Meta:
        db_table = "export_schedules"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation_id", "prefix"], name="export_schedules_prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.format}, {self.every}, next {self.next_day}"
