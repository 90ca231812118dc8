"""Prices, and the runs that price spans anew."""

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
