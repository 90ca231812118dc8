"""The formats of exports, as data: what of a span is read in which form, and what makes a file of it."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from analytics.exports import columns, reading
from analytics.exports.parquet import ParquetWriter
from analytics.exports.reading import Wire
from analytics.exports.writing import Frame, TextWriter, Write, Writer
from analytics.queries.rendering import Columns, whole
from analytics.queries.selection import Selection

COMPRESSIONS = ("none", "gzip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a writer is made with: where it writes, what of, how much is there, where notes are kept."""

    write: Write
    selection: Selection
    gzip: bool
    before: int
    size: int
    notes: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. `wraps` ones are compressed as a whole, and their names and types say so."""

    key: str
    extension: str
    media_type: str
    description: str
    wire: Wire
    columns: Callable[[Selection], Columns]
    writer: Callable[[Opening], Writer]
    wraps: bool = True

    def file_extension(self, compression: str) -> str:
        """Return the end of a file's name."""
        return f"{self.extension}.gz" if compression == "gzip" and self.wraps else self.extension

    def file_type(self, compression: str) -> str:
        """Return the media type of a file."""
        return "application/gzip" if compression == "gzip" and self.wraps else self.media_type


def _header(selection: Selection) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow([member.name for member in selection.members])
    return line.getvalue().encode()


def _csv(opening: Opening) -> Writer:
    # COPY ends its lines with LF, RFC 4180 wants CR LF.
    frame = Frame(head=_header(opening.selection), closing=b"\r\n", cut=1)
    return TextWriter(opening.write, frame, gzip=opening.gzip, before=opening.before)


_LINES = Frame(opening=b"{", closing=b"}\n")
_ARRAY = Frame(head=b"[", opening=b"\n{", closing=b"}", between=b",", tail=b"\n]\n")


def _objects(frame: Frame) -> Callable[[Opening], Writer]:
    return lambda opening: TextWriter(opening.write, frame, gzip=opening.gzip, before=opening.before)


def _parquet(opening: Opening) -> Writer:
    return ParquetWriter(opening.write, selection=opening.selection, gzip=opening.gzip, before=opening.before,
                         size=opening.size, notes=opening.notes)  # fmt: skip


FORMATS: Mapping[str, Format] = MappingProxyType({
    one.key: one
    for one in (
        Format(
            key="csv",
            extension="csv",
            media_type="text/csv",
            description="RFC 4180 with a header; lists and objects as JSON text; cells that a spreadsheet would run"
            " begin with an apostrophe.",
            wire=reading.CSV,
            columns=columns.cells,
            writer=_csv,
        ),
        Format(
            key="json",
            extension="json",
            media_type="application/json",
            description="One array of spans as the API sends them.",
            wire=reading.BINARY,
            columns=whole,
            writer=_objects(_ARRAY),
        ),
        Format(
            key="jsonl",
            extension="jsonl",
            media_type="application/x-ndjson",
            description="A span a line, as the API sends it.",
            wire=reading.BINARY,
            columns=whole,
            writer=_objects(_LINES),
        ),
        Format(
            key="parquet",
            extension="parquet",
            media_type="application/vnd.apache.parquet",
            description="Typed columns: money as decimal(20,9), times in UTC microseconds, tags as a list, documents as"
            " JSON text.",
            wire=reading.CSV,
            columns=columns.values,
            writer=_parquet,
            wraps=False,
        ),
    )
})  # fmt: skip
