"""Models of analytics. SQL files make the partitioned span tables, and `analytics.queries` reads them."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class ModelPrice(models.Model):
    """One price version, in dollars per million tokens. Rows never change; a correction is a newer row."""

    id = models.AutoField(primary_key=True)
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
    source = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "model_prices"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "model_pattern", "service_tier", "min_prompt_tokens", "valid_from", "source"],
                name="model_prices_once_per_source",
            ),
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
