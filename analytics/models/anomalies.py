"""Runs of hours that are not as usual."""

from typing import ClassVar
from uuid import uuid4

from django.db import models


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
