"""Where organisations hear of alerts, and the messages on their way there."""

from typing import ClassVar
from uuid import uuid4

from django.db import models


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
