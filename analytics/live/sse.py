"""Server-Sent Events: one subscription, which the request asked for."""

import time

from analytics.live.asgi import Headers, Receive, Send
from analytics.live.asking import Asked
from analytics.live.connections import OVERLOAD, Connection
from analytics.live.hub import Hub
from analytics.live.log import AWAY
from analytics.live.subscriptions import Subscription
from analytics.live.tasks import first_of
from errors.catalog import REDIS_ERROR
from errors.exceptions import ApiError

RETRY_MS = 2000


async def stream(
    hub: Hub, connection: Connection, asked: Asked, *, headers: Headers, receive: Receive, send: Send
) -> None:
    """Send events until the listener goes, its credential ends, or the service stops."""
    one = hub.subscribe(connection, asked.events, asked.filter, resumes=asked.last_event_id is not None)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    # The first bytes tell client and proxies that the stream is open, and where: who loses it before the first event
    # comes back with that place.
    place = f"id: {one.since.decode()}\n" if one is not None and asked.last_event_id is None else ""
    await send({"type": "http.response.body", "body": f"{place}retry: {RETRY_MS}\n\n".encode(), "more_body": True})
    working = [_send_all(connection, send), _gone(receive)]
    await first_of(*working, beside=resumed(hub, one, asked.last_event_id), connection=connection)


async def resumed(hub: Hub, one: Subscription | None, last_event_id: str | None) -> None:
    """Replay to a subscription what it missed; while Redis is away its stream ends."""
    if one is None or last_event_id is None:
        return
    try:
        await hub.replay(one, last_event_id)
    except AWAY:
        one.connection.end(OVERLOAD, ApiError(REDIS_ERROR))


async def _send_all(connection: Connection, send: Send) -> None:
    while frames := await connection.next():
        connection.busy_since = time.monotonic()
        await send({"type": "http.response.body", "body": "".join(frames).encode(), "more_body": True})
        connection.busy_since = None
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
