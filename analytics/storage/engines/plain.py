"""Plain PostgreSQL: a range partition a day, made ahead of need and on demand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from analytics.storage.engines.days import Daily
from analytics.storage.engines.interface import NotOnThisEngineError, StoredDay

_known_days: set[date] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain(Daily):
    """The engine of a server without TimescaleDB's community functions."""

    name: ClassVar[str] = "plain"
    has_columnstore: ClassVar[bool] = False
    makes_days: ClassVar[bool] = False

    def ensure_days(self, days: Collection[date]) -> int:
        missing = sorted(set(days) - _known_days)
        made: int = sum(self._value("SELECT observatory_ensure_partitions(%s, %s)", [day, day]) for day in missing)
        _known_days.update(missing)
        return made

    def unpack_freely(self) -> None:
        """There is no columnstore."""

    def forget_days(self) -> None:
        _known_days.clear()

    def days(self, relation: str) -> list[StoredDay]:
        rows = self._rows(
            """
            SELECT to_date(right(c.relname, 8), 'YYYYMMDD'), c.oid::regclass::text, pg_total_relation_size(c.oid)
            FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = %s::regclass ORDER BY 1
            """,
            [relation],
        )
        return [StoredDay(relation=relation, day=day, table=table, bytes=size) for day, table, size in rows]

    def compress_day(self, relation: str, day: date) -> bool:  # noqa: ARG002  the interface of every engine
        raise NotOnThisEngineError("Plain PostgreSQL has no columnstore.")

    def packed_days(self, days: Collection[date]) -> set[date]:  # noqa: ARG002  the interface of every engine
        return set()
