"""Bodies of requests as they come over the wire: whole or refused, and never waited for by every thread at once.

The server hands a request to a thread before its body has come, and a body may take for ever to come. So some threads
of a process never wait for bodies: what has none is answered however many clients send slowly.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Condition
from time import monotonic
from typing import Any, Protocol

from errors.parsing import NoPlaceError
from ratelimit.address import address_of, network_key

PATIENCE_SECONDS = 1.0
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Input(Protocol):
    """`wsgi.input` of a server: `read` returns less than was asked for only where the body ends."""

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


class Places:
    """Threads that may wait for bodies: most of a process's, of which one address has most."""

    def __init__(self, threads: int) -> None:
        self._most = max(1, threads - max(1, threads // 5))
        self._of_one = max(1, self._most - max(1, self._most // 4))
        self._changed = Condition()
        self._since: dict[object, float] = {}
        self._held: Counter[str] = Counter()

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Hold a place for the block; wait for one while those that are held are new, else raise `NoPlaceError`."""
        with self._changed:
            while len(self._since) >= self._most or self._held[address] >= self._of_one:
                patience = max(self._since.values()) + PATIENCE_SECONDS - monotonic()
                if patience <= 0 or not self._changed.wait(patience):
                    raise NoPlaceError
            place = object()
            self._since[place] = monotonic()
            self._held[address] += 1
        try:
            yield
        finally:
            with self._changed:
                del self._since[place]
                self._held[address] -= 1
                self._held += Counter()  # addresses that hold none are forgotten
                self._changed.notify_all()


class Body:
    """The body of one request. Raises `OSError` when it breaks off before its announced length."""

    def __init__(self, source: Input, length: int | None, *, places: Places, address: str) -> None:
        self._source = source
        self._left = length
        self._places = places
        self._address = address

    def read(self, size: int = -1, /) -> bytes:
        return self._take(self._source.read, size)

    def readline(self, size: int = -1, /) -> bytes:
        return self._take(self._source.readline, size, whole=False)

    def _take(self, take: Callable[[int], bytes], size: int, *, whole: bool = True) -> bytes:
        if self._left == 0:
            return b""
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        with self._places.one(self._address):
            piece = take(size)
        if self._left is not None:
            if len(piece) < (size if whole else min(size, 1)):
                raise OSError("The body broke off.")
            self._left -= len(piece)
        return piece


class WholeBodies:
    """The application, with bodies that are `Body`."""

    def __init__(self, application: Application, *, threads: int) -> None:
        self._application = application
        self._places = Places(threads)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        announced = environ.get("CONTENT_LENGTH") or ""
        length = int(announced) if announced.isdecimal() else None
        if length or "HTTP_TRANSFER_ENCODING" in environ:
            address = network_key(address_of(environ))
            environ["wsgi.input"] = Body(environ["wsgi.input"], length, places=self._places, address=address)
        return self._application(environ, start_response)
