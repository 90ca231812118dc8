"""Credentials that were verified a moment ago: most requests need no look-up, and none outlives a revocation."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from observatory.accounts.generation import KEY
from ratelimit.connections import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

    from observatory.accounts.principals import Principal

LONGEST_SECONDS = 60
MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Under what a remembered principal may be used: `generation` is still the value of `key`; else `renew` it.

    It is remembered by the `digest` of its credential.
    """

    digest: bytes
    generation: bytes
    renew: "Callable[[Request], Principal]"
    key: str = KEY


class Leases:
    """Principals by the digest of their credential, for a minute at most; thread-safe."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: bytes) -> "Principal | None":
        with self._lock:
            until, principal = self._held.get(digest, (0.0, None))
            if principal is None or time.monotonic() >= until:
                return None
            self._held.move_to_end(digest)
            return principal

    def put(self, digest: bytes, principal: "Principal", *, seconds: float) -> None:
        with self._lock:
            self._held[digest] = (time.monotonic() + min(seconds, LONGEST_SECONDS), principal)
            self._held.move_to_end(digest)
            while len(self._held) > self._most:
                self._held.popitem(last=False)

    def drop(self, digest: bytes) -> None:
        with self._lock:
            self._held.pop(digest, None)

    def clear(self) -> None:
        with self._lock:
            self._held.clear()


leases = Leases()
# A server that was restarted may name an old generation as the present one: nothing is used that was verified before.
tell(leases.clear)
