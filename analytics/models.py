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
