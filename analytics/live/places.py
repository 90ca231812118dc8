"""How many streams a caller has open, counted in Redis over all live processes.

A place that its process does not renew ends by itself, so that a process that dies takes nobody's places along.
"""

from typing import Any

from django.conf import settings
from redis import Redis

from errors.catalog import QUOTA_EXCEEDED, REDIS_ERROR
from errors.exceptions import ApiError
from ratelimit.backend import AwayError, backend

KEEP_SECONDS, RENEW_SECONDS = 30, 10
# KEYS[1] places of a caller by when they end; ARGV: the new place, the most, seconds. Returns 1 when it was given, also
# where it was given before: a question whose answer came too late is asked again.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


def place_key(rate_key: str) -> str:
    """Return the key under which the streams of one caller count."""
    return f"llmo:streams:{rate_key}"


def take_place(rate_key: str, place: str) -> None:
    """Take one of a caller's places; raise 429/1501 when all are taken, 503/1701 while Redis is away."""

    def take(client: Redis) -> Any:
        return client.eval(_TAKE, 1, place_key(rate_key), place, settings.STREAM_MAX_CONNECTIONS, KEEP_SECONDS)

    try:
        given = backend.ask(take)
    except AwayError:
        raise ApiError(REDIS_ERROR) from None
    if not given:
        raise ApiError(QUOTA_EXCEEDED, most=settings.STREAM_MAX_CONNECTIONS, what="open streams")
