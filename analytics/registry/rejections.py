"""Why ingest sets a span aside, and what that means for who sent it."""

from collections.abc import Mapping
from types import MappingProxyType

MALFORMED_REQUEST = "malformed_request"
# Reason -> when it is met, and the cure.
REASONS: Mapping[str, str] = MappingProxyType({
    "invalid_trace_id": "The trace id is not 16 bytes, or all zero. In JSON it is 32 hex digits, not base64.",
    "invalid_span_id": "The span id is not 8 bytes, or all zero. In JSON it is 16 hex digits, not base64.",
    "missing_start_time": "The start is 0 or missing.",
    "end_before_start": "The span has no end, or ends before it starts. Export spans after they have ended.",
    "too_old": "The span started longer ago than spans are kept (`RETENTION_SPANS_DAYS`).",
    "in_future": "The span starts further ahead than `INGEST_MAX_FUTURE_SECONDS`. Set the sender's clock.",
    "too_large": "The span is above `INGEST_MAX_SPAN_BYTES` encoded, or of 100,000 parts. Limit attributes and events.",
    "too_many_attributes": "The span has more than `INGEST_MAX_ATTRIBUTES` attributes. Limit their number.",
    MALFORMED_REQUEST: "The whole request was refused with 400 or 413: one entry, without ids. Check the exporter.",
})  # fmt: skip
