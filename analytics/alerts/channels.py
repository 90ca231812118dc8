"""What is announced: one row for each channel, written with what it tells of, and a job that sends it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from analytics.models import Channel, Delivery
from analytics.storage import queue
from errors.json import dumps

TASK, QUEUE = "deliver", "deliveries"
_LONGEST_SUBJECT = 200


def announce(
    *,
    organisation_id: int,
    kind: str,
    key: str,
    subject: str,
    text: str,
    data: Mapping[str, Any],
) -> int:
    """Write a message for each active channel of the organisation, and let the worker send them; return how many.

    Part of the caller's transaction: what is rolled back is not told. A channel gets one message of a `key`, however
    often it is announced. `kind` ("budget", "anomaly") is the type that webhooks are sent; `data` are their members,
    of what has a form in JSON, with decimals and instants. A `subject` is one line.
    """
    now = timezone.now()
    members = dumps(dict(data)).decode()
    channels = Channel.objects.filter(organisation_id=organisation_id, is_active=True).order_by("created_at", "id")
    with transaction.atomic():
        written = [
            delivery_add(channel, kind=kind, key=key, subject=subject, text=text, data=members, now=now)
            for channel in channels
        ]
    return sum(one is not None for one in written)


def delivery_add(channel: Channel, *, key: str, now: datetime, **message: Any) -> Delivery | None:
    """Write one message for a channel and put it into the queue; `None` where the channel has one of this key.

    Its `subject` becomes one line.
    """
    message["subject"] = " ".join(message["subject"].split())[:_LONGEST_SUBJECT]
    delivery, made = Delivery.objects.get_or_create(
        channel=channel,
        key=key,
        defaults={"organisation_id": channel.organisation_id, "next_attempt_at": now, "created_at": now, **message},
    )
    if not made:
        return None
    enqueue(delivery.id)
    return delivery


def enqueue(delivery_id: UUID, *, at: datetime | None = None) -> None:
    """Let a worker send a message, not before `at`; one that waits already waits on."""
    queue.enqueue(TASK, queue=QUEUE, lock=lock_of(delivery_id), at=at, delivery_id=str(delivery_id))


def enqueue_all(deliveries: Iterable[UUID]) -> int:
    """Do so with many at once; return how many did not wait yet."""
    jobs = {lock_of(one): {"delivery_id": str(one)} for one in deliveries}
    return queue.enqueue_all(TASK, queue=QUEUE, jobs=jobs)


def lock_of(delivery_id: UUID) -> str:
    """Return the name of what a message is sent under, one at a time, and waits in the queue under, once."""
    return f"delivery {delivery_id}"
