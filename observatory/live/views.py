"""How a stream begins: an ordinary request that is authenticated, paid for and checked, and then goes on."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import validate
from analytics.live.asking import EVENT_PARAMETERS, TICKET, Asked, asked, position
from analytics.live.hub import missing
from analytics.live.places import take_place
from analytics.registry.events import EVENT_TYPES
from errors.catalog import INVALID_FIELD_FORMAT
from errors.exceptions import ApiError
from observatory.accounts.api.views import caller_of
from observatory.accounts.authentication import Shown
from observatory.accounts.principals import Principal
from observatory.live.authentication import StreamAuthentication, chosen, offered
from ratelimit.views import LimitedAPIView

LAST_EVENT_ID = "Last-Event-ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a stream begins with."""

    listener: Principal
    shown: Shown
    place: str
    whole: bool
    asked: Asked | None = None
    subprotocol: str | None = None


class OpeningView(LimitedAPIView):
    """A reply of 200 from here bears an `opening`; any other is the answer."""

    authentication_classes = (StreamAuthentication,)
    rate_cost = 5

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: ARG002  DRF's
        """Whatever is accepted: a stream is no JSON, and an error is."""
        return super().perform_content_negotiation(request, force=True)

    def opened(self, request: Request, **more: Any) -> Response:
        """Take a place; raise 429/1501, 503/1701."""
        listener = caller_of(request)
        listener.scope()
        place = uuid4().hex
        response = Response(status=200)
        if request.method == "GET":
            take_place(listener.rate_key, place)
            shown: Shown = request._request.shown  # type: ignore[attr-defined]  # noqa: SLF001  left by the authentication
            opening = Opening(listener=listener, shown=shown, place=place, **more)
            response.opening = opening  # type: ignore[attr-defined]  # the process that asked goes on with it
        return response


class EventsView(OpeningView):
    """GET /api/v1/events."""

    def get(self, request: Request) -> Response:
        values = validate(request.query_params, EVENT_PARAMETERS)
        listener = caller_of(request)
        permissions = [EVENT_TYPES[name].permission for name in values["events"]]
        if not listener.permissions.intersection(permissions):
            raise missing(permissions[0])
        header = request.headers.get(LAST_EVENT_ID, "").strip()
        # A browser that connects again sends the header, which is newer than the parameter that it began with.
        last = position(LAST_EVENT_ID, header) if header else values["last_event_id"]
        whole = listener.reaches_organisation
        return self.opened(request, whole=whole, asked=asked(listener, values["events"], values, last, whole=whole))


class WebSocketView(OpeningView):
    """GET /ws."""

    def get(self, request: Request) -> Response:
        validate(request.query_params, (TICKET,))
        if not getattr(request._request, "is_websocket", False):  # noqa: SLF001  said by the process that took the connection
            raise ApiError(INVALID_FIELD_FORMAT, field="Upgrade", expected="websocket: this path serves WebSocket only")
        whole = caller_of(request).reaches_organisation
        return self.opened(request, whole=whole, subprotocol=chosen(offered(request)))
