"""Many listeners in one process, which is none of the service's: `python -m benchmarks.listeners PORT`.

Reads one JSON object a line: a list of `[key, query]` opens that many streams and is answered when all are open; any
other line is answered with what has arrived since the last, by milliseconds from the log of events to here.

Listeners are elsewhere in life, so that these do as little as they can: what they take of the processors is lost to
the service that is measured.
"""

import json
import os
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence

_ID = b"\nid: "  # each chunk begins with a line of its own; a pattern takes five times as long as a split
_OPENED = b"retry: "
_NICENESS = 5  # they give way to what is measured
_OPEN_SECONDS = 60
_MOST_BYTES = 262_144


def _opened(port: int, key: str, query: str) -> socket.socket:
    """Return the connection of an open stream of Server-Sent Events."""
    stream = socket.create_connection(("127.0.0.1", port), timeout=_OPEN_SECONDS)
    stream.sendall(f"GET /api/v1/events?{query} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n".encode())
    begin = b""
    while _OPENED not in begin:
        more = stream.recv(_MOST_BYTES)
        begin += more
        if not more or not begin.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"A stream was answered {begin[:200]!r}")
    stream.setblocking(False)
    return stream


class Listeners:
    """Streams of which only the times of their events are read."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._arrived: Counter[int] = Counter()
        self._ready = selectors.DefaultSelector()
        self._ready.register(sys.stdin, selectors.EVENT_READ)

    def listen(self) -> None:
        """Do what the lines of the standard input say until there are none."""
        while True:
            for key, _ in self._ready.select():
                if isinstance(key.fileobj, socket.socket):
                    self._read(key.fileobj)
                elif line := sys.stdin.readline():
                    sys.stdout.write(json.dumps(self._answer(json.loads(line))) + "\n")
                    sys.stdout.flush()
                else:
                    return

    def _read(self, stream: socket.socket) -> None:
        data = stream.recv(_MOST_BYTES)
        if not data:
            raise RuntimeError("A stream has ended.")
        now = time.time_ns() // 1_000_000
        for event in data.split(_ID)[1:]:
            self._arrived[now - int(event.partition(b"-")[0])] += 1

    def _answer(self, asked: Sequence[tuple[str, str]] | str) -> object:
        if isinstance(asked, str):
            told, self._arrived = dict(self._arrived), Counter()
            return told
        for key, query in asked:
            self._ready.register(_opened(self._port, key, query), selectors.EVENT_READ)
        return len(asked)


if __name__ == "__main__":
    os.nice(_NICENESS)
    Listeners(int(sys.argv[1])).listen()
