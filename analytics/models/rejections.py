"""Spans that ingest set aside."""

from django.db import models


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
