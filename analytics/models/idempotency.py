"""Requests that are done once however often they are sent."""

from typing import ClassVar

from django.db import models


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
