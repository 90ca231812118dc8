"""Bytes: of a span with its indexes, in row storage and in the columnstore, and of the rollups beside them."""

from collections.abc import Iterator

from django.db import connection

from analytics.registry.rollups import ROLLUPS
from analytics.storage.engines import State, engine
from benchmarks.figures import Figure
from benchmarks.filled import Filled

SPAN_TARGET, COLUMNS_TARGET, FACTOR_TARGET, ROLLUPS_TARGET = 500, 120, 5, 0.25
ROLLUPS_TARGET_FROM = 1_000_000


def of_rows(filled: Filled) -> Iterator[Figure]:
    """Yield the bytes of a span in row storage, and the share of each rollup in the bytes of the spans."""
    with filled.store.chosen():
        spans = sum(day.bytes for day in engine().days("llm_traces"))
        rollups = {rollup.table: _bytes(rollup.table) for rollup in ROLLUPS}
    yield filled.figure("span_bytes", spans / filled.what.spans, "bytes", SPAN_TARGET)
    target = ROLLUPS_TARGET if filled.what.spans >= ROLLUPS_TARGET_FROM else None
    yield filled.figure("rollups_vs_spans_bytes", sum(rollups.values()) / spans, "x", target)
    for table, size in rollups.items():
        yield filled.figure(f"{table}_vs_spans_bytes", size / spans, "x")


def of_columns(filled: Filled) -> Iterator[Figure]:
    """Yield the bytes of a span in the columnstore, and how many times fewer they are than in row storage."""
    with filled.store.chosen():
        days = [day for day in engine().days("llm_traces") if day.state is State.COLUMNS]
        spans = sum(engine().rows("llm_traces", day.day) for day in days)
    after, before = sum(day.bytes for day in days), sum(day.bytes_before or 0 for day in days)
    yield filled.figure("span_bytes.columnstore", after / spans, "bytes", COLUMNS_TARGET)
    yield filled.figure("rows_vs_columnstore_bytes", before / after, "x", FACTOR_TARGET, at_least=True)


def _bytes(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [table])
        size: int = cursor.fetchone()[0]
    return size
