"""The generation of identities: a value in Redis that is another one after any change of who may do what.

A process remembers a verified credential together with the generation it was verified in, and asks for the present one
in the round trip of every request's charge. Where the two differ, or Redis is silent, the credential is verified anew.
"""

import secrets
from contextlib import suppress

from redis import Redis

from ratelimit.backend import AwayError, backend

KEY = "llmo:identity"


def current() -> bytes | None:
    """Return the present generation, begun when there is none; `None` while Redis is away."""

    def read(client: Redis) -> bytes:
        client.set(KEY, secrets.token_hex(8), nx=True)
        return client.get(KEY)  # type: ignore[return-value]  # not the awaitable one

    try:
        return backend.ask(read)
    except AwayError:
        return None


def renew() -> None:
    """Begin another generation."""
    with suppress(AwayError):
        backend.ask(lambda client: client.set(KEY, secrets.token_hex(8)))
