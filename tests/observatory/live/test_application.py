"""What becomes of a stream that cannot be taken in."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from redis.exceptions import ConnectionError as RedisConnectionError

from observatory.live.application import LiveApplication
from tests.analytics.live.listening import Shown, Somebody

SCOPE = {"type": "http", "method": "GET", "path": "/api/v1/events", "raw_path": b"/api/v1/events", "query_string": b"",
         "headers": []}  # fmt: skip


class Hub:
    """One that takes nobody in, and notes who left."""

    confirmations = 0

    def __init__(self, problem):
        self.problem, self.left = problem, []

    async def join(self, _connection, **_given):
        raise self.problem

    async def leave(self, connection):
        self.left.append(connection.place)


@pytest.mark.parametrize(
    ("problem", "answer"),
    [
        (RedisConnectionError("away"), (503, 1701)),
        (OperationalError("the connection is closed"), (503, 1601)),
        (InterfaceError("the connection is closed"), (503, 1601)),
    ],
    ids=str,
)
def test_it_is_told_why_and_gives_its_place_back(monkeypatch, problem, answer):
    response = HttpResponse()
    somebody = Somebody()
    response.opening = SimpleNamespace(
        listener=somebody, shown=Shown(told=[somebody]), place="here", whole=True, asked=None, subprotocol=None
    )
    monkeypatch.setattr(LiveApplication, "_ask_django", lambda *_given: response)
    application, sent = LiveApplication(), []
    application.hub = Hub(problem)

    async def send(message):
        sent.append(message)

    asyncio.run(application(SCOPE, None, send))

    start, body = sent
    assert (start["status"], json.loads(body["body"])["error"]["code"]) == answer
    assert application.hub.left == ["here"]
