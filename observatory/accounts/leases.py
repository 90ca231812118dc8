"""Credentials that were verified a moment ago: most requests need no look-up, and none outlives a revocation."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from observatory.accounts.generation import KEY, LONGEST_SECONDS
from ratelimit.connections import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

    from observatory.accounts.principals import Principal

MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Under what a remembered principal may be used: it is confirmed by the value of `key`; else `renew` it.

    It is remembered by the `digest` of its credential, since the `era` of the memory.
    """

    digest: bytes
    generation: bytes
    era: int
    renew: "Callable[[Request], Principal]"
    key: str = KEY

    def is_confirmed_by(self, told: bytes | None) -> bool:
        """Whether `told`, the present generation as Redis has it, is that of the lease, and nothing ended it since."""
        return told == self.generation and self.era == leases.era


class Leases:
    """Principals by the digest of their credential, for a minute at most; thread-safe."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._lock = Lock()
        self.era = 0

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
        """Forget all of them; those in use right now are confirmed no more."""
        with self._lock:
            self.era += 1
            self._held.clear()


leases = Leases()
# A server that was restarted may name an old generation as the present one: nothing is used that was verified before.
tell(leases.clear)
