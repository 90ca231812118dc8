"""Where streams are."""

from django.conf import settings

EVENTS, WEBSOCKET = "/api/v1/events", "/ws"


def addresses() -> dict[str, str]:
    """Return the addresses of both kinds of stream, as clients are told them."""
    return {"ws_url": websocket_base() + WEBSOCKET, "sse_url": settings.LIVE_BASE_URL + EVENTS}


def websocket_base() -> str:
    """Return the base address in the scheme of WebSocket."""
    base: str = settings.LIVE_BASE_URL
    return "ws" + base.removeprefix("http")
