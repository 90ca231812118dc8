"""How long a request may still take: looked at between its steps, and told to the server for its statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from errors.catalog import REQUEST_TIMEOUT
from errors.exceptions import ApiError

_ends_at: ContextVar[float | None] = ContextVar("request_ends_at", default=None)
_longest_ms: ContextVar[int | None] = ContextVar("longest_statement_ms", default=None)


@contextmanager
def ending(at: float) -> Iterator[None]:
    """Let what happens inside end `at` a moment of the monotonic clock, its statements as long as they like."""
    end, longest = _ends_at.set(at), _longest_ms.set(None)
    try:
        yield
    finally:
        _ends_at.reset(end)
        _longest_ms.reset(longest)


def limit_statements(milliseconds: int) -> None:
    """Let no statement of a snapshot take longer, until the request ends."""
    _longest_ms.set(milliseconds)


def statement_ms(longest: int | None = None) -> int | None:
    """Return how long the next statement may take, at most `longest`; `None` for as long as it likes.

    Raise 504/1800 when the request's time is over.
    """
    ends_at = _ends_at.get()
    left = None if ends_at is None else int((ends_at - monotonic()) * 1000)
    if left is not None and left <= 0:
        raise ApiError(REQUEST_TIMEOUT)
    return min((one for one in (left, longest, _longest_ms.get()) if one is not None), default=None)
