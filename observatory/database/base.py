"""Django's PostgreSQL backend; statements are counted, timed, and logged without values when they are slow."""

from collections.abc import Callable
from datetime import UTC
from functools import lru_cache
from select import POLLIN, poll
from time import perf_counter
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.backends.postgresql import base
from prometheus_client import Counter, Histogram

from observatory import metrics
from observatory.database import identity, tenancy
from observatory.database.timestamps import UtcLoader

log = structlog.get_logger("observatory.database")
_SQL_CHARS = 500
_OPERATIONS = ("SELECT", "INSERT", "UPDATE", "DELETE", "COPY")
_LONGEST = max(map(len, _OPERATIONS))


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose statements see one tenant's rows, note changes of identities, and are measured."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The first one is the outermost.
        self.execute_wrappers += [tenancy.bound, identity.noted, measured]

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.timezone == UTC:
            connection.adapters.register_loader("timestamptz", UtcLoader)
        return connection

    def is_usable(self) -> bool:
        """Whether the connection still works; the server is asked only if it has said something unasked.

        One that has ended the connection has: its last word, or the end of the stream, waits to be read.
        """
        told = poll()
        try:
            told.register(self.connection.fileno(), POLLIN)
        except self.Database.Error:  # it was found to be lost before
            return False
        return not told.poll(0) or super().is_usable()


def measured(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement and record what kind it was, how long it took and which class of error it met."""
    queries, duration = _series_of(sql)
    started = perf_counter()
    try:
        return execute(sql, params, many, context)
    except DatabaseError as problem:
        metrics.DB_ERRORS.labels((getattr(problem.__cause__, "sqlstate", None) or "unreachable")[:2]).inc()
        raise
    finally:
        seconds = perf_counter() - started
        queries.inc()
        duration.observe(seconds)
        if seconds * 1000 > settings.SLOW_QUERY_MS:
            shown = " ".join(str(sql).split())[:_SQL_CHARS]
            log.warning("slow statement", duration_ms=round(seconds * 1000), sql=shown)


@lru_cache(maxsize=512)
def _series_of(sql: str) -> tuple[Counter, Histogram]:
    """Return the series of a statement; reading its first word costs as much as counting it."""
    first = sql.lstrip()[:_LONGEST].upper()
    return _series(next((one for one in _OPERATIONS if first.startswith(one)), "OTHER"))


@lru_cache
def _series(operation: str) -> tuple[Counter, Histogram]:
    """Return the series of an operation; looking them up by label costs more than counting."""
    return metrics.DB_QUERIES.labels(operation.lower()), metrics.DB_DURATION.labels(operation.lower())
