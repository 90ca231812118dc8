"""One open stream: what waits to be sent, and what becomes of a listener that is too slow for it."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from django.conf import settings

from analytics.events import DROPPED
from analytics.live import metrics
from analytics.live.frames import Frames, error_members
from analytics.live.happenings import Happening
from analytics.live.listeners import Credential, Listener
from errors.catalog import QUOTA_EXCEEDED
from errors.exceptions import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.live.subscriptions import Subscription

# Close codes of WebSocket: those from 4000 are ours.
GOING_AWAY, OVERLOAD, TOO_BIG, MALFORMED, EXPIRED = 1001, 1013, 1009, 4400, 4401
MOST_UNREAD = 1000  # answers that were not sent yet


class Connection:
    """Holds at most `STREAM_QUEUE_EVENTS` unsent events; beyond that the oldest go, and their number is told.

    What is said of the stream itself is not dropped; a listener that leaves more than `MOST_UNREAD` of that is closed.
    `ended` is the code that it is closed with, `busy_since` when the transport was given what it has not taken yet.
    Everything here runs in the event loop.
    """

    def __init__(self, listener: Listener, *, whole: bool, credential: Credential, place: str, frames: Frames) -> None:
        self.listener = listener
        self.whole = whole  # whether it reaches all of the organisation
        self.credential = credential
        self.place = place
        self.frames = frames
        self.subscriptions: dict[str, Subscription] = {}
        self.ended: int | None = None
        self.busy_since: float | None = None
        self.abandon: Callable[[], object] = lambda: None
        self.timer: asyncio.TimerHandle | None = None
        self._most = settings.STREAM_QUEUE_EVENTS
        self._waiting: deque[Happening | str] = deque()
        self._said: list[str] = []
        self._unread = 0  # of what was said
        self._dropped = 0
        self._latest: Happening | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    def offer(self, event: Happening) -> None:
        """Queue an event, once however many subscriptions it is for."""
        if event is self._latest or self.ended is not None:
            return
        self._latest = event
        if len(self._waiting) >= self._most:
            oldest = self._waiting.popleft()
            if isinstance(oldest, str):
                self._said.append(oldest)
            else:
                self.drop(oldest)
        self._waiting.append(event)
        if self._waiter is not None:
            self._wake()

    def drop(self, event: Happening) -> None:
        """Count an event that the listener does not get; the number is told ahead of the next."""
        self._dropped += 1
        DROPPED.labels(event.type).inc()

    def say(self, kind: str, **members: Any) -> None:
        """Queue what the service says of the stream itself; who reads none of it is closed."""
        if self.ended is not None:
            return
        if self._unread >= MOST_UNREAD:
            self._said.clear()
            self._waiting = deque(one for one in self._waiting if not isinstance(one, str))
            self.end(OVERLOAD, ApiError(QUOTA_EXCEEDED, most=MOST_UNREAD, what="unread answers"))
            return
        self._unread += 1
        self._waiting.append(self.frames.said(kind, members))
        self._wake()

    def refuse(self, error: ApiError) -> None:
        self.say("error", **error_members(error))

    def beat(self) -> None:
        """Queue a sign of life where the transport has none of its own."""
        frame = self.frames.heartbeat()
        if frame is not None and not self._waiting and self.ended is None:
            self._waiting.append(frame)
            self._wake()

    def end(self, code: int, error: ApiError | None = None) -> None:
        """Send no event that waits, but count each; say `error`, and close with `code`."""
        if self.ended is None:
            for one in self._waiting:
                if not isinstance(one, str):
                    DROPPED.labels(one.type).inc()
            self._waiting = deque(one for one in self._waiting if isinstance(one, str))
            if error is not None:
                self._waiting.append(self.frames.said("error", error_members(error)))
            self.ended = code
            self._wake()
            self._room.set()

    def expire(self) -> None:
        self.end(EXPIRED, self.credential.expired())

    async def room(self) -> None:
        """Wait until what is replayed does not push out what waits."""
        await self._room.wait()

    def is_filling(self) -> bool:
        """Note, and return, whether half of the room is taken."""
        filling = self.ended is None and len(self._waiting) * 2 >= self._most
        if filling:
            self._room.clear()
        return filling

    async def next(self) -> list[str]:
        """Return all frames that wait, as soon as there is one; none when the stream has ended and all is said."""
        if not self._waiting:
            if self.ended is not None:
                return []
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        waiting, self._waiting = self._waiting, deque()
        said, self._said, self._unread = self._said, [], 0
        if self._dropped:
            said.append(self.frames.said("dropped", {"count": self._dropped}))
            self._dropped = 0
        self._room.set()
        written = self.frames.event
        events: dict[str, int] = {}
        for one in waiting:
            if isinstance(one, str):
                said.append(one)
            else:
                said.append(written(one))
                events[one.type] = events.get(one.type, 0) + 1
        for event_type, count in events.items():
            metrics.sent(event_type).inc(count)
        return said

    def _wake(self) -> None:
        """Let go on who waits for frames: a bare future is half the price of an `asyncio.Event`."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():  # it may be cancelled
            waiter.set_result(None)
