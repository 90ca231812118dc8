"""What becomes of many messages that come at once, with a transport that takes answers and one that does not."""

import asyncio
import json

from analytics.live.connections import MOST_UNREAD, OVERLOAD
from analytics.live.websocket import converse
from tests.analytics.live.listening import connected

PINGS = 3 * MOST_UNREAD


def conversation(*, takes):
    """Return what the listener got that sent so many pings at once, and the code that its stream ended with."""
    connection, sent = connected(), []
    arrived = [{"type": "websocket.connect"}, *({"type": "websocket.receive", "text": '{"type":"ping"}'},) * PINGS]
    arrived.reverse()
    ended = asyncio.Event()

    async def receive():
        if arrived:
            return arrived.pop()  # without a pause, as from a buffer
        if takes:
            connection.end(1001)
        ended.set()
        return await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "websocket.send" and not takes:
            await asyncio.Event().wait()
        sent.append(json.loads(message["text"])["type"] if "text" in message else message["type"])

    async def talk():
        talking = asyncio.ensure_future(
            converse(None, connection, subprotocol=None, headers=[], receive=receive, send=send)
        )
        await ended.wait()
        if not takes:
            connection.abandon()  # as after two heartbeats
        await talking

    asyncio.run(talk())
    return sent, connection


def test_each_of_many_pings_at_once_is_answered():
    sent, connection = conversation(takes=True)

    assert (sent.count("pong"), connection.ended) == (PINGS, 1001)


def test_a_listener_that_takes_no_answer_is_closed_however_many_it_asks_for():
    sent, connection = conversation(takes=False)

    assert (sent, connection.ended, len(connection._waiting)) == (["websocket.accept"], OVERLOAD, 1)
