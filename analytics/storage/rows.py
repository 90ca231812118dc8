"""Rows of the span tables as they are copied in, and the text form that COPY reads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from errors.json import dumps

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
NULL = "\\N"


@dataclass(frozen=True, slots=True)
class Column:
    """A column and how its value is written for COPY."""

    name: str
    write: Callable[[Any], str]


def text(value: str) -> str:
    return value.translate(_ESCAPES)


def octets(value: bytes) -> str:
    return "\\\\x" + value.hex()


def number(value: int) -> str:
    return str(value)


def boolean(value: bool) -> str:
    return "t" if value else "f"


def instant(nanoseconds: int) -> str:
    """Write nanoseconds since 1970 as a UTC time; below a microsecond is cut off."""
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat()


def document(value: Any) -> str:
    return text(dumps(value).decode())


def array(values: Sequence[str]) -> str:
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return text("{" + ",".join(quoted) + "}")


def _columns(write: Callable[[Any], str], *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, write) for name in names)


KEY = (
    *_columns(number, "organisation_id", "project_id"),
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
        number,
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


def copy_lines(columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> bytes:
    """Return `rows` (column name -> value; a missing or `None` value is NULL) as one block of COPY text."""
    lines = []
    for row in rows:
        get = row.get
        lines.append(
            "\t".join(NULL if (value := get(column.name)) is None else column.write(value) for column in columns)
        )
    lines.append("")
    return "\n".join(lines).encode()
