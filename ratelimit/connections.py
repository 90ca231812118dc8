"""New connections to Redis are told of: the server behind one may know less than the one before it did.

One that was restarted, or took over, has lost what was said last.
"""

from collections.abc import Callable
from typing import Any

_told: list[Callable[[], None]] = []


def tell(listener: Callable[[], None]) -> None:
    """Call `listener` whenever a connection to Redis was opened."""
    _told.append(listener)


def opened(connection: Any) -> None:
    """Greet the server as the client does; settings name this for every connection of the cache."""
    connection.on_connect()
    for listener in _told:
        listener()
