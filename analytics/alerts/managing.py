"""Making, changing, trying and deleting channels."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from analytics.alerts.addresses import ForbiddenAddressError, addresses_of, checked_url
from analytics.alerts.channels import delivery_add
from analytics.alerts.transports import new_signing_secret
from analytics.encryption import decrypt, encrypt
from analytics.models import Channel, ChannelType, Delivery, DeliveryStatus
from errors.catalog import FIELD_VALUE_REFUSED, NOT_FOUND_HERE, RESOURCE_ALREADY_EXISTS, UNPROCESSABLE_CONTENT
from errors.exceptions import ApiError

TEST = "test"
# Which member says where a channel of a type leads to.
TARGET_OF: Mapping[str, str] = {
    ChannelType.WEBHOOK: "url",
    ChannelType.SLACK: "url",
    ChannelType.EMAIL: "addresses",
}


def channels_of(organisation_id: int) -> QuerySet[Channel]:
    """Return the channels of an organisation by name, with how many of their messages wait and are dead."""
    counted = {
        f"{status}_messages": Count("deliveries", filter=Q(deliveries__status=status))
        for status in (DeliveryStatus.PENDING, DeliveryStatus.DEAD)
    }
    return Channel.objects.filter(organisation_id=organisation_id).annotate(**counted).order_by("name", "id")


def channel_get(organisation_id: int, channel_id: str, *, locked: bool = False) -> Channel:
    """Return a channel, `locked` for a change; raise 404/1300."""
    try:
        number = UUID(channel_id)
    except ValueError:
        raise ApiError(NOT_FOUND_HERE, what="channel") from None
    rows = Channel.objects.filter(organisation_id=organisation_id, id=number)
    channel = (rows.select_for_update() if locked else rows).first()
    if channel is None:
        raise ApiError(NOT_FOUND_HERE, what="channel")
    return channel


@transaction.atomic
def channel_create(
    *, organisation_id: int, organisation_uuid: UUID, given: Mapping[str, Any], now: datetime
) -> tuple[Channel, str | None]:
    """Make a channel; return it and, of a webhook, its signing secret, which is never shown again.

    Raises 409/1400 for a name that is taken, 422/1211 for a target that does not go with the type, 400/1202 for one
    that no message is sent to.
    """
    target = check_channel(organisation_id, given)
    secret = new_signing_secret() if given["type"] == ChannelType.WEBHOOK else None
    channel = Channel(
        organisation_id=organisation_id,
        organisation_uuid=organisation_uuid,
        name=given["name"],
        type=given["type"],
        target=target,
        signing_secret=None if secret is None else encrypt(secret),
        is_active=given.get("is_active", True),
        created_at=now,
        updated_at=now,
    )
    channel.save()
    return channel, secret


@transaction.atomic
def channel_change(channel: Channel, changes: Mapping[str, Any], *, now: datetime) -> Channel:
    """Change a channel's name, target, or whether it is active; raises as `channel_create` does."""
    target = check_change(channel, changes)
    channel.name = changes.get("name", channel.name)
    channel.target = channel.target if target is None else target
    channel.is_active = changes.get("is_active", channel.is_active)
    channel.row_version += 1
    channel.updated_at = now
    channel.save()
    return channel


def check_channel(organisation_id: int, given: Mapping[str, Any]) -> bytes:
    """Return the target of a new channel as it is stored; raises as `channel_create` does."""
    _check_name(organisation_id, given["name"])
    return _target(given["type"], given)


def check_change(channel: Channel, changes: Mapping[str, Any]) -> bytes | None:
    """Return the target that a change gives a channel, as it is stored; raises as `channel_create` does."""
    if "name" in changes:
        _check_name(channel.organisation_id, changes["name"], but=channel.id)
    return _target(channel.type, changes) if {"url", "addresses"} & changes.keys() else None


def channel_test(channel: Channel, *, now: datetime) -> Delivery:
    """Let the worker send a message that says that the channel works, and nothing else."""
    delivery = delivery_add(
        channel,
        project_id=None,
        kind=TEST,
        key=f"{TEST}:{uuid4()}",
        subject=f"A test of {channel.name}",
        text="This channel works: alerts of budgets and anomalies will come this way.",
        data="{}",
        now=now,
    )
    assert delivery is not None, "the key is new"
    return delivery


def shown_target(channel: Channel) -> str | Sequence[str] | None:
    """Return addresses as they are, and of a URL where it leads to: what stands behind the host is a secret.

    `None` when it was encrypted under another SECRET_ENCRYPTION_KEY: then it has to be given anew.
    """
    try:
        known = decrypt(channel.target)
    except InvalidToken:
        return None
    if channel.type == ChannelType.EMAIL:
        addresses: list[str] = json.loads(known)
        return addresses
    parts = checked_url(known)
    return f"{parts.scheme}://{parts.netloc}/…"


def is_address(text: str) -> bool:
    """Whether a text is the address of one mailbox."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _check_name(organisation_id: int, name: str, *, but: UUID | None = None) -> None:
    others = Channel.objects.filter(organisation_id=organisation_id, name=name)
    if (others if but is None else others.exclude(id=but)).exists():
        raise ApiError(RESOURCE_ALREADY_EXISTS, field="name")


def _target(type_: str, given: Mapping[str, Any]) -> bytes:
    """Return the target as it is stored."""
    wanted = TARGET_OF[type_]
    for name in ("url", "addresses"):
        if (name == wanted) != (given.get(name) is not None):
            told = f"A channel of type {type_} needs {wanted}" + ("" if name == wanted else f" and takes no {name}")
            raise ApiError(UNPROCESSABLE_CONTENT, field=name, details=told)
    if type_ == ChannelType.EMAIL:
        if not settings.EMAIL_URL:
            raise ApiError(FIELD_VALUE_REFUSED, field="type", details="This service has no mail server: see EMAIL_URL")
        return encrypt(json.dumps(list(given["addresses"])))
    try:
        addresses_of(checked_url(given["url"]))
    except ForbiddenAddressError as problem:
        raise ApiError(FIELD_VALUE_REFUSED, field="url", details=str(problem)) from None
    except OSError:
        raise ApiError(FIELD_VALUE_REFUSED, field="url", details="The host of the URL is not known.") from None
    return encrypt(given["url"])
