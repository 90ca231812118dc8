"""The server of the live process."""

import asyncio
import logging
import os
import resource
import socket
from contextlib import suppress

import uvicorn
from django.conf import settings

from analytics.live.websocket import LARGEST_MESSAGE
from observatory.live.application import LiveApplication

CLOSING_SECONDS = 5
_NICENESS = 4  # on a busy machine listeners wait before ingest does


class LiveServer(uvicorn.Server):
    """Ends its streams with 1001 before it closes their connections, which it would end with 1012."""

    def __init__(self, config: uvicorn.Config, application: LiveApplication) -> None:
        super().__init__(config)
        self._application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        hub = self._application.hub
        if hub is not None:
            await hub.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await hub.emptied.wait()
        await super().shutdown(sockets)


class _NotAFault(logging.Filter):
    """Keeps uvicorn from calling every refusal at a handshake an error: it says so once the refusal is sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg != "ASGI callable returned without completing handshake."


def serve(host: str, port: int, *, grace_seconds: int) -> bool:
    """Serve streams until a signal; return whether the server came up."""
    os.nice(_NICENESS)
    _take_all_descriptors()
    application = LiveApplication()
    beat = settings.STREAM_HEARTBEAT_SECONDS
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_ping_interval=beat,
        ws_ping_timeout=beat,
        ws_per_message_deflate=False,
        proxy_headers=False,  # whose address holds is decided by TRUSTED_PROXY_COUNT
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=grace_seconds,
    )
    logging.getLogger("uvicorn.error").addFilter(_NotAFault())
    server = LiveServer(config, application)
    server.run()
    return server.started


def _take_all_descriptors() -> None:
    """Take as many files as the system lets us: each stream is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
