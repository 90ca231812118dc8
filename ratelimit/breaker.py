"""After a failure one caller at a time finds out whether the other side is back."""

from collections.abc import Callable
from threading import Lock


class CircuitBreaker:
    """Closed until a failure; then lets one try pass every `pause_seconds()` until one succeeds. Thread-safe."""

    def __init__(self, pause_seconds: Callable[[], float]) -> None:
        self._pause_seconds = pause_seconds
        self._lock = Lock()
        self._next_try: float | None = None

    def admits(self, now: float) -> bool:
        """Return whether a call may be tried at `now`, monotonic seconds; while open one caller gets the try."""
        if self._next_try is None:
            return True
        with self._lock:
            if self._next_try is not None and now < self._next_try:
                return False
            self._next_try = now + self._pause_seconds()
            return True

    def failed(self, now: float) -> None:
        with self._lock:
            self._next_try = now + self._pause_seconds()

    def succeeded(self) -> bool:
        """Close the breaker; return whether it was open."""
        if self._next_try is None:
            return False
        with self._lock:
            self._next_try = None
        return True
