"""Rendered replies and sampled versions in Redis. Nothing here fails a request: without Redis there is no cache."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from redis import Redis

from analytics.api.caching.entries import Entry
from analytics.storage.versions import RangeVersion
from ratelimit.backend import AwayError, backend

Outcome = Literal["hit", "miss", "redis", "size", "asked", "page", "never"]
# Gives a lock up only if it is still one's own.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A reply and how it was come by: found, made and kept, or made and not kept, for the reason that is named.

    Those are: Redis is away, it is too large, the client asked for it, it is a later page, the route never keeps any.
    """

    entry: Entry
    outcome: Outcome


def read(key: str) -> bytes | None:
    """Return what is kept under `key`."""
    try:
        return backend.ask(lambda client: client.get(key))  # type: ignore[return-value]  # not the awaitable one
    except AwayError:
        return None


def sampled(key: str, *, known: bytes | None, exact: Callable[[], RangeVersion]) -> RangeVersion:
    """Return the version of an open range, taken by one reader every `CACHE_OPEN_SECONDS` and shared by all."""
    if known is not None:
        return RangeVersion.read(known)
    version = exact()
    try:
        kept = backend.ask(lambda client: _keep_first(client, key, version.as_bytes()))
    except AwayError:
        return version
    return version if kept is None else RangeVersion.read(kept)


def _keep_first(client: Redis, key: str, value: bytes) -> bytes | None:
    """Keep a version unless another was kept meanwhile, which is everybody's then; return what is kept."""
    pipeline = client.pipeline(transaction=False)
    pipeline.set(key, value, nx=True, px=settings.CACHE_OPEN_SECONDS * 1000)
    pipeline.get(key)
    kept: bytes | None = pipeline.execute()[1]
    return kept


def once(key: str, *, version: str, ttl: int, make: Callable[[], Entry]) -> Kept:
    """Return the reply of `version`: made by one request while the others wait for it, each by itself in the end."""
    lock, mine = f"{key}:lock", secrets.token_hex(8)
    deadline, pause = time.monotonic() + settings.CACHE_WAIT_SECONDS, _PAUSE_SECONDS
    try:
        while True:
            acquired, stored = backend.ask(lambda client: _join(client, key, lock, mine))
            if (entry := Entry.read(stored, version=version)) is not None:
                if acquired:
                    _release(lock, mine)
                return Kept(entry=entry, outcome="hit")
            if acquired or time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    except AwayError:
        return Kept(entry=make(), outcome="redis")
    try:
        entry = make()
        return Kept(entry=entry, outcome=_keep(key, entry, ttl=ttl))
    finally:
        _release(lock, mine)


def _join(client: Redis, key: str, lock: str, mine: str) -> tuple[bool, bytes | None]:
    pipeline = client.pipeline(transaction=False)
    pipeline.set(lock, mine, nx=True, px=settings.CACHE_LOCK_SECONDS * 1000)
    pipeline.get(key)
    acquired, stored = pipeline.execute()
    return bool(acquired), stored


def _keep(key: str, entry: Entry, *, ttl: int) -> Outcome:
    if len(entry.body) > settings.CACHE_MAX_ENTRY_BYTES:
        return "size"
    stored = entry.as_bytes()
    try:
        backend.ask(lambda client: client.set(key, stored, ex=ttl))
    except AwayError:
        return "redis"
    return "miss"


def _release(lock: str, mine: str) -> None:
    def release(client: Redis) -> Any:
        return client.eval(_RELEASE, 1, lock, mine)

    with suppress(AwayError):
        backend.ask(release)
