"""What the rest of the storage asks of an engine."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

# The relations that are kept by UTC day: rows of numbers, and the wide content beside them.
RELATIONS = ("llm_traces", "llm_contents")


class State(StrEnum):
    """Where the rows of a day are: in row storage, in the columnstore, or in both since some came late."""

    ROWS = "rows"
    COLUMNS = "columns"
    BOTH = "both"


class NotOnThisEngineError(Exception):
    """The engine cannot do what is asked; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDay:
    """One UTC day of a relation: its table, its bytes with indexes, and how its rows are stored.

    `bytes_before` is what the rows in the columnstore took before, `None` where there are none.
    """

    relation: str
    day: date
    table: str
    bytes: int
    state: State = State.ROWS
    bytes_before: int | None = None


class Engine(Protocol):
    """An engine on one connection; days are UTC days of one of `RELATIONS`."""

    @property
    def name(self) -> str:
        """`plain` or `timescaledb`."""
        ...

    @property
    def has_columnstore(self) -> bool:
        """Whether days can be kept by column."""
        ...

    @property
    def makes_days(self) -> bool:
        """Whether a day is made ready by the first row of it; else it must be made before."""
        ...

    def ensure_days(self, days: Collection[date]) -> int:
        """Make ready for spans of those `days` that are not known to be; return how many tables were made."""
        ...

    def unpack_freely(self) -> None:
        """Let the open transaction change as many rows of a columnstore as it needs: servers limit that."""
        ...

    def forget_days(self) -> None:
        """Forget which days are ready, because one that was known is gone."""
        ...

    def days(self, relation: str) -> list[StoredDay]:
        """Return the stored days of a relation, oldest first."""
        ...

    def drop_day(self, relation: str, day: date) -> str:
        """Drop a whole day and free its disk at once: `dropped`, or why not: `missing`, `held`, `marked`."""
        ...

    def compress_day(self, relation: str, day: date) -> bool:
        """Move a day into the columnstore, or what came late to it; return whether the day is there.

        Raises `NotOnThisEngineError` on an engine without one.
        """
        ...

    def packed_days(self, days: Collection[date]) -> set[date]:
        """Return those of `days` of which a relation is, at least in part, in a columnstore."""
        ...

    def rows(self, relation: str, day: date) -> int:
        """Count the spans of a day."""
        ...
