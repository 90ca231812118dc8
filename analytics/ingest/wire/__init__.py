"""OTLP on the wire: request bodies in, spans of one form out; replies in the request's encoding."""

from analytics.ingest.wire import otlp_json, otlp_protobuf
from analytics.ingest.wire.json_outline import Body
from analytics.ingest.wire.limits import SPAN_BYTES
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


def decode(body: Body, *, json: bool, span_bytes: int = SPAN_BYTES) -> Batch:
    """Return the spans of an ExportTraceServiceRequest; an empty body is an empty request.

    `body` is not to be changed before all spans are taken. Of spans above `span_bytes`, or with too many parts, only
    ids, times and name are decoded. Raises MalformedOtlpError when the body does not decode, here or when spans are
    taken, and 413/1209 when it has too many parts; nothing of such a body may be stored.
    """
    if not body:
        return Batch(count=0, spans=iter(()))
    if not json:
        count_of_spans, spans = otlp_protobuf.decode(body, span_bytes=span_bytes)
        return Batch(count=count_of_spans, spans=spans)
    count_of_spans, spans, known = otlp_json.decode(body, span_bytes=span_bytes)
    return Batch(count=count_of_spans, spans=spans, warning="" if known else unknown_body(otlp_json.SPANS))
