import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import redis
from django_redis import get_redis_connection

from analytics.live.log import EventLog


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    """Redis as the suite has it, empty before and after."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as opened:
        opened.flushdb()
        yield opened
        opened.flushdb()
    get_redis_connection("default").connection_pool.disconnect()


@pytest.fixture
def with_log(client: redis.Redis) -> Callable[[Callable[[EventLog], Coroutine[Any, Any, Any]]], Any]:
    """Return a function that runs what it is given with a log of events, which is closed afterwards."""

    def run(work: Callable[[EventLog], Coroutine[Any, Any, Any]]) -> Any:
        async def open_and_close() -> Any:
            log = EventLog()
            try:
                return await work(log)
            finally:
                await log.close()

        return asyncio.run(open_and_close())

    return run
