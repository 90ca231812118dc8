"""Rows of the span tables as they are copied in, and the text form that COPY reads."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from errors.json import dumps

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS_A_BLOCK = 25
_REMEMBERED_INSTANTS = 4096
NULL = "\\N"


@dataclass(frozen=True, slots=True)
class Column:
    """A column and how its value is written for COPY."""

    name: str
    write: Callable[[Any], str]


def text(value: str) -> str:
    # Hardly any text has one of these: four searches that find nothing cost a tenth of `str.translate`.
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def octets(value: bytes) -> str:
    return "\\\\x" + value.hex()


def boolean(value: bool) -> str:
    return "t" if value else "f"


@lru_cache(maxsize=_REMEMBERED_INSTANTS)  # a span's start is written for both relations, its arrival for the request
def instant(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 as a UTC time; below a microsecond is cut off."""
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat()


def document(value: Any) -> str:
    return dumps(value).decode().replace("\\", "\\\\")  # JSON text holds no bare newline or tab


def array(values: Sequence[str]) -> str:
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return text("{" + ",".join(quoted) + "}")


def _columns(write: Callable[[Any], str], *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, write) for name in names)


KEY = (
    *_columns(str, "organisation_id", "project_id"),
    *_columns(instant, "ts"),
    *_columns(octets, "trace_id", "span_id"),
)
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
    *_columns(boolean, "usage_counted", "call_counted", "streamed"),
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
    *_columns(
        document,
        "input_messages",
        "output_messages",
        "request_parameters",
        "tools",
        "retrieval",
        "cost_breakdown",
        "attributes",
        "resource_attributes",
        "instrumentation_scope",
        "events",
        "links",
        "mapping_sources",
    ),
)
REJECTED_COLUMNS: tuple[Column, ...] = (
    *_columns(str, "organisation_id", "project_id"),
    *_columns(instant, "received_at"),
    *_columns(octets, "trace_id", "span_id"),
    *_columns(text, "span_name", "service_name", "scope_name", "reason", "message", "key_prefix", "request_id"),
)


def copy_blocks(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """Yield `rows` (column name -> value; a missing or `None` value is NULL) as blocks of COPY text.

    The server reads one block while the next is made.
    """
    writers = [(column.name, column.write) for column in columns]
    for start in range(0, len(rows), _ROWS_A_BLOCK):
        lines = []
        for row in rows[start : start + _ROWS_A_BLOCK]:
            get = row.get
            lines.append("\t".join([NULL if (value := get(name)) is None else write(value) for name, write in writers]))
        lines.append("")
        yield "\n".join(lines).encode()
