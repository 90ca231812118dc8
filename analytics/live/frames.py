"""What is said to a listener besides events, in the words of its transport."""

from collections.abc import Mapping
from typing import Any, Protocol

from analytics.live.happenings import Happening
from errors.exceptions import ApiError
from errors.json import dumps


class Frames(Protocol):
    """How a transport writes things."""

    transport: str

    def event(self, event: Happening) -> str: ...

    def said(self, kind: str, members: Mapping[str, Any]) -> str:
        """Return what the service says of the stream itself: `gap`, `dropped`, `error` and the like."""

    def heartbeat(self) -> str | None:
        """Return a sign of life, `None` where the protocol below gives its own."""


class SseFrames:
    """Server-Sent Events; a heartbeat is a comment."""

    transport = "sse"

    def event(self, event: Happening) -> str:
        return event.sse()

    def said(self, kind: str, members: Mapping[str, Any]) -> str:
        return f"event: {kind}\ndata: {dumps(members).decode()}\n\n"

    def heartbeat(self) -> str:
        return ": heartbeat\n\n"


class MessageFrames:
    """Messages of a WebSocket, whose pings are heartbeats."""

    transport = "websocket"

    def event(self, event: Happening) -> str:
        return event.message()

    def said(self, kind: str, members: Mapping[str, Any]) -> str:
        return dumps({"type": kind, **members}).decode()

    def heartbeat(self) -> None:
        return None


def error_members(error: ApiError) -> dict[str, Any]:
    """Return the members of an `error`; `field` and `details` only when they say something."""
    told = {"code": error.spec.code, "message": error.message, "field": error.field, "details": error.details}
    return {name: value for name, value in told.items() if value != ""}
