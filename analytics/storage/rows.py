"""Rows of the span tables as they are copied in, and the text form that COPY reads.

Rows are written together, column by column: the loops over values are Python's own. Columns are delimited and nulls
told by control characters that hardly any text holds: columns are joined first and a line is escaped as a whole.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from analytics.pricing.tariffs import NANO_PER_DOLLAR
from errors.json import dumps

_BLOCK_BYTES = 131_072
_NS_PER_SECOND = 1_000_000_000
_REMEMBERED_SECONDS = 4096
_DELIMITER, _NULL = "\x1f", "\x02"
_SEPARATOR = b"\x1e"  # of documents that are written together
COPY_OPTIONS = "DELIMITER E'\\x1f', NULL E'\\x02'"
_ESCAPED = str.maketrans({
    "\\": "\\\\", "\n": "\\n", "\r": "\\r", _DELIMITER: f"\\{_DELIMITER}", _NULL: f"\\{_NULL}",
})  # fmt: skip
_ESCAPES_OF_TEXT = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column and how its value becomes text; COPY's own escapes come later."""

    name: str
    write: Callable[[Any], str]


def text(value: str) -> str:
    return value


def octets(value: bytes) -> str:
    return "\\x" + value.hex()


def boolean(value: bool) -> str:
    return "t" if value else "f"


def instant(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 as a UTC time; below a microsecond is cut off."""
    seconds, rest = divmod(nanoseconds, _NS_PER_SECOND)
    return f"{_second(seconds)}.{rest // 1000:06d}+00"


@lru_cache(maxsize=_REMEMBERED_SECONDS)  # spans of a request start within few of them
def _second(seconds: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


def document(value: Any) -> str:
    return dumps(value).decode()


def amounts(value: Mapping[str, int]) -> str:
    """Write nano-dollars by plain name, none of them negative, as an object of dollars."""
    told = [
        f'"{name}":{nanousd // NANO_PER_DOLLAR}.{nanousd % NANO_PER_DOLLAR:09d}'.rstrip("0").rstrip(".")
        for name, nanousd in value.items()
    ]
    return "{" + ",".join(told) + "}"


def array(values: Sequence[str]) -> str:
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "{" + ",".join(quoted) + "}"


def _columns(write: Callable[[Any], str], *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, write) for name in names)


KEY = (
    *_columns(str, "organisation_id", "project_id"),
    *_columns(instant, "ts"),
    *_columns(octets, "trace_id", "span_id"),
)
# The only columns that are not known before a span's trace is: they come first, and the rest of the row is ready.
MARKS = _columns(boolean, "usage_counted", "call_counted")
USAGE_PARTS = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "visible_output_tokens",
    "reasoning_tokens",
    "audio_output_tokens",
)
COSTS = ("price_id", "prompt_cost_nanousd", "completion_cost_nanousd", "total_cost_nanousd")
SPAN_COLUMNS: tuple[Column, ...] = (
    *MARKS,
    *KEY,
    *_columns(octets, "parent_span_id"),
    *_columns(instant, "ingested_at"),
    *_columns(str, "duration_ms", "reported_cost_nanousd", "ttft_ms", *USAGE_PARTS, *COSTS),
    *_columns(boolean, "streamed"),
    *_columns(
        text,
        "span_name",
        "span_kind",
        "status_code",
        "service_name",
        "operation_name",
        "provider",
        "model",
        "response_model",
        "environment",
        "user_id",
        "session_id",
        "team_id",
        "error_type",
        "finish_reason",
        "prompt_name",
        "tool_name",
        "agent_name",
        "workflow_name",
        "service_tier",
        "unpriced_reason",
    ),
)
CONTENT_COLUMNS: tuple[Column, ...] = (
    *KEY,
    *_columns(text, "response_id", "input_type", "usage_rule", "error_message", "input_text", "output_text"),
    *_columns(array, "tags", "notes"),
    *_columns(amounts, "cost_breakdown"),
    *_columns(
        document,
        "input_messages",
        "output_messages",
        "request_parameters",
        "tools",
        "retrieval",
        "mapping_sources",
        "attributes",
        "resource_attributes",
        "instrumentation_scope",
        "events",
        "links",
        "redactions",
    ),
)
REJECTED_COLUMNS: tuple[Column, ...] = (
    *_columns(str, "organisation_id", "project_id"),
    *_columns(instant, "received_at"),
    *_columns(octets, "trace_id", "span_id"),
    *_columns(text, "span_name", "service_name", "scope_name", "reason", "message", "key_prefix", "request_id"),
)


_BLANK: dict[str, Any] = dict.fromkeys(column.name for column in (*SPAN_COLUMNS, *CONTENT_COLUMNS))


def blank_row() -> dict[str, Any]:
    """Return a row to start from: every column of both relations, each null."""
    return _BLANK.copy()


Rows = Sequence[Sequence[Any]]
Write = Callable[[Any], str]


def writer(columns: Sequence[Column]) -> Callable[[Rows], list[str]]:
    """Return the function that writes rows (a value, or `None`, for each of `columns`) as lines of COPY text."""
    writes = tuple(column.write for column in columns)

    def write(rows: Rows) -> list[str]:
        if not rows:
            return []
        given = list(zip(writes, zip(*rows, strict=True), strict=True))
        if _hold_controls(given):
            return [_careful_line(writes, row) for row in rows]
        told = [_written(one, values) for one, values in given]
        return [_escaped(line) for line in map(_DELIMITER.join, zip(*told, strict=True))]

    return write


def _hold_controls(columns: Iterable[tuple[Write, Sequence[Any]]]) -> bool:
    """Whether a text has a character that stands for something else here; JSON escapes them all."""
    texts = chain.from_iterable(
        values if write is text else chain.from_iterable(filter(None, values))
        for write, values in columns
        if write is text or write is array
    )
    told = "".join(filter(None, texts))
    return _DELIMITER in told or _NULL in told


def _careful_line(writes: Sequence[Write], row: Sequence[Any]) -> str:
    """Return the line of a row each of whose values is escaped by itself."""
    return _DELIMITER.join(
        [_NULL if value is None else write(value).translate(_ESCAPED) for write, value in zip(writes, row, strict=True)]
    )


def _escaped(line: str) -> str:
    # Looking first costs a twentieth of a `str.replace` that finds nothing.
    for character, escape in _ESCAPES_OF_TEXT:
        if character in line:
            line = line.replace(character, escape)
    return line


def _written(write: Write, values: Sequence[Any]) -> Sequence[str]:
    """Return the texts of a column's values."""
    missing = values.count(None)
    if missing == len(values):
        return (_NULL,) * missing
    if missing:
        return [_NULL if value is None else write(value) for value in values]
    if write is text:
        return values
    return _documents(values) if write is document else list(map(write, values))


def _documents(values: Sequence[Any]) -> Sequence[str]:
    try:
        # Control characters are escaped in JSON, so that none of it is taken for a separator.
        return _SEPARATOR.join(map(orjson.dumps, values)).decode().split(_SEPARATOR.decode())
    except orjson.JSONEncodeError:
        return list(map(document, values))


# The columns of the narrow relation after the key, the parent and when the span arrived; those of the other after the
# key. What is before them is the same for both lines of a span, or for all spans of a request.
NARROW_COLUMNS, WIDE_COLUMNS = SPAN_COLUMNS[len(MARKS) + len(KEY) + 2 :], CONTENT_COLUMNS[len(KEY) :]
_narrow, _wide = writer(NARROW_COLUMNS), writer(WIDE_COLUMNS)
_MARKED = {
    (usage, call): f"{boolean(usage)}{_DELIMITER}{boolean(call)}{_DELIMITER}".encode()
    for usage in (False, True)
    for call in (False, True)
}


class SpanText(NamedTuple):
    """A span's lines for both relations, the narrow one without its marks.

    They are bytes, since many are held at a time: one emoji makes every character of a text four bytes long.
    """

    narrow: bytes
    content: bytes

    def marked(self, marks: tuple[bool, bool]) -> bytes:
        """Return the whole narrow line."""
        return _MARKED[marks] + self.narrow


class SpanRow(NamedTuple):
    """A span to be written; `narrow` and `wide` are its columns beside those named here, in their order."""

    ts: int
    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes | None
    narrow: Sequence[Any]
    wide: Sequence[Any]


class SpanWriter:
    """Writes the lines of a project's spans that arrived together."""

    __slots__ = ("_arrived", "_tenant")

    def __init__(self, *, organisation_id: int, project_id: int, ingested_at: int) -> None:
        self._tenant = f"{organisation_id}{_DELIMITER}{project_id}{_DELIMITER}"
        self._arrived = f"{_DELIMITER}{instant(ingested_at)}{_DELIMITER}"

    def write(self, rows: Sequence[SpanRow]) -> list[SpanText]:
        """Return the lines of spans."""
        narrow, wide = _narrow([row.narrow for row in rows]), _wide([row.wide for row in rows])
        return [self._texts(*of) for of in zip(rows, narrow, wide, strict=True)]

    def _texts(self, row: SpanRow, narrow: str, wide: str) -> SpanText:
        ts, trace_id, span_id, parent_span_id, _, _ = row
        # Nothing here has to be escaped but the backslash of octets, which is written as it will be read.
        key = f"{self._tenant}{instant(ts)}{_OCTETS}{trace_id.hex()}{_OCTETS}{span_id.hex()}"
        parent = f"{_DELIMITER}{_NULL}" if parent_span_id is None else f"{_OCTETS}{parent_span_id.hex()}"
        return SpanText(f"{key}{parent}{self._arrived}{narrow}".encode(), f"{key}{_DELIMITER}{wide}".encode())


_OCTETS = f"{_DELIMITER}\\\\x"


def span_text(row: Mapping[str, Any]) -> SpanText:
    """Return the lines of `row`, which has every name of a blank row; its marks are not looked at."""
    spans = SpanWriter(
        organisation_id=row["organisation_id"], project_id=row["project_id"], ingested_at=row["ingested_at"]
    )
    given = SpanRow(row["ts"], row["trace_id"], row["span_id"], row["parent_span_id"], _narrow_of(row), _wide_of(row))
    (told,) = spans.write([given])
    return told


_narrow_of = itemgetter(*(column.name for column in NARROW_COLUMNS))
_wide_of = itemgetter(*(column.name for column in WIDE_COLUMNS))


def blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `lines` as blocks of COPY text, each large enough to be worth its sending."""
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size > _BLOCK_BYTES:
            yield b"\n".join(gathered) + b"\n"
            gathered, size = [], 0
    if gathered:
        yield b"\n".join(gathered) + b"\n"
