"""Rows of the span tables as they are copied in, and the text form that COPY reads.

Columns are delimited and nulls told by control characters that hardly any text holds: a row is joined first and escaped
as a whole, which costs a third of escaping each of its sixty values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from analytics.pricing.money import dollars_text
from errors.json import dumps

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK_CHARS = 131_072
_REMEMBERED_INSTANTS = 4096
_DELIMITER, _NULL = "\x1f", "\x02"
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


@lru_cache(maxsize=_REMEMBERED_INSTANTS)  # a span's start is written for both relations, its arrival for the request
def instant(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 as a UTC time; below a microsecond is cut off."""
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat()


def document(value: Any) -> str:
    return dumps(value).decode()


def amounts(value: Mapping[str, int]) -> str:
    """Write nano-dollars by plain name as an object of dollars."""
    return "{" + ",".join([f'"{name}":{dollars_text(nanousd)}' for name, nanousd in value.items()]) + "}"


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
SPAN_COLUMNS: tuple[Column, ...] = (
    *MARKS,
    *KEY,
    *_columns(octets, "parent_span_id"),
    *_columns(instant, "ingested_at"),
    *_columns(
        str,
        "duration_ms",
        "prompt_cost_nanousd",
        "completion_cost_nanousd",
        "total_cost_nanousd",
        "reported_cost_nanousd",
        "price_id",
        "ttft_ms",
        *USAGE_PARTS,
    ),
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
        "unpriced_reason",
        "prompt_name",
        "tool_name",
        "agent_name",
        "workflow_name",
        "service_tier",
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
        "attributes",
        "resource_attributes",
        "instrumentation_scope",
        "events",
        "links",
        "mapping_sources",
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


def writer(columns: Sequence[Column]) -> Callable[[Mapping[str, Any]], str]:
    """Return the function that writes a row (a value, or `None`, for each of `columns`) as a line of COPY text."""
    values_of = itemgetter(*(column.name for column in columns))
    writes = tuple(None if column.write is text else column.write for column in columns)

    def write(row: Mapping[str, Any]) -> str:
        values = [
            value if value is None or one is None else one(value)
            for value, one in zip(values_of(row), writes, strict=True)
        ]
        return _line(values)

    return write


def _line(values: Sequence[str | None]) -> str:
    told = "".join([value for value in values if value is not None])
    if _DELIMITER in told or _NULL in told:
        return _DELIMITER.join([_NULL if value is None else value.translate(_ESCAPED) for value in values])
    line = _DELIMITER.join([_NULL if value is None else value for value in values])
    # Looking first costs a twentieth of a `str.replace` that finds nothing.
    for character, escape in _ESCAPES_OF_TEXT:
        if character in line:
            line = line.replace(character, escape)
    return line


# Both lines of a span have the same key, and hardly a backslash besides the key's.
_key = writer(KEY)
_narrow, _content = writer(SPAN_COLUMNS[len(MARKS) + len(KEY) :]), writer(CONTENT_COLUMNS[len(KEY) :])
_MARKED = {
    (usage, call): f"{boolean(usage)}{_DELIMITER}{boolean(call)}{_DELIMITER}"
    for usage in (False, True)
    for call in (False, True)
}


class SpanText(NamedTuple):
    """A span's lines for both relations, the narrow one without its marks."""

    narrow: str
    content: str

    def marked(self, marks: tuple[bool, bool]) -> str:
        """Return the whole narrow line."""
        return _MARKED[marks] + self.narrow


def span_text(row: Mapping[str, Any]) -> SpanText:
    """Return the lines of `row`, which has every name of a blank row; its marks are not looked at."""
    key = _key(row) + _DELIMITER
    return SpanText(key + _narrow(row), key + _content(row))


def blocks(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield `lines` as blocks of COPY text, each large enough to be worth its sending."""
    gathered: list[str] = []
    chars = 0
    for line in lines:
        gathered.append(line)
        chars += len(line)
        if chars > _BLOCK_CHARS:
            yield ("\n".join(gathered) + "\n").encode()
            gathered, chars = [], 0
    if gathered:
        yield ("\n".join(gathered) + "\n").encode()
