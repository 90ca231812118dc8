"""The ASGI application of the live process: requests begin in Django, as everywhere, and streams go on from there."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from io import BytesIO
from typing import TYPE_CHECKING

from django.core import signals
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import Error as DatabaseError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from analytics.live.asgi import Headers, Receive, Scope, Send
from analytics.live.connections import Connection
from analytics.live.frames import MessageFrames, SseFrames
from analytics.live.hub import Hub
from analytics.live.log import AWAY
from analytics.live.sse import stream
from analytics.live.websocket import converse
from errors.catalog import REDIS_ERROR
from errors.envelope import error_response
from errors.exceptions import ApiError
from errors.translation import translate
from observatory.accounts.generation import KEY

if TYPE_CHECKING:
    from observatory.live.views import Opening

URLS = "observatory.live.urls"
LOOKUPS = 4  # threads, each with a database connection
_OF_THE_BODY = frozenset({"content-length", "content-type", "content-encoding", "etag"})
_OF_A_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


class LiveApplication:
    """Serves SSE and WebSocket; everything else is Django's to answer."""

    def __init__(self) -> None:
        self._handler = BaseHandler()
        self._handler.load_middleware()
        self._lookups = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")
        self.hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._answer(scope, receive, send, denial="websocket.http.response")
        else:
            await self._answer(scope, receive, send, denial="http.response")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.hub = Hub(identity=KEY, lookups=self._lookups)
        await self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.hub.stop()
        await self.hub.close()
        self._lookups.shutdown(wait=False)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send, *, denial: str) -> None:
        hub = self.hub
        assert hub is not None, "the server speaks the lifespan protocol"
        confirmations = hub.confirmations
        request = _request(scope)
        response = await asyncio.get_running_loop().run_in_executor(
            self._lookups, copy_context().run, self._ask_django, request
        )
        opening: Opening | None = getattr(response, "opening", None)
        if opening is None:
            await _send_whole(response, send, denial)
            return
        frames = MessageFrames() if scope["type"] == "websocket" else SseFrames()
        connection = Connection(
            opening.listener, whole=opening.whole, credential=opening.shown, place=opening.place, frames=frames
        )
        try:
            try:
                await hub.join(connection, confirmations=confirmations)
            except AWAY:
                await _send_whole(error_response(ApiError(REDIS_ERROR), request), send, denial)
                return
            except DatabaseError as problem:  # its credential is looked up again when another's changed meanwhile
                await _send_whole(error_response(translate(problem), request), send, denial)
                return
            headers = _headers(response)
            if opening.asked is None:
                subprotocol = opening.subprotocol
                await converse(hub, connection, subprotocol=subprotocol, headers=headers, receive=receive, send=send)
            else:
                headers += _OF_A_STREAM
                await stream(hub, connection, opening.asked, headers=headers, receive=receive, send=send)
        finally:
            await hub.leave(connection)

    def _ask_django(self, request: ASGIRequest) -> HttpResponseBase:
        set_script_prefix("/")
        signals.request_started.send(sender=type(self), scope=request.scope)
        response = self._handler.get_response(request)
        response.close()
        return response


def _request(scope: Scope) -> ASGIRequest:
    """Return the request that opens a stream, or asks for something else, without a body."""
    request = ASGIRequest({**scope, "type": "http", "method": scope.get("method", "GET")}, BytesIO())
    request.urlconf = URLS
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    request.META["REQUEST_URI"] = f"{path}?{query}" if query else path  # as it was sent, for signatures
    request.is_websocket = scope["type"] == "websocket"  # type: ignore[attr-defined]  # what the view cannot see
    return request


def _headers(response: HttpResponseBase) -> Headers:
    """Return the headers of a reply that do not tell of its body."""
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.items()
        if name.lower() not in _OF_THE_BODY
    ]


async def _send_whole(response: HttpResponseBase, send: Send, prefix: str) -> None:
    """Send a reply as it is."""
    assert isinstance(response, HttpResponse), "only streams are sent in parts"
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    headers = [one for one in headers if one[0] != b"content-length"]
    headers.append((b"content-length", str(len(response.content)).encode()))
    await send({"type": f"{prefix}.start", "status": response.status_code, "headers": headers})
    await send({"type": f"{prefix}.body", "body": response.content})
