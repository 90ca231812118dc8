"""What a stream does at the same time: it ends when one of its halves has ended."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from analytics.live.connections import Connection

Work = Coroutine[Any, Any, None]


async def first_of(*halves: Work, beside: Work | None = None, connection: Connection) -> None:
    """Run `halves` until one has ended, and what goes on `beside` them; then cancel the rest."""
    tasks = [asyncio.ensure_future(half) for half in halves]
    others = [] if beside is None else [asyncio.ensure_future(beside)]
    connection.abandon = tasks[0].cancel
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, *others):
            task.cancel()
        await asyncio.gather(*tasks, *others, return_exceptions=True)
    for task in done:
        # A transport that is gone, or was abandoned, ends a stream like one that said goodbye.
        with suppress(OSError, asyncio.CancelledError):
            task.result()
