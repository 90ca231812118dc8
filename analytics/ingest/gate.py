"""Back-pressure: a process takes so many export requests at a time and tells the others to come again."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from errors.catalog import INGEST_OVERLOADED
from errors.exceptions import ApiError


class Gate:
    """Counts what is under way. It is asked before a body is read, so that those who wait hold no memory here."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0

    @contextmanager
    def passing(self, *, most: int) -> Iterator[None]:
        """Be one of at most `most` for the block; raise 503/1605 when they are that many already."""
        with self._lock:
            if self._inside >= most:
                raise ApiError(INGEST_OVERLOADED)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1


gate = Gate()
