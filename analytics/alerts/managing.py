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
from django.db.models import Count, Q, QuerySet

from analytics.alerts.addresses import ForbiddenAddressError, addresses_of, checked_url
from analytics.alerts.channels import delivery_add
from analytics.alerts.deadlines import TooLateError, within
from analytics.alerts.transports import new_signing_secret
from analytics.encryption import decrypt, encrypt
from analytics.models import Channel, ChannelType, Delivery, DeliveryStatus
from errors.catalog import FIELD_VALUE_REFUSED, NOT_FOUND_HERE, RESOURCE_ALREADY_EXISTS, UNPROCESSABLE_CONTENT
from errors.exceptions import ApiError

TEST = "test"
LOOKUP_SECONDS = 5
# Which member says where a channel of a type leads to.
TARGET_OF: Mapping[str, str] = {
    ChannelType.WEBHOOK: "url",
    ChannelType.SLACK: "url",
    ChannelType.EMAIL: "addresses",
}
TARGETS = tuple(dict.fromkeys(TARGET_OF.values()))


def channels_of(organisation_id: int) -> QuerySet[Channel]:
    """Return the channels of an organisation by name, with their messages counted."""
    return with_messages(Channel.objects.filter(organisation_id=organisation_id)).order_by("name", "id")


def with_messages(channels: QuerySet[Channel]) -> QuerySet[Channel]:
    """Return channels with how many of their messages wait and are dead: `pending_messages`, `dead_messages`."""
    return channels.annotate(
        **{
            f"{status}_messages": Count("deliveries", filter=Q(deliveries__status=status))
            for status in (DeliveryStatus.PENDING, DeliveryStatus.DEAD)
        }
    )


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


def channel_create(
    *, organisation_id: int, organisation_uuid: UUID, given: Mapping[str, Any], target: bytes, now: datetime
) -> tuple[Channel, str | None]:
    """Make a channel with a `target` of `target_of`; return it and, of a webhook, its signing secret, shown only here.

    Raises 409/1400 for a name that is taken.
    """
    check_name(organisation_id, given["name"])
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


def channel_change(channel: Channel, changes: Mapping[str, Any], *, target: bytes | None, now: datetime) -> Channel:
    """Change members of a locked channel, and its target unless that is `None`; raises as `channel_create` does."""
    if "name" in changes:
        check_name(channel.organisation_id, changes["name"], but=channel.id)
    channel.name = changes.get("name", channel.name)
    channel.target = channel.target if target is None else target
    channel.is_active = changes.get("is_active", channel.is_active)
    channel.row_version += 1
    channel.updated_at = now
    channel.save()
    return channel


def target_of(type_: str, given: Mapping[str, Any]) -> bytes:
    """Return where a channel of a type leads to, as it is stored, judged by its form.

    Raises 422/1211 for a target that does not go with the type, 400/1202 for one that no message is sent to.
    """
    wanted = TARGET_OF[type_]
    for name in TARGETS:
        if (name == wanted) != (given.get(name) is not None):
            told = f"A channel of type {type_} needs {wanted}" + ("" if name == wanted else f" and takes no {name}")
            raise ApiError(UNPROCESSABLE_CONTENT, field=name, details=told)
    if type_ == ChannelType.EMAIL:
        if not settings.EMAIL_URL:
            raise ApiError(FIELD_VALUE_REFUSED, field="type", details="This service has no mail server: see EMAIL_URL")
        return encrypt(json.dumps(list(given["addresses"])))
    try:
        checked_url(given["url"])
    except ForbiddenAddressError as problem:
        raise ApiError(FIELD_VALUE_REFUSED, field="url", details=str(problem)) from None
    return encrypt(given["url"])


def changed_target(channel: Channel, changes: Mapping[str, Any]) -> bytes | None:
    """Return the target that `changes` give a channel, `None` where they give none; raises as `target_of` does."""
    return target_of(channel.type, changes) if any(name in changes for name in TARGETS) else None


def check_receiver(url: str) -> None:
    """Raise 400/1202 unless the host of a URL is known, and a place that messages are sent to.

    It asks a name server, which may take `LOOKUP_SECONDS`: not inside a transaction.
    """
    try:
        within(LOOKUP_SECONDS, lambda _: addresses_of(checked_url(url)))
    except ForbiddenAddressError as problem:
        raise ApiError(FIELD_VALUE_REFUSED, field="url", details=str(problem)) from None
    except (OSError, TooLateError):
        raise ApiError(FIELD_VALUE_REFUSED, field="url", details="The host of the URL is not known.") from None


def check_name(organisation_id: int, name: str, *, but: UUID | None = None) -> None:
    """Raise 409/1400 when a channel of the organisation has a name, `but` this one."""
    others = Channel.objects.filter(organisation_id=organisation_id, name=name)
    if (others if but is None else others.exclude(id=but)).exists():
        raise ApiError(RESOURCE_ALREADY_EXISTS, field="name")


def channel_test(channel: Channel, *, now: datetime) -> Delivery:
    """Let the worker send a message that says that the channel works, and nothing else."""
    delivery = delivery_add(
        channel,
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
