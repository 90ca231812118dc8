"""What an exporter is told: ExportTraceServiceResponse on success, google.rpc.Status otherwise."""

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

_VARINT_BITS = 7
_CODE_TAG, _MESSAGE_TAG = b"\x08", b"\x12"


def encode_response(*, rejected: int = 0, message: str = "", json: bool) -> bytes:
    """Return an ExportTraceServiceResponse.

    Without a message everything was accepted and `partial_success` stays unset; a message without rejected spans is a
    warning.
    """
    if json:
        partial = {"rejectedSpans": str(rejected), "errorMessage": message}
        return orjson.dumps({"partialSuccess": partial} if rejected or message else {})
    response = ExportTraceServiceResponse()
    if rejected or message:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = message
    return response.SerializeToString()


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
