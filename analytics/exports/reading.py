"""Walking through the spans of an export: from PostgreSQL's COPY to rows of bytes, a step at a time.

A row comes with its key in front, at a fixed width, so that a step knows where it ended and nothing else of a row is
looked at.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from analytics.queries.contents import Key
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.tree import leaves
from analytics.queries.rendering import Columns
from analytics.queries.spans import Portion, Spans, walk_statement
from analytics.queries.timerange import TimeRange

Row = bytes | memoryview
Rows = list[Row]
# What stands for a row's key: the time as PostgreSQL sends it, both ids, the project; 36 octets.
_KEY = "timestamptz_send(s.ts) || s.trace_id || s.span_id || int4send(s.project_id)"
_KEY_FORM = struct.Struct(">q16s8si")
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_BLOCK_BYTES = 262_144
_LONGEST_WINDOW = timedelta(days=1)  # so that a statement is planned for few partitions
_SHORTEST_WINDOW = timedelta(milliseconds=10)
_ROOMY = 1.25  # a window is made this much longer than its share, so that one statement does for most steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A form of COPY: its options, the octets before a row's own ones, and how a row's key is read."""

    options: str
    prefix: int
    key: Callable[[Row], bytes]
    signature: bytes = b""
    header: int = 0
    end: bytes = b""


CSV = Wire(
    options="FORMAT csv",
    prefix=2 + 2 * _KEY_FORM.size + 1,  # \x, hex digits, comma
    key=lambda row: bytes.fromhex(bytes(row[2 : 2 + 2 * _KEY_FORM.size]).decode()),
)
# One text a row: two fields, the length of each before it.
BINARY = Wire(
    options="FORMAT binary",
    prefix=2 + 4 + _KEY_FORM.size + 4,
    key=lambda row: bytes(row[6 : 6 + _KEY_FORM.size]),
    signature=b"PGCOPY\n\xff\r\n\x00",
    header=19,
    end=b"\xff\xff",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What is read of each span, in which form, and between which starts there are any."""

    spans: Spans
    columns: Columns
    content: bool
    wire: Wire
    span_of_starts: TimeRange


class Pace:
    """How long a window is that holds about a step: guessed first, then learned from what windows held."""

    def __init__(self, window: timedelta) -> None:
        self.window = min(max(window, _SHORTEST_WINDOW), _LONGEST_WINDOW)

    def learn(self, *, found: int, wanted: int) -> None:
        """Take it that a window of this length held `found` rows when `wanted` were asked for."""
        factor = 2.0 if found == 0 else min(max(_ROOMY * wanted / found, 0.5), 4.0)
        self.window = min(max(self.window * factor, _SHORTEST_WINDOW), _LONGEST_WINDOW)


class Step:
    """At most `rows` spans behind `after`; once it was gone through it knows how many there were and the last key."""

    def __init__(self, walk: Walk, *, after: Key | None, rows: int, pace: Pace) -> None:
        self.walk, self.after, self.pace = walk, after, pace
        self.first: Key | None = None
        self.left = rows
        self.found = 0

    def __iter__(self) -> Iterator[Rows]:
        """Yield the rows in blocks of some hundred kilobytes."""
        where = self.walk.span_of_starts
        start = where.start if self.after is None else self.after.ts
        while self.left and start < where.end:
            end = min(start + self.pace.window, where.end)
            wanted, before = self.left, self.found
            yield from self._window(TimeRange(start=start, end=end))
            self.pace.learn(found=self.found - before, wanted=wanted)
            start = end if self.left else where.end

    def _window(self, where: TimeRange) -> Iterator[Rows]:
        walk = self.walk
        last: Row | None = None
        with connection.wrap_database_errors, connection.cursor() as cursor:
            sql, given = self._statement(where)
            with cursor.copy(sql, given) as copy:
                for block in _blocks(copy, walk.wire):
                    if self.first is None:
                        self.first = _key(walk.wire, block[0])
                    last = block[-1]
                    self.found += len(block)
                    self.left -= len(block)
                    yield [row[walk.wire.prefix :] for row in block]
        if last is not None:
            self.after = _key(walk.wire, last)

    def _statement(self, where: TimeRange) -> tuple[str, Mapping[str, Any]]:
        walk, spans = self.walk, self.walk.spans
        if any(
            leaf.operator.key == "search" for leaf in leaves(spans.filter)
        ):  # the worker may have made vectors since the window before
            spans = replace(spans, searches=searches_of(spans.filter, scope=spans.scope, where=where))
        portion = Portion(range=where, after=self.after, rows=self.left)
        what = f"{_KEY}, {walk.columns.sql}"
        sql, given = walk_statement(spans, what, content=walk.content, portion=portion)
        return f"COPY ({sql}) TO STDOUT WITH ({walk.wire.options})", {**given, **walk.columns.parameters}


def _key(wire: Wire, row: Row) -> Key:
    micros, trace_id, span_id, project = _KEY_FORM.unpack(wire.key(row))
    return Key(_POSTGRES_EPOCH + timedelta(microseconds=micros), trace_id, span_id, project)


def _blocks(copy: Any, wire: Wire) -> Iterator[Rows]:
    """Yield the rows as the server sends them, together where they are short; what frames them is left out."""
    block: Rows = []
    size = 0
    for message in copy:
        row = message
        if wire.signature:
            if row[:2] == wire.end:
                continue
            if row[: len(wire.signature)] == wire.signature:
                row = row[wire.header :]
                if not row or row[:2] == wire.end:
                    continue
        block.append(row)
        size += len(row)
        if size > _BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block
