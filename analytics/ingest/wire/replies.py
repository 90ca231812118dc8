"""What an exporter is told: an export response on success, google.rpc.Status otherwise."""

from dataclasses import dataclass

import orjson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

_VARINT_BITS = 7
_CODE_TAG, _MESSAGE_TAG = b"\x08", b"\x12"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The response of one signal: its message, and the member that counts what was rejected, in both encodings."""

    message: type[Message]
    rejected: str
    rejected_json: str


TRACES_REPLY = Reply(message=ExportTraceServiceResponse, rejected="rejected_spans", rejected_json="rejectedSpans")
METRICS_REPLY = Reply(
    message=ExportMetricsServiceResponse, rejected="rejected_data_points", rejected_json="rejectedDataPoints"
)
LOGS_REPLY = Reply(
    message=ExportLogsServiceResponse, rejected="rejected_log_records", rejected_json="rejectedLogRecords"
)


def encode_response(reply: Reply = TRACES_REPLY, *, rejected: int = 0, message: str = "", json: bool) -> bytes:
    """Return an export response.

    Without a message everything was accepted and `partial_success` stays unset; a message without rejected items is a
    warning.
    """
    told = bool(rejected or message)
    if json:
        partial = {reply.rejected_json: str(rejected), "errorMessage": message}
        return orjson.dumps({"partialSuccess": partial} if told else {})
    partial_success = {"partial_success": {reply.rejected: rejected, "error_message": message}} if told else {}
    return reply.message(**partial_success).SerializeToString()


def encode_status(*, code: int, message: str, json: bool) -> bytes:
    """Return a google.rpc.Status with the canonical `code` (0-16), `message` and no details.

    The protobuf form is written by hand: two fields do not justify a dependency (google/rpc/status.proto: int32 code
    = 1, string message = 2).
    """
    if json:
        return orjson.dumps({"code": code, "message": message, "details": []})
    text = message.encode()
    return (_CODE_TAG + _varint(code) if code else b"") + (_MESSAGE_TAG + _varint(len(text)) + text if text else b"")


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value >> _VARINT_BITS:
        octets.append(value & 0x7F | 0x80)
        value >>= _VARINT_BITS
    octets.append(value)
    return bytes(octets)
