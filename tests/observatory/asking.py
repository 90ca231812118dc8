"""Requests whose replies may be files, which are closed when they have been read."""

from typing import Any

from django.test import Client


def ask(path: str, *, method: str = "GET", client: Client | None = None, **options: Any) -> tuple[Any, bytes]:
    """Return the reply and all of its body."""
    reply: Any = (client or Client()).generic(method, path, **options)
    body = b"".join(reply.streaming_content) if reply.streaming else reply.content
    return reply, body
