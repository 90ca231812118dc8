"""Requests to stop, noticed only where the start can be taken back completely."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from observatory.supervisor.failure import StopRequested


class StopSignals:
    """Counts SIGINT, SIGTERM and SIGHUP; the last one received is `latest`."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self.latest: signal.Signals | None = None

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.latest = signal.Signals(number)
        self._arrived.set()

    def pause(self, seconds: float) -> None:
        """Sleep; raise `StopRequested` at once when a signal has arrived or arrives."""
        if self._arrived.wait(seconds):
            raise StopRequested

    def forget(self) -> None:
        """Begin to listen for a second request."""
        self._arrived.clear()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Receive the signals inside the block."""
        before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # under nohup the end of the terminal is no request
            before[number] = signal.signal(number, self)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
