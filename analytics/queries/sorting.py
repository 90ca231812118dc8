"""The order of a list: a column, then the key, all in one direction; rows without the column's value come last.

The key ends with the project, as two of a scope may hold spans of the same ids; within one project, where pages are
read along the primary key, it decides nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from analytics.queries.cursors import Cursor
from analytics.registry.fields import ALIASES, BY_KEY, SORT_KEYS
from analytics.scope import Scope

RELEVANCE = "relevance"
KEY = ("s.ts", "s.trace_id", "s.span_id", "s.project_id")
RANK = "s.rank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """An order by `key`: a sortable member, one of its other names, or relevance."""

    key: str = "ts"
    descending: bool = True

    @property
    def column(self) -> str | None:
        """SQL of the column that comes before the key, `None` when that is part of the key."""
        name = ALIASES.get(self.key, self.key)
        if name == RELEVANCE:
            return RANK
        sql = BY_KEY[name].octets or BY_KEY[name].sql
        return None if sql in KEY else sql

    @property
    def order(self) -> str:
        """The ORDER BY of a page."""
        direction = "DESC" if self.descending else "ASC"
        first = f"{self.column} {direction} NULLS LAST, " if self.column else ""
        return first + ", ".join(f"{column} {direction}" for column in self._key)

    @property
    def _key(self) -> tuple[str, ...]:
        name = f"s.{ALIASES.get(self.key, self.key)}"
        return (name, *(column for column in KEY if column != name)) if name in KEY else KEY

    def after(self, cursor: Cursor, scope: Scope) -> tuple[str, dict[str, Any]]:
        """Return the condition of the rows behind `cursor`, one of a list of `scope`, and its parameters."""
        conditions, given = self.behind(cursor, scope)
        return f"({' OR '.join(conditions)})", given

    def behind(self, cursor: Cursor, scope: Scope) -> tuple[list[str], dict[str, Any]]:
        """Return what `after` does, as conditions of rows of which those of the first come before those of the second.

        Either can follow an index, both in one cannot.
        """
        sign = "<" if self.descending else ">"
        given: dict[str, Any] = {
            "after_ts": cursor.ts,
            "after_trace_id": cursor.trace_id,
            "after_span_id": cursor.span_id,
            "after_project_id": sorted(scope.projects)[cursor.project],
        }
        columns = ", ".join(self._key)
        values = ", ".join(f"%({column.replace('s.', 'after_')})s" for column in self._key)
        if self.column is None:
            return [f"({columns}) {sign} ({values})"], given
        if cursor.value is None:
            return [f"({self.column} IS NULL AND ({columns}) {sign} ({values}))"], given
        given["after_value"] = cursor.value
        return [f"({self.column}, {columns}) {sign} (%(after_value)s, {values})", f"{self.column} IS NULL"], given

    def bound(self, cursor: Cursor) -> dict[str, Any]:
        """Return the bound of the range that `cursor` moves, so that partitions behind the walk are not planned for."""
        if self.key != "ts":
            return {}
        return {"end": cursor.ts + timedelta(microseconds=1)} if self.descending else {"start": cursor.ts}


SORTS: tuple[str, ...] = (*SORT_KEYS, *(name for name, key in ALIASES.items() if key in SORT_KEYS), RELEVANCE)
