"""The generation of identities: a value in Redis that is another one after any change of who may do what.

A process remembers a verified credential together with the generation it was verified in, and asks for the present one
in the round trip of every request's charge. Where the two differ, or Redis is silent, the credential is verified anew.
"""

import secrets
import time
from threading import Lock, Thread

from redis import Redis

from ratelimit.backend import AwayError, backend

KEY = "llmo:identity"
LONGEST_SECONDS = 60  # that any process remembers a verified credential
_PAUSE_SECONDS = 0.05


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
    """Begin another generation, now or as soon as Redis answers: it may be away for this process alone."""
    if not _renewed():
        _debt.owe()


def _renewed() -> bool:
    try:
        backend.ask(lambda client: client.set(KEY, secrets.token_hex(8)))
    except AwayError:
        return False
    return True


class _Debt:
    """Changes that Redis has yet to be told of: a thread tries until it is, or nobody remembers the time before."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._changes = 0
        self._until = 0.0
        self._is_seen_to = False

    def owe(self) -> None:
        with self._lock:
            self._changes += 1
            self._until = time.monotonic() + LONGEST_SECONDS
            begin, self._is_seen_to = not self._is_seen_to, True
        if begin:
            Thread(target=self._pay, name="identity-generation", daemon=True).start()

    def _pay(self) -> None:
        while True:
            seen = self._changes
            paid = _renewed()
            with self._lock:
                if (paid and seen == self._changes) or time.monotonic() >= self._until:
                    self._is_seen_to = False
                    return
            if not paid:
                time.sleep(_PAUSE_SECONDS)


_debt = _Debt()
