"""WebSocket: a listener subscribes, ends subscriptions and pings by messages."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.conf import settings

from analytics.api.bodies import read_body
from analytics.live.asgi import Headers, Message, Receive, Send
from analytics.live.asking import PING, SUBSCRIBE, UNSUBSCRIBE, asked
from analytics.live.connections import MALFORMED, Connection
from analytics.live.hub import THRESHOLD, Hub
from analytics.live.sse import resumed
from analytics.live.tasks import first_of
from analytics.live.thresholds import Watch
from errors.catalog import (
    INVALID_FIELD_VALUE,
    JSON_NOT_AN_OBJECT,
    LIMIT_EXCEEDED,
    MALFORMED_JSON,
    MISSING_REQUIRED_FIELD,
    NOT_FOUND_HERE,
    UNPROCESSABLE_CONTENT,
)
from errors.exceptions import ApiError

LARGEST_MESSAGE = 65_536  # bytes; a longer one ends the stream with 1009
MOST_MALFORMED = 3
_JOB = Callable[["Conversation", Mapping[str, Any]], None]


class MalformedError(Exception):
    """A message that is none: no JSON object of a known type."""

    def __init__(self, error: ApiError) -> None:
        self.error = error
        super().__init__(str(error))


class Conversation:
    """What one listener says and is answered."""

    def __init__(self, hub: Hub, connection: Connection) -> None:
        self._hub = hub
        self._connection = connection
        self._malformed = 0
        self._replays: set[asyncio.Task[None]] = set()

    def hear(self, message: Message) -> None:
        """Answer one message; the third that is malformed ends the stream with 4400."""
        try:
            kind, body = _read(message)
            _JOBS[kind](self, body)
        except MalformedError as malformed:
            self._malformed += 1
            if self._malformed >= MOST_MALFORMED:
                self._connection.end(MALFORMED, malformed.error)
            else:
                self._connection.refuse(malformed.error)
        except ApiError as error:
            self._connection.refuse(error)

    def end(self) -> None:
        for replay in self._replays:
            replay.cancel()

    def subscribe(self, body: Mapping[str, Any]) -> None:
        values = read_body(body, SUBSCRIBE)
        most = settings.STREAM_MAX_SUBSCRIPTIONS
        if len(self._connection.subscriptions) >= most:
            raise ApiError(LIMIT_EXCEEDED, field="subscriptions", low=1, high=most, details=f"Open: {most}")
        events, thresholds = values["events"], values["thresholds"]
        if thresholds and THRESHOLD not in events:
            events = (*events, THRESHOLD)
        who = self._connection
        wanted = asked(who.listener, events, values["filters"] or {}, values["last_event_id"], whole=who.whole)
        resumes = wanted.last_event_id is not None
        one = self._hub.subscribe(self._connection, wanted.events, wanted.filter, resumes=resumes)
        if one is None:
            return
        if thresholds and THRESHOLD in one.events:
            one.watch = Watch(thresholds)
        place = wanted.last_event_id or one.since.decode()
        self._connection.say("subscribed", events=sorted(one.events), subscription_id=one.id, last_event_id=place)
        if resumes:
            replay = asyncio.ensure_future(resumed(self._hub, one, wanted.last_event_id))
            self._replays.add(replay)
            replay.add_done_callback(self._replays.discard)

    def unsubscribe(self, body: Mapping[str, Any]) -> None:
        values = read_body(body, UNSUBSCRIBE)
        by_id, events = values["subscription_id"], values["events"]
        if by_id is not None and events is not None:
            raise ApiError(UNPROCESSABLE_CONTENT, details="Send subscription_id or events, not both.")
        if by_id is None and events is None:
            raise ApiError(MISSING_REQUIRED_FIELD, field="subscription_id")
        ended = self._end_one(by_id) if by_id is not None else self._end_events(frozenset(events))
        self._connection.say("unsubscribed", events=sorted(ended))

    def _end_one(self, by_id: str) -> frozenset[str]:
        one = self._connection.subscriptions.get(by_id)
        if one is None:
            raise ApiError(NOT_FOUND_HERE, what="subscription")
        self._hub.unsubscribe(one)
        return one.events

    def _end_events(self, events: frozenset[str]) -> frozenset[str]:
        ended: frozenset[str] = frozenset()
        for one in list(self._connection.subscriptions.values()):
            if one.events & events:
                ended |= one.events & events
                self._hub.narrow(one, one.events - events)
        return ended

    def ping(self, body: Mapping[str, Any]) -> None:
        read_body(body, PING)
        self._connection.say("pong")


_JOBS: Mapping[str, _JOB] = {
    "subscribe": Conversation.subscribe,
    "unsubscribe": Conversation.unsubscribe,
    "ping": Conversation.ping,
}


async def converse(
    hub: Hub, connection: Connection, *, subprotocol: str | None, headers: Headers, receive: Receive, send: Send
) -> None:
    """Talk until the listener goes, its credential ends, or the service stops."""
    await receive()  # the request to connect
    await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})
    conversation = Conversation(hub, connection)
    try:
        await first_of(_send_all(connection, send), _hear_all(conversation, receive), connection=connection)
    finally:
        conversation.end()


async def _send_all(connection: Connection, send: Send) -> None:
    while frames := await connection.next():
        connection.busy_since = time.monotonic()
        for frame in frames:
            await send({"type": "websocket.send", "text": frame})
        connection.busy_since = None
    await send({"type": "websocket.close", "code": connection.ended})


async def _hear_all(conversation: Conversation, receive: Receive) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        conversation.hear(message)
        await asyncio.sleep(0)  # many messages that came at once are answered one after the other


def _read(message: Message) -> tuple[str, Mapping[str, Any]]:
    """Return type and members of a message."""
    text = message.get("text")
    try:
        body = orjson.loads(text) if text is not None else None
    except orjson.JSONDecodeError:
        raise MalformedError(ApiError(MALFORMED_JSON)) from None
    if not isinstance(body, dict):
        raise MalformedError(ApiError(JSON_NOT_AN_OBJECT))
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in _JOBS:
        allowed = f"Allowed: {', '.join(_JOBS)}"
        raise MalformedError(ApiError(INVALID_FIELD_VALUE, field="type", details=allowed))
    return kind, body
