"""Work on the network that ends in time, whatever is at its other end: a slow name server, a receiver that dribbles."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

R = TypeVar("R")


class TooLateError(Exception):
    """Work that was not done in time."""


class Deadline:
    """The sockets of a piece of work, which are shut when its time is over, so that nothing is sent any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_over = False

    def check(self) -> None:
        """Raise `TooLateError` when the time is over."""
        if self._is_over:
            raise TooLateError

    def shuts(self, sock: socket.socket) -> None:
        """Shut `sock` when the time is over; close it and raise `TooLateError` when it is already."""
        with self._lock:
            self._sockets.append(sock)
        try:
            self.check()
        except TooLateError:
            sock.close()
            raise

    def end(self) -> None:
        """The time is over."""
        with self._lock:
            self._is_over = True
            for sock in self._sockets:
                with suppress(OSError):
                    # Not the method of TLS, which takes its layer away first: what is sent then would be in the clear.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def within(seconds: float, work: Callable[[Deadline], R]) -> R:
    """Return what `work` returns; raise what it raises, and `TooLateError` after so many seconds.

    It is done in a thread of its own. Looking a name up cannot be broken off: such a thread is left to end by itself.
    """
    deadline, done = Deadline(), Future[R]()

    def run() -> None:
        try:
            done.set_result(work(deadline))
        except BaseException as problem:  # noqa: BLE001  raised again by who waits
            done.set_exception(problem)

    threading.Thread(target=run, name="within", daemon=True).start()
    try:
        return done.result(seconds)
    except TimeoutError:
        ended_by_itself = done.done()  # in time, or by a timeout of its own
        deadline.end()
        if ended_by_itself or (done.done() and done.exception() is None):  # the latter at the last moment
            return done.result()
        raise TooLateError from None
