"""Rows become a Parquet file: typed columns, row groups of a step or of some megabytes, each on disk with its step."""

import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from analytics.exports.footers import MAGIC, Group, footer_of, joined, pages_of
from analytics.exports.reading import Row
from analytics.exports.writing import GZIP_LEVEL, LostError, Write
from analytics.queries.selection import Selection
from analytics.registry.fields import FieldType

ROW_GROUP_BYTES = 8_388_608  # of text, so that what is in memory has a bound whatever the rows hold
MONEY = pa.decimal128(20, 9)
TIME = pa.timestamp("us", tz="UTC")
TYPES: Mapping[FieldType, pa.DataType] = {
    FieldType.ID: pa.string(),
    FieldType.LABEL: pa.string(),
    FieldType.CONTENT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.MONEY: MONEY,
    FieldType.TIME: TIME,
    FieldType.LIST: pa.list_(pa.string()),
    FieldType.JSON: pa.string(),
    FieldType.KEY: pa.string(),
    FieldType.BOOLEAN: pa.bool_(),
}
# What is read first where that is not the type itself, and how it becomes that.
_READ_AS: Mapping[FieldType, pa.DataType] = {
    FieldType.MONEY: pa.int64(),
    FieldType.TIME: pa.int64(),
    FieldType.LIST: pa.string(),
}
_NOTE = struct.Struct(">IIQ")  # length of the footer, rows, how far the pages are moved


def _money(nanousd: pa.ChunkedArray) -> pa.ChunkedArray:
    whole = nanousd.cast(pa.decimal128(20, 0))
    return pa.chunked_array([chunk.view(MONEY) for chunk in whole.chunks], type=MONEY)


def _time(micros: pa.ChunkedArray) -> pa.ChunkedArray:
    return micros.cast(TIME)


def _list(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    encoded = texts.combine_chunks().dictionary_encode()
    lists = pa.array([orjson.loads(text) for text in encoded.dictionary.to_pylist()], type=TYPES[FieldType.LIST])
    return pa.chunked_array([lists.take(encoded.indices)])


_MADE: Mapping[FieldType, Callable[[pa.ChunkedArray], pa.ChunkedArray]] = {
    FieldType.MONEY: _money,
    FieldType.TIME: _time,
    FieldType.LIST: _list,
}


class ParquetWriter:
    """Writes each row group as a file of its own would hold it, notes its footer, and joins the footers in the end."""

    def __init__(self, write: Write, *, selection: Selection, gzip: bool, before: int, size: int, notes: Path) -> None:
        self._write, self._gzip, self._notes = write, gzip, notes
        self._kinds = [member.type for member in selection.members]
        types = [TYPES[kind] for kind in self._kinds]
        self.schema = pa.schema(
            [pa.field(member.name, kind) for member, kind in zip(selection.members, types, strict=True)]
        )
        self._reading = _reading(self._kinds)
        self._gathered: list[Row] = []
        self._size = 0
        _keep_notes(notes, before)
        self._moved = max(size - len(MAGIC), 0)
        if not before:
            write(MAGIC)

    def rows(self, rows: Sequence[Row]) -> None:
        """Gather rows; what is enough for a row group is written."""
        for row in rows:
            self._gathered.append(row)
            self._size += len(row)
            if self._size >= ROW_GROUP_BYTES:
                self._write_group()

    def end_step(self) -> None:
        """Write the rows that are left as a row group."""
        if self._gathered:
            self._write_group()

    def finish(self) -> None:
        """Write the footer."""
        self.end_step()
        groups = list(_noted(self._notes))
        self._write(joined(groups or [Group(footer=footer_of(self._file(self.schema.empty_table())), moved=0)]))

    def _write_group(self) -> None:
        table = self._table(b"".join(self._gathered))
        self._gathered, self._size = [], 0
        file = self._file(table)
        pages, footer = pages_of(file), footer_of(file)
        with self._notes.open("ab") as notes:
            notes.write(_NOTE.pack(len(footer), table.num_rows, self._moved) + footer)
            notes.flush()
            os.fsync(notes.fileno())
        self._write(pages)
        self._moved += len(pages)
        pa.default_memory_pool().release_unused()

    def _table(self, text: bytes) -> pa.Table:
        read, parse, convert = self._reading(len(text))
        raw = pa.csv.read_csv(pa.BufferReader(text), read_options=read, parse_options=parse, convert_options=convert)
        made = [_MADE.get(kind, _unchanged)(column) for kind, column in zip(self._kinds, raw.columns, strict=True)]
        return pa.Table.from_arrays(made, schema=self.schema)

    def _file(self, table: pa.Table) -> bytes:
        made = BytesIO()
        compression: dict[str, Any] = {"compression": "none"}
        if self._gzip:
            compression = {"compression": "gzip", "compression_level": GZIP_LEVEL}
        with pq.ParquetWriter(made, self.schema, **compression) as writer:
            if table.num_rows:
                writer.write_table(table, row_group_size=table.num_rows)
        return made.getvalue()


def _unchanged(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


def _reading(kinds: Sequence[FieldType]) -> Callable[[int], tuple[Any, Any, Any]]:
    """Return the options that read COPY's CSV of a length: nothing is null, two quotes are the empty text."""
    names = [str(place) for place in range(len(kinds))]
    convert = pa.csv.ConvertOptions(
        column_types={name: _READ_AS.get(kind, TYPES[kind]) for name, kind in zip(names, kinds, strict=True)},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    parse = pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    return lambda length: (
        pa.csv.ReadOptions(column_names=names, block_size=length + 1, use_threads=False),
        parse,
        convert,
    )


def _noted(notes: Path) -> Iterator[Group]:
    with notes.open("rb") as file:
        while head := file.read(_NOTE.size):
            length, _, moved = _NOTE.unpack(head)
            yield Group(footer=file.read(length), moved=moved)


def _keep_notes(notes: Path, rows: int) -> None:
    """Keep the notes of the first `rows` rows and drop those behind.

    Raises `LostError` when the notes do not tell of that many rows.
    """
    notes.touch(mode=0o600)
    with notes.open("r+b") as file:
        kept = 0
        while kept < rows and (head := file.read(_NOTE.size)):
            length, one, _ = _NOTE.unpack(head)
            kept += one
            file.seek(length, os.SEEK_CUR)
        if kept != rows:
            raise LostError(f"{notes} tells of {kept} rows, not of {rows}")
        file.truncate(file.tell())
