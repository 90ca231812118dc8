"""Channels as replies tell of them, and as the OpenAPI document describes them."""

from typing import Any

from analytics.alerts.managing import TARGET_OF, shown_target
from analytics.api.json_schema import COUNT, INSTANT, UUID, whole
from analytics.models import Channel, ChannelType, DeliveryStatus

_COUNTS = (DeliveryStatus.PENDING, DeliveryStatus.DEAD)


def shown_channel(channel: Channel) -> dict[str, Any]:
    """Return a channel; of a URL only where it leads to. Messages are counted where they were read with it."""
    return {
        "id": str(channel.id),
        "org_id": str(channel.organisation_uuid),
        "name": channel.name,
        "type": channel.type,
        "url": None,
        "addresses": None,
        TARGET_OF[channel.type]: shown_target(channel),
        "is_active": channel.is_active,
        "created_at": channel.created_at,
        "updated_at": channel.updated_at,
        **{f"{status}_messages": getattr(channel, f"{status}_messages", 0) for status in _COUNTS},
    }


_MEMBERS: dict[str, Any] = {
    "id": UUID,
    "org_id": UUID,
    "name": {"type": "string"},
    "type": {"type": "string", "enum": list(ChannelType.values)},
    "url": {"type": ["string", "null"], "description": "Its host: what stands behind it is not shown again."},
    "addresses": {"type": ["array", "null"], "items": {"type": "string", "format": "email"}},
    "is_active": {"type": "boolean"},
    "created_at": INSTANT,
    "updated_at": INSTANT,
    "pending_messages": {**COUNT, "description": "Messages that are still to be sent."},
    "dead_messages": {**COUNT, "description": "Messages that were given up; staff can resend them."},
}
_SECRET = {
    "type": ["string", "null"],
    "description": "Of a webhook: what its messages are signed with (standardwebhooks.com), shown this once.",
}

COMPONENTS: dict[str, Any] = {
    "Channel": whole(**_MEMBERS),
    "CreatedChannel": {
        **whole(**_MEMBERS),
        "properties": {**_MEMBERS, "signing_secret": _SECRET},
    },
    "AcceptedMessage": whole(message_id=UUID, status={"type": "string", "enum": list(DeliveryStatus.values)}),
}
