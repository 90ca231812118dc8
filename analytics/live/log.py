"""The log of events, as the live process reads it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from analytics.events import KEY

AWAY = (RedisError, OSError)
START = b"0-0"
MOST_AT_ONCE = 2000
_WAIT_MS, _REPLAYED = 250, 500
_CONNECT_SECONDS = 5.0
Entry = tuple[bytes, Mapping[bytes, bytes]]


class EventLog:
    """Streams of organisations in Redis. Every method raises `RedisError` or `OSError` while Redis is away."""

    def __init__(self) -> None:
        # Longer than a read waits for events.
        wait = _CONNECT_SECONDS + _WAIT_MS / 1000
        self._redis = Redis.from_url(settings.REDIS_URL, socket_timeout=wait, socket_connect_timeout=_CONNECT_SECONDS)

    async def close(self) -> None:
        await self._redis.aclose()

    async def read(self, positions: Mapping[int, bytes], beside: str) -> tuple[dict[int, list[Entry]], bytes | None]:
        """Return what follows `positions`, by organisation, and the value that the key `beside` had after that.

        Waits a quarter of a second for something to follow.
        """
        streams: dict[Any, Any] = {_key(organisation): position for organisation, position in positions.items()}
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xread(streams, count=MOST_AT_ONCE, block=_WAIT_MS)
        pipeline.get(beside)
        found, value = await pipeline.execute()
        by_key = {_key(organisation).encode(): organisation for organisation in positions}
        return {by_key[key]: entries for key, entries in found}, value

    async def last(self, organisation: int) -> bytes:
        """Return where the log of an organisation ends."""
        entries = cast("list[Entry]", await self._redis.xrevrange(_key(organisation), count=1))
        return entries[0][0] if entries else START

    async def holds_all_since(self, organisation: int, position: str) -> bool:
        """Whether nothing after `position` is missing: it is still there itself, or none has gone since the beginning.

        Redis does not tell what it cut off last: the event right after that may be called missing, too.
        """
        key = _key(organisation)
        if await self._redis.xrange(key, min=position, max=position, count=1):
            return True
        if position != START.decode():
            return False
        try:
            info: Mapping[Any, Any] = await self._redis.xinfo_stream(key)
        except ResponseError:  # there is no log
            return True
        return bool(info["entries-added"] == info["length"])

    async def between(self, organisation: int, after: str, upto: bytes) -> AsyncIterator[Entry]:
        """Yield the entries after one position, up to and with another."""
        since = f"({after}"
        while True:
            found = await self._redis.xrange(_key(organisation), min=since, max=upto, count=_REPLAYED)
            entries = cast("list[Entry]", found)
            for one in entries:
                yield one
            if len(entries) < _REPLAYED:
                return
            since = f"({entries[-1][0].decode()}"

    async def keep(self, places: Mapping[str, Sequence[str]], *, seconds: float) -> None:
        """Hold the places of open streams, by the key that each counts under, for another while."""
        now, _ = await self._redis.time()
        pipeline = self._redis.pipeline(transaction=False)
        for key, names in places.items():
            pipeline.zadd(key, dict.fromkeys(names, now + seconds))
            pipeline.pexpire(key, int(seconds * 1000))
        await pipeline.execute()

    async def free(self, key: str, place: str) -> None:
        await self._redis.zrem(key, place)


def _key(organisation: int) -> str:
    return KEY.format(organisation_id=organisation)
