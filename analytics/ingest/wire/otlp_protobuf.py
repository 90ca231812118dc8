"""ExportTraceServiceRequest in protobuf."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite, isnan
from typing import Any, TypeVar

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from analytics.ingest.text import clean
from analytics.ingest.wire.limits import COUNTED_BYTES, MOST_ITEMS, MOST_PARTS, UNBOUNDED, Allowance
from analytics.ingest.wire.protobuf_outline import (
    RESOURCE,
    SCOPE,
    SPAN,
    Body,
    OfScope,
    Shape,
    is_flood,
    outline,
    without_parts,
)
from analytics.ingest.wire.spans import MalformedOtlpError, RawScope, RawSpan
from errors.catalog import TOO_MANY_ITEMS
from errors.exceptions import ApiError

_MALFORMED = "The body is not an ExportTraceServiceRequest in protobuf."
# What the library says of a message in which others nest deeper than it goes.
_TOO_DEEP = "MaxDepth"


def decode(body: Body, *, span_bytes: int) -> tuple[int, Iterator[RawSpan]]:
    """Return how many spans `body` holds and the spans, each made when it is asked for.

    Raises MalformedOtlpError, here or when spans are asked for, when it is no such message or text is not UTF-8.
    """
    scopes = outline(body)
    return sum(len(of_scope.items) // 2 for of_scope in scopes), _spans(body, scopes, span_bytes)


def _spans(body: Body, scopes: Iterable[OfScope], span_bytes: int) -> Iterator[RawSpan]:
    given: bytes | None = None
    resource: dict[str, Any] = {}
    left = Allowance()
    for of_scope in scopes:
        if of_scope.resource is not given:
            given = of_scope.resource
            resource = _attributes(_shared(Resource, given, RESOURCE).attributes, left)
        instrumented = _shared(InstrumentationScope, of_scope.scope, SCOPE)
        scope = _scope(instrumented, _text(of_scope.schema_url) or _text(of_scope.resource_schema_url), left)
        size = len(of_scope.resource) + len(of_scope.scope)
        for start, end in of_scope.places():
            encoded = bytes(body[start:end])
            length = end - start
            if length > span_bytes:
                yield _span(_bare(encoded), length, resource, scope, size, left=left)
            elif length > COUNTED_BYTES and is_flood(encoded, SPAN):
                left.take_values(MOST_PARTS)
                yield _span(_bare(encoded), UNBOUNDED, resource, scope, size, left=left)
            else:
                yield _span(_whole(encoded), length, resource, scope, size, left=left)


Shared = TypeVar("Shared", Resource, InstrumentationScope)


def _shared(message: type[Shared], encoded: bytes, shape: Shape) -> Shared:
    if len(encoded) > COUNTED_BYTES and is_flood(encoded, shape):
        raise ApiError(TOO_MANY_ITEMS, limit=MOST_ITEMS)
    try:
        return message.FromString(encoded)
    except DecodeError:
        raise MalformedOtlpError(_MALFORMED) from None


def _whole(encoded: bytes) -> Span:
    try:
        return Span.FromString(encoded)
    except DecodeError as problem:
        if _TOO_DEEP not in str(problem):
            raise MalformedOtlpError(_MALFORMED) from None
    span = _bare(encoded)
    span.dropped_attributes_count = max(1, span.dropped_attributes_count)
    return span


def _bare(encoded: bytes) -> Span:
    """Return a span without attributes, events, links and status."""
    try:
        return Span.FromString(without_parts(encoded, SPAN))
    except DecodeError:
        raise MalformedOtlpError(_MALFORMED) from None


def _text(encoded: bytes) -> str:
    try:
        return clean(encoded.decode())
    except UnicodeDecodeError:
        raise MalformedOtlpError(_MALFORMED) from None


def _scope(scope: InstrumentationScope, schema_url: str, left: Allowance) -> RawScope:
    return RawScope(
        name=clean(scope.name),
        version=clean(scope.version),
        attributes=_attributes(scope.attributes, left),
        schema_url=schema_url,
    )


def _span(
    span: Span, size: int, resource: dict[str, Any], scope: RawScope, shared_size: int, *, left: Allowance
) -> RawSpan:
    status, events, links = span.status, span.events, span.links
    if events or links:
        left.take_events(len(events) + len(links))
    return RawSpan(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        clean(span.name),
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _attributes(span.attributes, left),
        [
            {
                "name": clean(event.name),
                "time_ns": event.time_unix_nano,
                "attributes": _attributes(event.attributes, left),
            }
            for event in events
        ]
        if events
        else [],
        [
            {
                "trace_id": link.trace_id.hex(),
                "span_id": link.span_id.hex(),
                "attributes": _attributes(link.attributes, left),
            }
            for link in links
        ]
        if links
        else [],
        status.code,
        clean(status.message),
        span.dropped_attributes_count,
        size,
        shared_size,
        resource,
        scope,
    )


def _attributes(pairs: Sequence[KeyValue], left: Allowance) -> dict[str, Any]:
    left.take_values(len(pairs))
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
            content = value.int_value or _value(value, left)
        found[clean(key) if "\x00" in key else key] = content
    return found


def _value(value: AnyValue, left: Allowance) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return clean(value.string_value)
    # An unset value is null; so is an index into a string table, which only profiles have.
    read = _READERS.get(kind) if kind else None
    return read(value, left) if read else None


def _double(value: AnyValue, _left: Allowance) -> Any:
    number = value.double_value
    if isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _array(value: AnyValue, left: Allowance) -> list[Any]:
    items = value.array_value.values
    left.take_values(len(items))
    return [_value(item, left) for item in items]


_READERS: dict[str, Callable[[AnyValue, Allowance], Any]] = {
    "int_value": lambda value, _left: value.int_value,
    "bool_value": lambda value, _left: value.bool_value,
    "double_value": _double,
    "bytes_value": lambda value, _left: b64encode(value.bytes_value).decode(),
    "array_value": _array,
    "kvlist_value": lambda value, left: _attributes(value.kvlist_value.values, left),
}
