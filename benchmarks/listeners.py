"""Many listeners in one process, which is none of the service's: `python -m benchmarks.listeners PORT`.

Reads one JSON object a line: a list of `[key, query]` opens that many streams and is answered when all are open; any
other line is answered with what has arrived since the last, by milliseconds from the log of events to here.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections import Counter

_ID = re.compile(rb"^id: (\d+)-", re.MULTILINE)
_NICENESS = 5  # listeners are elsewhere: they give way to what is measured
_OPEN_SECONDS = 60


class Listener(asyncio.Protocol):
    """One stream of Server-Sent Events, of which only the times are read."""

    def __init__(self, request: bytes, arrived: Counter[int]) -> None:
        self._request = request
        self._arrived = arrived
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            if not data.startswith(b"HTTP/1.1 200"):
                self.opened.set_exception(RuntimeError(f"A stream was answered {data[:200]!r}"))
                return
            self.opened.set_result(None)
        now = time.time_ns() // 1_000_000
        for written in _ID.findall(data):
            self._arrived[now - int(written)] += 1


async def _open(port: int, wanted: list[tuple[str, str]], arrived: Counter[int]) -> None:
    for key, query in wanted:
        request = f"GET /api/v1/events?{query} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n".encode()
        made = Listener(request, arrived)
        await asyncio.get_running_loop().create_connection(lambda made=made: made, "127.0.0.1", port)  # type: ignore[misc]  # the default binds it
        await asyncio.wait_for(made.opened, _OPEN_SECONDS)


async def main(port: int) -> None:
    """Do what the lines of the standard input say until there are none."""
    arrived: Counter[int] = Counter()
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        if isinstance(asked, list):
            await _open(port, asked, arrived)
            told: object = len(asked)
        else:
            told = dict(arrived)
            arrived.clear()
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.nice(_NICENESS)
    asyncio.run(main(int(sys.argv[1])))
