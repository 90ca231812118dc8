"""Raw spans that are valid by default, and requests made of them in both encodings."""

from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.span import NormalSpan
from analytics.ingest.wire import RawSpan

SECOND = 1_000_000_000
# 2026-03-01T10:00:00Z
START_NS = 1_772_359_200 * SECOND
NOW_NS = START_NS + 60 * SECOND
TRACE_ID, SPAN_ID = bytes(range(1, 17)), bytes(range(1, 9))


def raw(**said: Any) -> RawSpan:
    """Return a valid span of one second; `attributes` are Python values."""
    given = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "name": "chat gpt-4o",
        "start_ns": START_NS,
        "end_ns": START_NS + SECOND,
    }
    return RawSpan(**(given | said))


def normal(attributes: dict[str, Any] | None = None, *, limits: Limits | None = None, **said: Any) -> NormalSpan:
    """Return the normal form of a valid span with `attributes`."""
    span = normalise(raw(attributes=attributes or {}, **said), limits=limits or Limits(), now_ns=NOW_NS)
    assert isinstance(span, NormalSpan), span
    return span


def protobuf_request(span: dict[str, Any], *, resource: dict[str, Any] | None = None) -> bytes:
    """Return a request of one span; `attributes` of span, events and links are Python values."""
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    _put(of_resource.resource.attributes, resource or {})
    of_scope = of_resource.scope_spans.add()
    of_scope.scope.name = "tests"
    message = of_scope.spans.add()
    for key, value in span.items():
        if key in {"events", "links"}:
            for item in value:
                added = getattr(message, key).add(**{name: part for name, part in item.items() if name != "attributes"})
                _put(added.attributes, item.get("attributes", {}))
        elif key == "attributes":
            _put(message.attributes, value)
        elif key == "status":
            message.status.code, message.status.message = value
        else:
            setattr(message, key, value)
    return request.SerializeToString()


def _put(pairs: Any, attributes: dict[str, Any]) -> None:
    for key, value in attributes.items():
        pair = pairs.add()
        pair.key = key
        _set(pair.value, value)


def _set(target: AnyValue, value: Any) -> None:
    match value:
        case bool():
            target.bool_value = value
        case int():
            target.int_value = value
        case float():
            target.double_value = value
        case bytes():
            target.bytes_value = value
        case str():
            target.string_value = value
        case list():
            target.array_value.SetInParent()
            for item in value:
                _set(target.array_value.values.add(), item)
        case dict():
            target.kvlist_value.SetInParent()
            _put(target.kvlist_value.values, value)


def json_request(span: dict[str, Any], *, resource: list[Any] | None = None) -> bytes:
    """Return a request of one span that is written exactly as given."""
    return orjson.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": resource or []},
                    "scopeSpans": [{"scope": {"name": "tests"}, "spans": [span]}],
                }
            ]
        }
    )
