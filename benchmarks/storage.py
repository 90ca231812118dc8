"""The storage under months of spans: dashboards, traces by id, bytes, and what fresh rollups cost, on each engine."""

from collections.abc import Iterator
from itertools import pairwise

from benchmarks import continuous, dashboards, keeping, layout, lookups
from benchmarks.figures import Figure
from benchmarks.filled import Filled, filled, in_columns, scratch
from benchmarks.run import Run
from benchmarks.stores import Server


def measure(run: Run) -> Iterator[Figure]:
    """Yield the figures of every engine and size as they are found; sizes are compared with the next smaller ones."""
    for server in run.servers:
        yield from _of_engine(server, sorted(run.sizes))


def _of_engine(server: Server, sizes: list[int]) -> Iterator[Figure]:
    stores = [filled(server, spans) for spans in sizes]
    for rows in stores:
        yield from _of_layout(rows)
        yield from layout.of_rows(rows)
        with scratch(server) as empty:
            yield from keeping.refreshing(rows, empty)
    with scratch(server) as empty:
        yield from keeping.lagging(stores[-1], empty)
    yield from _growth(stores)
    if server.engine == "timescaledb":
        packed = [in_columns(server, rows) for rows in stores]
        for rows, columns in zip(stores, packed, strict=True):
            yield from _of_layout(columns)
            yield from layout.of_columns(columns)
            yield from dashboards.columns_against_rows(columns, rows)
        yield from _growth(packed)
        if stores[0].what.spans <= continuous.MOST_SPANS:
            yield from continuous.beside_table(server, stores[0])


def _of_layout(one: Filled) -> Iterator[Figure]:
    yield from dashboards.against_spans(one)
    yield from lookups.by_id(one)


def _growth(stores: list[Filled]) -> Iterator[Figure]:
    for smaller, larger in pairwise(stores):
        yield from dashboards.growth(smaller, larger)
