"""Sending what was announced: an attempt at a time, with growing pauses, until it is taken or given up."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics.alerts.channels import enqueue, enqueue_all, lock_of
from analytics.alerts.transports import FailedError, hand_over
from analytics.models import Delivery, DeliveryStatus
from analytics.storage.exclusive import BusyError, exclusively, held_of

log = structlog.get_logger("analytics.alerts")
# After each failed attempt so long a pause; about a day in all, then the message is dead until somebody resends it.
PAUSES = tuple(timedelta(seconds=one) for one in (10, 60, 300, 1200, 3600, 14_400, 28_800, 43_200))
_LATE = timedelta(seconds=60)
_EARLY = timedelta(seconds=2)  # clocks of worker and database may differ
PORTION = 500  # so many messages at most are put into the queue again at once
SENT_KEPT, DEAD_KEPT = timedelta(days=30), timedelta(days=90)


def delivery_send(delivery_id: UUID, *, now: datetime) -> bool:
    """Try to send a message; return whether it was taken now. One that is under way, taken or dead is left alone.

    A worker that dies between the receiver's yes and its note leaves the message to be sent again under the same id:
    webhooks carry it as `webhook-id`, e-mails as `Message-ID`.
    """
    try:
        with exclusively(lock_of(delivery_id)):
            return _send(delivery_id, now=now)
    except BusyError:
        return False


def _send(delivery_id: UUID, *, now: datetime) -> bool:
    delivery = Delivery.objects.select_related("channel").filter(id=delivery_id, status=DeliveryStatus.PENDING).first()
    if delivery is None or delivery.next_attempt_at > now + _EARLY:
        return False
    if not delivery.channel.is_active:
        _give_up(delivery, "The channel is switched off.")
        return False
    if delivery.attempts > len(PAUSES):
        _give_up(delivery, "Each attempt ended in a fault of this service: its log tells of them.")
        return False
    delivery.attempts += 1
    # Noted first: an attempt that ends in a fault, or with its worker, is one too, and is made again after its pause.
    _note(delivery, next_attempt_at=now + _pause(delivery))
    try:
        hand_over(delivery, delivery.channel, now=now)
    except FailedError as problem:
        log.warning("message not taken", delivery_id=str(delivery.id), attempts=delivery.attempts, problem=str(problem))
        _failed(delivery, str(problem), now=now)
        return False
    _note(delivery, status=DeliveryStatus.SENT, ended_at=timezone.now(), last_error=None)
    return True


def _failed(delivery: Delivery, reason: str, *, now: datetime) -> None:
    if delivery.attempts > len(PAUSES):
        _give_up(delivery, reason)
        return
    due = now + _pause(delivery)
    _note(delivery, next_attempt_at=due, last_error=reason)
    enqueue(delivery.id, at=due)


def _pause(delivery: Delivery) -> timedelta:
    return PAUSES[min(delivery.attempts, len(PAUSES)) - 1]


def _give_up(delivery: Delivery, reason: str) -> None:
    _note(delivery, status=DeliveryStatus.DEAD, ended_at=timezone.now(), last_error=reason)


def _note(delivery: Delivery, **facts: Any) -> None:
    # Not `save`: the channel may have been deleted meanwhile, and its messages with it.
    Delivery.objects.filter(id=delivery.id).update(attempts=delivery.attempts, **facts)


def deliveries_resend(rows: QuerySet[Delivery], *, now: datetime) -> int:
    """Let the worker try the dead ones of `rows` anew, `PORTION` at most, the oldest first; return how many.

    They keep their ids, by which receivers know them.
    """
    with transaction.atomic():
        dead = rows.filter(status=DeliveryStatus.DEAD).order_by("created_at", "id").select_for_update(of=("self",))
        ids = list(dead.values_list("id", flat=True)[:PORTION])
        Delivery.objects.filter(id__in=ids).update(
            status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=now, ended_at=None
        )
        enqueue_all(ids)
    return len(ids)


def deliveries_revive(*, now: datetime) -> int:
    """Put messages whose worker died into the queue again; return how many.

    It looks at `PORTION` messages, those that are longest due: one run of many does not hold up the worker's others,
    and those that are sent make room for the next.
    """
    late = Delivery.objects.filter(status=DeliveryStatus.PENDING, next_attempt_at__lt=now - _LATE)
    due = {lock_of(one): one for one in late.order_by("next_attempt_at").values_list("id", flat=True)[:PORTION]}
    under_way = held_of(due)
    return enqueue_all([one for lock, one in due.items() if lock not in under_way])


def deliveries_forget(*, now: datetime) -> int:
    """Delete messages that were taken, a month after they were written, dead ones after three; return how many."""
    sent = Delivery.objects.filter(status=DeliveryStatus.SENT, created_at__lt=now - SENT_KEPT)
    dead = Delivery.objects.filter(status=DeliveryStatus.DEAD, created_at__lt=now - DEAD_KEPT)
    return sent.delete()[0] + dead.delete()[0]
