"""Instants that the server tells, read as the texts that they nearly always are."""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import BaseTzLoader


class UtcLoader(BaseTzLoader):  # type: ignore[misc]  # the stubs do not know it
    """Loads `timestamptz` on a connection whose time is UTC; what is written in another way goes Django's.

    Its regular expression and its arithmetic of offsets take 5 us for each value, a third of what a row of figures may.
    """

    timezone = UTC

    def load(self, data: Any) -> datetime:
        text = bytes(data)
        if text.endswith(b"+00"):
            try:
                return datetime.fromisoformat(text.decode("ascii"))
            except ValueError:  # a year that Python has not
                pass
        told: datetime = super().load(data)
        return told
