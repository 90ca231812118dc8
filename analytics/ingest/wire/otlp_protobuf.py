"""ExportTraceServiceRequest in protobuf."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from math import isfinite, isnan
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from analytics.ingest.text import clean
from analytics.ingest.wire.spans import MalformedOtlpError, RawScope, RawSpan


def decode(body: bytes | bytearray) -> tuple[int, Iterator[RawSpan]]:
    """Return how many spans `body` holds and the spans, each made when it is asked for.

    Raises MalformedOtlpError when it is no such message, or text is not UTF-8.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)  # type: ignore[arg-type]  # any buffer will do
    except DecodeError:
        raise MalformedOtlpError("The body is not an ExportTraceServiceRequest in protobuf.") from None
    count = sum(len(of_scope.spans) for of_resource in request.resource_spans for of_scope in of_resource.scope_spans)
    return count, _spans(request)


def _spans(request: ExportTraceServiceRequest) -> Iterator[RawSpan]:
    for of_resource in request.resource_spans:
        resource = _attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            scope = _scope(of_scope.scope, of_scope.schema_url or of_resource.schema_url)
            size = of_resource.resource.ByteSize() + of_scope.scope.ByteSize()
            for span in of_scope.spans:
                yield _span(span, resource, scope, size)


def _scope(scope: InstrumentationScope, schema_url: str) -> RawScope:
    return RawScope(
        name=clean(scope.name),
        version=clean(scope.version),
        attributes=_attributes(scope.attributes),
        schema_url=clean(schema_url),
    )


def _span(span: Span, resource: dict[str, Any], scope: RawScope, shared_size: int) -> RawSpan:
    status, events, links = span.status, span.events, span.links
    return RawSpan(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        clean(span.name),
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes),
        [
            {
                "name": clean(event.name),
                "time_ns": event.time_unix_nano,
                "attributes": _attributes(event.attributes),
            }
            for event in events
        ]
        if events
        else [],
        [
            {
                "trace_id": link.trace_id.hex(),
                "span_id": link.span_id.hex(),
                "attributes": _attributes(link.attributes),
            }
            for link in links
        ]
        if links
        else [],
        status.code,
        clean(status.message),
        span.dropped_attributes_count,
        span.ByteSize(),
        shared_size,
        resource,
        scope,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        key, value = pair.key, pair.value
        # Most values are texts or counts. Asking for them straight away halves the cost of an attribute: what is not
        # set, or is nothing, is the only other answer.
        content: Any = value.string_value
        if content:
            if "\x00" in content:
                content = clean(content)
        else:
            content = value.int_value or _value(value)
        found[clean(key) if "\x00" in key else key] = content
    return found


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return clean(value.string_value)
    # An unset value is null; so is an index into a string table, which only profiles have.
    read = _READERS.get(kind) if kind else None
    return read(value) if read else None


def _double(value: AnyValue) -> Any:
    number = value.double_value
    if isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


_READERS: dict[str, Callable[[AnyValue], Any]] = {
    "int_value": lambda value: value.int_value,
    "bool_value": lambda value: value.bool_value,
    "double_value": _double,
    "bytes_value": lambda value: b64encode(value.bytes_value).decode(),
    "array_value": lambda value: [_value(item) for item in value.array_value.values],
    "kvlist_value": lambda value: _attributes(value.kvlist_value.values),
}
