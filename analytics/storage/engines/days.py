"""What both engines do alike with days."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from analytics.storage.engines.interface import RELATIONS

# The rows of the UTC day that parameter `day` names.
OF_DAY = "ts >= %(day)s::date::timestamp AT TIME ZONE 'UTC' AND ts < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'"


def checked(relation: str) -> str:
    """Return `relation`, whose name goes into a statement, if it is one that is kept by day."""
    if relation not in RELATIONS:
        raise ValueError(f"no days are kept of {relation}")
    return relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """Statements about days that are the same on every engine."""

    alias: str = DEFAULT_DB_ALIAS

    def drop_day(self, relation: str, day: date) -> str:
        outcome: str = self._value("SELECT observatory_drop_partition(%s, %s)", [relation, day])
        return outcome

    def rows(self, relation: str, day: date) -> int:
        counted: int = self._value(f"SELECT count(*) FROM {checked(relation)} WHERE {OF_DAY}", {"day": day})
        return counted

    def _value(self, sql: str, parameters: Any = None) -> Any:
        return self._rows(sql, parameters)[0][0]

    def _rows(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        with connections[self.alias].cursor() as cursor:
            cursor.execute(sql, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
