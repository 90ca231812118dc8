"""The read connection: a standby of the database where there is one, else the database itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

STANDBY = "standby"


def alias() -> str:
    """Return the name of the read connection."""
    return STANDBY if STANDBY in settings.DATABASES else DEFAULT_DB_ALIAS


@contextmanager
def reading() -> Iterator[None]:
    """Send every statement of this thread to the read connection until the context ends; none of them may write.

    Whatever is read together, a version and the data that it is of, comes from one server so.
    """
    if alias() == DEFAULT_DB_ALIAS:
        yield
        return
    primary = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connections[alias()]
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = primary
