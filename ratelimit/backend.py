"""The one door to Redis: an answer within the time it is given, or at once the news that there is none."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from hiredis import pack_command
from redis import Redis
from redis.connection import ConnectionInterface
from redis.exceptions import RedisError, ResponseError

from ratelimit.breaker import CircuitBreaker
from ratelimit.metrics import BACKEND_ERRORS, DEGRADED

logger = structlog.get_logger(__name__)
R = TypeVar("R")
Command = Sequence[str | bytes | int]
DEGRADED_MARK = "llmo:limiter:degraded"  # in Redis, once it is back: whoever watches the service tells of it
_MARK_SECONDS = 3600


class AwayError(Exception):
    """Redis did not answer in time, or did not a moment ago and is not asked again yet."""


class Backend:
    """Redis behind a circuit breaker.

    A call has the socket timeout of the cache, `RATE_LIMIT_TIMEOUT_MS`; a failure is counted, and followed by
    `RATE_LIMIT_RETRY_SECONDS` in which Redis is not asked and nothing waits for it.
    """

    def __init__(self, alias: str = "default") -> None:
        self._alias = alias
        self._breaker = CircuitBreaker(lambda: settings.RATE_LIMIT_RETRY_SECONDS)

    def ask(self, work: Callable[[Redis], R]) -> R:
        """Return what `work` makes of the client; raise `AwayError` when Redis does not answer."""
        if not self._breaker.admits(time.monotonic()):
            raise AwayError
        try:
            answer = work(get_redis_connection(self._alias))
        except (RedisError, OSError) as away:
            self._note_failure(away)
            raise AwayError from away
        self._note_success()
        return answer

    def _note_failure(self, away: Exception) -> None:
        self._breaker.failed(time.monotonic())
        BACKEND_ERRORS.inc()
        DEGRADED.set(1)
        logger.warning("rate_limit_backend_away", error=type(away).__name__)
        # Connections that were opened before the server went would each cost another wait after its return.
        get_redis_connection(self._alias).connection_pool.disconnect(inuse_connections=False)

    def _note_success(self) -> None:
        if self._breaker.succeeded():
            DEGRADED.set(0)
            with suppress(RedisError, OSError):
                get_redis_connection(self._alias).set(DEGRADED_MARK, int(time.time()), ex=_MARK_SECONDS)
            logger.info("rate_limit_backend_back")


def packed(commands: Iterable[Command]) -> bytes:
    """Return commands in the form in which they are sent, in one piece."""
    return b"".join(pack_command(tuple(command)) for command in commands)  # type: ignore[arg-type]  # it says: of one part


def exchange(client: Redis, commands: bytes, *, replies: int) -> list[Any]:
    """Return the replies to packed commands; refusals are among them, as `ResponseError`.

    It is no transaction. The client's own pipeline does the same at more than twice the processor time.
    """
    pool: Any = client.connection_pool
    connection = _at_hand(pool)
    if connection is None:
        connection, give_back = pool.get_connection(), pool.release
    else:
        give_back = pool._available_connections.append  # noqa: SLF001  as below
    try:
        connection.send_packed_command([commands])
        return [_reply(connection) for _ in range(replies)]
    finally:
        give_back(connection)


def _at_hand(pool: Any) -> ConnectionInterface | None:
    """Take a connection that is open and has nothing unread: the last word of a server that went would be.

    The pool's own ways of lending one keep books that cost as much as the exchange.
    """
    if pool.pid != os.getpid():
        return None
    try:
        connection: ConnectionInterface = pool._available_connections.pop()  # noqa: SLF001  as it says
    except (AttributeError, IndexError):  # a pool of another kind, or all are in use
        return None
    with suppress(RedisError, OSError):
        if connection.is_connected and not connection.can_read():
            return connection
    connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py has no types for it
    pool._available_connections.append(connection)  # noqa: SLF001  the pool opens it again
    return None


def _reply(connection: ConnectionInterface) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refused:
        return refused


backend = Backend()
