"""Readers of span events."""

from collections.abc import Callable, Sequence
from typing import Any

from analytics.ingest.readers import text
from analytics.ingest.vocabularies.rows import Event

_NS_PER_MS = 1_000_000


def since_start(events: Sequence[Event], start_ns: int) -> int | None:
    """Milliseconds from the span's start to the first of `events`, rounded to the nearest."""
    waited = min(event["time_ns"] for event in events) - start_ns
    return (waited + _NS_PER_MS // 2) // _NS_PER_MS if waited >= 0 else None


def happened(_events: Sequence[Event], _start_ns: int) -> bool:
    """True: there is such an event."""
    return True


def last_text(name: str) -> Callable[[Sequence[Event], int], Any]:
    """Return a reader of attribute `name` of the last event that has it: what ended the span comes last."""

    def read(events: Sequence[Event], _: int) -> str | None:
        return next((said for event in reversed(events) if (said := text(event["attributes"].get(name)))), None)

    return read
