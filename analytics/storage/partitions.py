"""Daily partitions: made ahead of need by the worker, on demand for spans of other days."""

from collections.abc import Iterable
from datetime import date

from django.db import connection

_known_days: set[date] = set()


def ensure_days(days: Iterable[date]) -> int:
    """Make the partitions of `days` that this process does not know to exist; return how many tables were made."""
    missing = sorted(set(days) - _known_days)
    if not missing:
        return 0
    with connection.cursor() as cursor:
        made = 0
        for day in missing:
            cursor.execute("SELECT observatory_ensure_partitions(%s, %s)", [day, day])
            made += cursor.fetchone()[0]
    _known_days.update(missing)
    return made


def forget_days() -> None:
    """Forget which partitions exist, because one that was known is gone."""
    _known_days.clear()
