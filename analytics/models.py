"""Models of analytics. SQL files make the partitioned span tables, and `analytics.queries` reads them."""

from typing import ClassVar

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
