"""Databases that are filled for a benchmark: what is in them, and which of an engine's layouts they have."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from analytics.storage.engines.compression import compress_due
from benchmarks.figures import Figure
from benchmarks.loading import Loaded, load, tidy
from benchmarks.stores import Server, Store

CONTENT_SPANS = 500_000
JUDGED_FROM = 1_000_000  # fewer spans in a month say how it is done, not how it goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A store with its spans; `layout` is `rows`, or `columns` where older days are in the columnstore."""

    store: Store
    what: Loaded
    layout: str = "rows"

    def figure(
        self, name: str, value: float, unit: str, target: float | None = None, *, at_least: bool = False
    ) -> Figure:
        """Return a figure of this store; a figure of its columnstore is named for it."""
        of_columns = self.layout == "columns" and "columnstore" not in name
        return Figure(
            figure=f"storage.{name}{'.columnstore' if of_columns else ''}",
            value=value,
            unit=unit,
            rows=self.what.spans,
            target=target if self.what.spans >= JUDGED_FROM else None,
            direction="at_least" if at_least else "at_most",
            engine=self.store.engine,
        )


def filled(server: Server, spans: int) -> Filled:
    """Return the store of `spans` spans in row storage, loaded unless an earlier run did."""
    store = server.store(f"bench_{spans}")
    with store.chosen():
        content = min(spans, CONTENT_SPANS)
        what = load(spans=spans, content=content, today=_yesterday(), report=lambda line: _say(store, line))
    return Filled(store=store, what=what)


def in_columns(server: Server, rows: Filled) -> Filled:
    """Return a copy of a store whose days are in the columnstore once they are a week old, as the worker does it."""
    store = server.copy(rows.store, name=f"{rows.store.name}_columns")
    with store.chosen():
        packed = compress_due(today=rows.what.end.date(), report=lambda one: _say(store, f"{one.left} days to pack"))
        if packed:
            tidy()
    return Filled(store=store, what=rows.what, layout="columns")


@contextmanager
def scratch(server: Server) -> Iterator[Store]:
    """Give an empty store, which is dropped afterwards."""
    store = server.store("bench_scratch")
    try:
        yield store
    finally:
        server.drop(store)


def _yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def _say(store: Store, line: str) -> None:
    sys.stderr.write(f"{store.engine} {store.name}: {line}\n")
    sys.stderr.flush()
