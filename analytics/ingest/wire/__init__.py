"""OTLP on the wire: request bodies in, spans of one form out; replies in the request's encoding."""

from analytics.ingest.wire import otlp_json, otlp_protobuf
from analytics.ingest.wire.replies import TRACES_REPLY, Reply, encode_response, encode_status
from analytics.ingest.wire.spans import Batch, MalformedOtlpError, RawScope, RawSpan, unknown_body
from analytics.ingest.wire.unstored import LOGS, METRICS, Unstored, count

__all__ = [
    "LOGS",
    "METRICS",
    "TRACES_REPLY",
    "Batch",
    "MalformedOtlpError",
    "RawScope",
    "RawSpan",
    "Reply",
    "Unstored",
    "count",
    "decode",
    "encode_response",
    "encode_status",
]


def decode(body: bytes | bytearray, *, json: bool) -> Batch:
    """Return the spans of an ExportTraceServiceRequest; an empty body is an empty request.

    Raises MalformedOtlpError when the body does not decode, here or when spans are taken; nothing of such a body may
    be stored.
    """
    if not body:
        return Batch(count=0, spans=iter(()))
    if not json:
        count_of_spans, spans = otlp_protobuf.decode(body)
        return Batch(count=count_of_spans, spans=spans)
    count_of_spans, spans, known = otlp_json.decode(body)
    return Batch(count=count_of_spans, spans=spans, warning="" if known else unknown_body(otlp_json.SPANS))
