"""What the web process answers on the paths of streams: where they are."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.parameters import documented
from analytics.live.asking import EVENT_PARAMETERS, TICKET
from errors.schema import ERROR_REPLIES
from observatory.live.addresses import EVENTS, WEBSOCKET, websocket_base

_LAST_EVENT_ID = OpenApiParameter(
    name="Last-Event-ID",
    type=OpenApiTypes.STR,
    location="header",
    description="The id of the last event that was received, as browsers send it; it goes before the parameter.",
)
_ELSEWHERE = {307: {"description": "The stream is at the address in `Location`, on the live process."}}


class ElsewhereView(APIView):
    """Leads to the live process with what was asked; nothing is judged here."""

    authentication_classes = ()
    throttle_classes = ()
    at: ClassVar[str]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: ARG002  DRF's
        return super().perform_content_negotiation(request, force=True)

    def elsewhere(self, request: Request) -> HttpResponse:
        base = websocket_base() if self.at == WEBSOCKET and "Upgrade" in request.headers else settings.LIVE_BASE_URL
        query = request.META.get("QUERY_STRING", "")
        return Response(status=307, headers={"Location": f"{base}{self.at}{'?' if query else ''}{query}"})


class EventsElsewhereView(ElsewhereView):
    at = EVENTS

    @extend_schema(
        operation_id="events",
        summary="Follow events as they happen (Server-Sent Events)",
        description=(
            "Served by the live process (`sse_url` of `/api/v1/me`). Each event is a frame with `id`, `event` (its"
            " type) and `data` (JSON); docs/reference/events.md has the types. `gap`, `dropped` and `error` are frames"
            " too; a comment comes every STREAM_HEARTBEAT_SECONDS. It costs 5 tokens to open one."
        ),
        parameters=[*documented(EVENT_PARAMETERS), _LAST_EVENT_ID],
        responses={
            (200, "text/event-stream"): {"type": "string", "description": "A stream that does not end by itself."},
            **_ELSEWHERE,
            **ERROR_REPLIES,
        },
    )
    def get(self, request: Request) -> HttpResponse:
        return self.elsewhere(request)


class WebSocketElsewhereView(ElsewhereView):
    at = WEBSOCKET

    @extend_schema(
        operation_id="websocket",
        summary="Follow events over a WebSocket",
        description=(
            "Served by the live process (`ws_url` of `/api/v1/me`). Messages are JSON objects with `type`: `subscribe`,"
            " `unsubscribe` and `ping` are sent, `subscribed`, `unsubscribed`, `event`, `gap`, `dropped`, `error` and"
            " `pong` received. A token may be offered as the subprotocol `llmo.bearer.<token>`. It costs 5 tokens to"
            " open one."
        ),
        parameters=documented((TICKET,)),
        responses={101: {"description": "The protocol is now WebSocket."}, **_ELSEWHERE, **ERROR_REPLIES},
    )
    def get(self, request: Request) -> HttpResponse:
        return self.elsewhere(request)


@extend_schema_view(get=extend_schema(operation_id="websocket_alias"))
class WebSocketAliasView(WebSocketElsewhereView):
    """The same under the prefix."""
