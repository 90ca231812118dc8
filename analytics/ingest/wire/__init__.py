"""OTLP on the wire: request bodies in, spans of one form out; replies in the request's encoding."""

from analytics.ingest.wire import otlp_json, otlp_protobuf
from analytics.ingest.wire.replies import encode_response, encode_status
from analytics.ingest.wire.spans import Batch, MalformedOtlpError, RawScope, RawSpan

__all__ = [
    "Batch",
    "MalformedOtlpError",
    "RawScope",
    "RawSpan",
    "decode",
    "encode_response",
    "encode_status",
]

NOTHING_KNOWN = "The body has no `resourceSpans`: nothing was stored. Names in OTLP/JSON are lowerCamelCase."


def decode(body: bytes, *, json: bool) -> Batch:
    """Return the spans of an ExportTraceServiceRequest; an empty body is an empty request.

    Raises MalformedOtlpError when the body does not decode; nothing of such a body may be stored.
    """
    if not body:
        return Batch(spans=[])
    if not json:
        return Batch(spans=otlp_protobuf.decode(body))
    spans, known = otlp_json.decode(body)
    return Batch(spans=spans, warning="" if known else NOTHING_KNOWN)
