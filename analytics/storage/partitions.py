"""Days that spans can be stored in: made ahead of need by the worker, on demand for spans of other days."""

from collections.abc import Iterable
from datetime import date

from analytics.storage.engines import engine


def ensure_days(days: Iterable[date]) -> int:
    """Make ready the `days` that this process does not know to be; return how many tables were made."""
    return engine().ensure_days(set(days))


def forget_days() -> None:
    """Forget which days are ready, because one that was known is gone."""
    engine().forget_days()
