"""Spans that another tool exported, as OTLP: what Langfuse, Phoenix and MLflow write, sent as they would have sent it.

The service knows the attribute names of all three, so the tools' own names are kept and nothing is priced here. A span
keeps its ids where they are those of OpenTelemetry; others are derived from them, always the same, so that a file that
is sent twice is stored once.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]
_TRACE_ID, _SPAN_ID = 32, 16
_ERROR = {"code": 2}


def records_of(path: Path) -> Iterator[Record]:
    """Yield the records of a file: a JSON array, `{"data": […]}`, one object, or an object a line."""
    text = path.read_text(encoding="utf-8")
    try:
        found = json.loads(text)
    except ValueError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(found, dict) and isinstance(found.get("data"), list):
        found = found["data"]
    yield from found if isinstance(found, list) else [found]


def spans_of(tool: str, records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Yield OTLP/JSON spans. Raises `ValueError` for a record that `tool` does not write."""
    read = TOOLS[tool][1]
    for number, record in enumerate(records, start=1):
        try:
            yield from read(record)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise ValueError(f"record {number} is none that {tool} writes ({problem!r})") from None


def request_of(tool: str, spans: list[dict[str, Any]]) -> bytes:
    """Return the body of an `ExportTraceServiceRequest` in JSON."""
    scope = {"scope": {"name": TOOLS[tool][0]}, "spans": spans}
    return json.dumps({"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope]}]}).encode()


def _langfuse(record: Record) -> Iterator[dict[str, Any]]:
    # Fields are camelCase in the API and snake_case in some exports.
    given = {_camel(name): value for name, value in record.items()}
    attributes = {
        "langfuse.observation.type": str(given["type"]).lower(),
        "langfuse.observation.model.name": given.get("model") or given.get("providedModelName"),
        "langfuse.observation.model.parameters": given.get("modelParameters"),
        "langfuse.observation.usage_details": given.get("usageDetails") or _usage(given.get("usage")),
        "langfuse.observation.cost_details": given.get("costDetails"),
        "langfuse.observation.input": given.get("input"),
        "langfuse.observation.output": given.get("output"),
        "langfuse.observation.prompt.name": given.get("promptName"),
        "langfuse.observation.status_message": given.get("statusMessage"),
        "langfuse.observation.completion_start_time": given.get("completionStartTime"),
        "langfuse.environment": given.get("environment"),
        "langfuse.user.id": given.get("userId"),
        "langfuse.session.id": given.get("sessionId"),
        "langfuse.trace.tags": given.get("tags"),
    }
    metadata = given.get("metadata")
    if isinstance(metadata, dict):
        attributes |= {f"langfuse.observation.metadata.{name}": value for name, value in metadata.items()}
    start = _nanoseconds(given["startTime"])
    yield _span(
        trace=given["traceId"],
        span=given["id"],
        parent=given.get("parentObservationId"),
        name=given.get("name") or given["type"],
        start=start,
        end=_nanoseconds(given["endTime"]) if given.get("endTime") else start,
        attributes=attributes,
        status=_ERROR | {"message": given.get("statusMessage") or ""} if given.get("level") == "ERROR" else {},
    )


def _usage(old: Any) -> dict[str, int] | None:
    """Return the usage that Langfuse wrote before version 3."""
    names = {
        "input": ("input", "promptTokens"),
        "output": ("output", "completionTokens"),
        "total": ("total", "totalTokens"),
    }
    given = old if isinstance(old, dict) else {}
    found = {name: given[other] for name, others in names.items() for other in others if given.get(other) is not None}
    return found or None


def _phoenix(record: Record) -> Iterator[dict[str, Any]]:
    context = record["context"]
    attributes = dict(_flat(record.get("attributes") or {}, ""))
    attributes.setdefault("openinference.span.kind", record.get("span_kind"))
    failed = str(record.get("status_code", "")).upper() == "ERROR"
    yield _span(
        trace=context["trace_id"],
        span=context["span_id"],
        parent=record.get("parent_id"),
        name=record["name"],
        start=_nanoseconds(record["start_time"]),
        end=_nanoseconds(record.get("end_time") or record["start_time"]),
        attributes=attributes,
        status=_ERROR | {"message": record.get("status_message") or ""} if failed else {},
        events=[
            {
                "name": event["name"],
                "timeUnixNano": str(_nanoseconds(event["timestamp"])),
                "attributes": _attributes(dict(_flat(event.get("attributes") or {}, ""))),
            }
            for event in record.get("events") or ()
        ],
    )


def _mlflow(record: Record) -> Iterator[dict[str, Any]]:
    told = (record.get("info") or {}).get("trace_metadata") or {}
    of_trace = {name: told[name] for name in ("mlflow.trace.session", "mlflow.trace.user") if name in told}
    for one in record["data"]["spans"]:
        status = one.get("status") or {}
        failed = str(status.get("code", "")).endswith("ERROR")
        parent = one.get("parent_span_id")
        yield _span(
            trace=_unpacked(one["trace_id"]),
            span=_unpacked(one["span_id"]),
            parent=_unpacked(parent) if parent else None,
            name=one["name"],
            start=int(one["start_time_unix_nano"]),
            end=int(one.get("end_time_unix_nano") or one["start_time_unix_nano"]),
            attributes={**one.get("attributes", {}), **of_trace},
            status=_ERROR | {"message": status.get("message") or ""} if failed else {},
        )


# How the service recognises who wrote a span, and how its records are read.
TOOLS: dict[str, tuple[str, Callable[[Record], Iterator[dict[str, Any]]]]] = {
    "langfuse": ("langfuse-sdk", _langfuse),
    "phoenix": ("openinference", _phoenix),
    "mlflow": ("mlflow", _mlflow),
}


def _span(*, trace: str, span: str, parent: str | None, name: str, start: int, end: int, **rest: Any) -> dict[str, Any]:
    return {
        "traceId": _hex(trace, _TRACE_ID),
        "spanId": _hex(span, _SPAN_ID),
        "parentSpanId": _hex(parent, _SPAN_ID) if parent else "",
        "name": name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": _attributes(rest["attributes"]),
        "status": rest["status"],
        "events": rest.get("events", []),
    }


def _hex(given: str, digits: int) -> str:
    """Return an id of OpenTelemetry: the given one where it is, else one made of it."""
    plain = given.replace("-", "").lower()
    if re.fullmatch(f"[0-9a-f]{{{digits}}}", plain) and plain.strip("0"):
        return plain
    return hashlib.sha256(given.encode()).hexdigest()[:digits]


def _unpacked(given: str) -> str:
    """Return the hexadecimal form of an id that MLflow writes in base64; other files have a text, or digits already."""
    if re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}", given):  # they could be read as base64, too
        return given
    try:
        return base64.b64decode(given, validate=True).hex()
    except (binascii.Error, ValueError):
        return given


def _nanoseconds(given: str | float) -> int:
    if isinstance(given, (int, float)):
        return int(given)
    time = datetime.fromisoformat(given)
    delta = (time if time.tzinfo else time.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield dotted names of a document; OpenInference counts in them what is a list of objects."""
    nested = isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    if isinstance(value, dict) or nested:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in items:
            yield from _flat(item, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _attributes(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in given.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
