"""Stock clients of streams: httpx for Server-Sent Events, websockets for WebSocket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.observatory.live.conftest import Live, bearer

PATIENCE_SECONDS = 20


class Stream:
    """An open stream of Server-Sent Events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()
        self.frame()  # the first is there when the stream is open

    def frame(self) -> dict[str, str]:
        """Return the fields of the next frame; a comment is one called `:`."""
        found: dict[str, str] = {}
        for line in self._lines:
            if not line:
                return found
            name, _, value = line.partition(":")
            found[name or ":"] = value.removeprefix(" ")
        raise EOFError

    def next(self) -> tuple[str, dict[str, Any]]:
        """Return type and data of the next frame that is no comment."""
        while ":" in (frame := self.frame()):
            pass
        return frame["event"], json.loads(frame["data"])


@contextmanager
def follow(
    live: Live, credential: str | None, events: str = "trace_created", *, headers: Any = None, **parameters: Any
) -> Iterator[Stream]:
    sent = (bearer(credential) if credential else {}) | (headers or {})
    with (
        httpx.Client(base_url=live.url, timeout=PATIENCE_SECONDS) as client,
        client.stream("GET", "/api/v1/events", params={"events": events} | parameters, headers=sent) as response,
    ):
        assert response.status_code == 200, response.read()
        stream = Stream(response)  # held here: httpx closes the response of one that nobody holds
        yield stream


def ask(live: Live, credential: str | None, **given: Any) -> httpx.Response:
    """Return the answer of a stream that is refused."""
    headers = (bearer(credential) if credential else {}) | given.pop("headers", {})
    return httpx.get(f"{live.url}/api/v1/events", params=given, headers=headers, timeout=PATIENCE_SECONDS)


class Talk:
    """An open WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def next(self) -> dict[str, Any]:
        return json.loads(self.connection.recv(timeout=PATIENCE_SECONDS))

    def answer(self, **message: Any) -> dict[str, Any]:
        self.say(**message)
        return self.next()

    def subscribe(self, *events: str, **given: Any) -> dict[str, Any]:
        return self.answer(type="subscribe", events=list(events or ["trace_created"]), **given)


@contextmanager
def talk(live: Live, credential: str | None, path: str = "/ws", **given: Any) -> Iterator[Talk]:
    headers = bearer(credential) if credential else {}
    url = live.url.replace("http", "ws") + path
    with connect(url, additional_headers=headers, open_timeout=PATIENCE_SECONDS, proxy=None, **given) as connection:
        yield Talk(connection)
