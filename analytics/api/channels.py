"""/channels: where an organisation hears of alerts."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.alerts import managing
from analytics.api import bodies, schema
from analytics.api.bodies import Member
from analytics.api.channel_shapes import shown_channel
from analytics.api.common import LIMIT_AND_OFFSET, caller_of
from analytics.api.idempotency import once
from analytics.api.parameters import documented, validate
from analytics.api.resources import check_if_match, paged, tagged, written
from analytics.api.views import ByMethodView
from analytics.models import Channel, ChannelType
from analytics.storage.transactions import retried
from errors.catalog import INVALID_FIELD_FORMAT
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_LONGEST_NAME, _LONGEST_URL, _LONGEST_ADDRESS, _MOST_ADDRESSES = 200, 2000, 254, 20


def _addresses(name: str, value: Any) -> tuple[str, ...]:
    found: tuple[str, ...] = bodies.texts(most=_MOST_ADDRESSES, longest=_LONGEST_ADDRESS)(name, value)
    if not found or not all(map(managing.is_address, found)):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="a list of e-mail addresses")
    return found


_NAME = Member(
    name="name",
    read=bodies.text(shortest=1, longest=_LONGEST_NAME, stripped=True),
    schema={"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME},
    description="Unique in the organisation.",
)
_TYPE = Member(
    name="type",
    read=bodies.one_of({value: value for value in ChannelType.values}),
    schema={"type": "string", "enum": list(ChannelType.values)},
    required=True,
)
_TARGET: tuple[Member, ...] = (
    Member(
        name="url",
        read=bodies.text(shortest=1, longest=_LONGEST_URL),
        schema={"type": "string", "format": "uri", "maxLength": _LONGEST_URL},
        description="Of a webhook, or of what takes Slack's. It must be a public address.",
    ),
    Member(
        name="addresses",
        read=_addresses,
        schema={"type": "array", "items": {"type": "string", "format": "email"}, "maxItems": _MOST_ADDRESSES},
        description="Of type email.",
    ),
    Member(name="is_active", read=bodies.flag, schema={"type": "boolean", "default": True}),
)
MEMBERS: tuple[Member, ...] = (
    Member(name=_NAME.name, read=_NAME.read, schema=_NAME.schema, description=_NAME.description, required=True),
    _TYPE,
    *_TARGET,
)
CHANGES: tuple[Member, ...] = (_NAME, *_TARGET)
_EXAMPLE = {"name": "on-call", "type": "webhook", "url": "https://hooks.example.com/observatory"}


class ChannelsBaseView(ByMethodView):
    """A route of channels."""

    audited = "channel"
    only_reads = False


class ChannelListView(ChannelsBaseView):
    """The organisation's channels by name."""

    permissions = {"GET": "alerts:read", "POST": "projects:manage"}

    @extend_schema(
        operation_id="channels_list",
        parameters=documented(LIMIT_AND_OFFSET),
        responses={200: schema.named_list("channels", schema.ref("Channel")), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        values = validate(request.query_params, LIMIT_AND_OFFSET)
        rows = managing.channels_of(caller_of(request).organisation_id)
        return paged("channels", rows, shown_channel, limit=values["limit"], offset=values["offset"])

    @extend_schema(
        operation_id="channels_create",
        request={"application/json": bodies.schema_of(MEMBERS, example=_EXAMPLE)},
        responses={201: schema.ref("CreatedChannel"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        validate(request.query_params, ())
        given = _given(request, MEMBERS)
        return once(request, lambda: self._create(request, given))

    @staticmethod
    def _create(request: Request, given: Mapping[str, Any]) -> Response:
        caller = caller_of(request)
        target = managing.target_of(given["type"], given)
        _check_receiver(given)

        def create() -> tuple[Channel, str | None]:
            return managing.channel_create(
                organisation_id=caller.organisation_id,
                organisation_uuid=caller.organisation_uuid,
                given=given,
                target=target,
                now=timezone.now(),
            )

        channel, secret = retried(create)
        body = shown_channel(channel) | {"signing_secret": secret}
        location = f"{settings.API_BASE_URL}/api/v1/channels/{channel.id}"
        response = tagged(request, body, channel.row_version, status=201, headers={"Location": location})
        return _noted(response, channel, given)


class ChannelView(ChannelsBaseView):
    """One channel: changed, deleted with its messages."""

    permissions = {"PATCH": "projects:manage", "DELETE": "projects:manage"}

    @extend_schema(
        operation_id="channels_update",
        request={"application/json": bodies.schema_of(CHANGES)},
        responses={200: schema.ref("Channel"), **ERROR_REPLIES},
    )
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  the parameter's name in the document
        validate(request.query_params, ())
        changes = _given(request, CHANGES)
        target = managing.changed_target(_found(request, id), changes)
        _check_receiver(changes)

        def change() -> Response:
            channel = _found(request, id, locked=True)
            channel = managing.channel_change(channel, changes, target=target, now=timezone.now())
            response = tagged(request, shown_channel(channel), channel.row_version)
            return _noted(response, channel, changes)

        return written(request, change)

    @extend_schema(operation_id="channels_delete", responses={204: None, **ERROR_REPLIES})
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        validate(request.query_params, ())

        def delete() -> Response:
            _found(request, id, locked=True).delete()
            return Response(status=status.HTTP_204_NO_CONTENT)

        return written(request, delete)


class ChannelTestView(ChannelsBaseView):
    """Sends a message through a channel that says that it works."""

    permissions = {"POST": "projects:manage"}

    @extend_schema(
        operation_id="channels_test", request=None, responses={202: schema.ref("AcceptedMessage"), **ERROR_REPLIES}
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        validate(request.query_params, ())
        bodies.read_body(cast("dict[str, Any]", request.data), ())
        return written(request, lambda: self._test(request, id))

    @staticmethod
    def _test(request: Request, channel_id: str) -> Response:
        channel = managing.channel_get(caller_of(request).organisation_id, channel_id)
        delivery = managing.channel_test(channel, now=timezone.now())
        response = Response(
            {"message_id": str(delivery.id), "status": delivery.status}, status=status.HTTP_202_ACCEPTED
        )
        return _noted(response, channel, {})


def _given(request: Request, members: Sequence[Member]) -> dict[str, Any]:
    values = bodies.read_body(cast("dict[str, Any]", request.data), members)
    return {name: value for name, value in values.items() if value is not None}


def _check_receiver(given: Mapping[str, Any]) -> None:
    """Ask a name server about a URL that is given: before the transaction that writes it, which it would hold up."""
    if "url" in given:
        managing.check_receiver(given["url"])


def _found(request: Request, channel_id: str, *, locked: bool = False) -> Channel:
    channel = managing.channel_get(caller_of(request).organisation_id, channel_id, locked=locked)
    check_if_match(request.headers.get("If-Match"), channel.row_version)
    return channel


def _noted(response: Response, channel: Channel, given: Mapping[str, Any]) -> Response:
    """Note for the audit log what is written: names of members, no addresses."""
    response.audited_id = str(channel.id)  # type: ignore[attr-defined]  # the middleware looks for it
    response.audited_changes = sorted(given)  # type: ignore[attr-defined]  # as above
    return response


VIEWS: Sequence[tuple[str, type[ChannelsBaseView]]] = (
    ("channels", ChannelListView),
    ("channels/<str:id>", ChannelView),
    ("channels/<str:id>/test", ChannelTestView),
)
