"""POST /v1/traces: OTLP over HTTP, protobuf and JSON. 200 is sent after the commit."""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Any, ClassVar, Literal

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.common import caller_of
from analytics.ingest import metrics, wire
from analytics.ingest.service import receive
from analytics.ingest.span import Rejection
from analytics.ingest.unpacking import unpack
from errors.catalog import OTLP_MALFORMED, OTLP_SPANS_REJECTED, UNSUPPORTED_CONTENT_ENCODING, UNSUPPORTED_MEDIA_TYPE
from errors.exceptions import ApiError
from errors.handler import to_api_error
from errors.parsing import read_body
from errors.responses import OwnErrorResponse
from ratelimit.throttle import charge_more
from ratelimit.views import LimitedAPIView

# HTTP status -> google.rpc.Code of the reply's body.
_CONTENT_TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
RPC_CODES = {400: 3, 401: 16, 403: 7, 405: 12, 413: 3, 415: 3, 429: 8, 500: 13, 502: 14, 503: 14, 504: 4}
_MESSAGE_CHARS = 1000
_REQUEST = {"type": "object", "properties": {"resourceSpans": {"type": "array", "items": {"type": "object"}}}}
_REPLY = {
    "type": "object",
    "properties": {
        "partialSuccess": {
            "type": "object",
            "properties": {"rejectedSpans": {"type": "string"}, "errorMessage": {"type": "string"}},
        }
    },
}
_STATUS = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object"}},
    },
}


class OtlpTracesView(LimitedAPIView):
    """Takes spans of one project, which the credential decides."""

    rate_bucket: Literal["principal", "ingest"] | None = "ingest"
    permission: ClassVar[str] = "ingest:write"
    audited = None
    largest_body = settings.INGEST_MAX_BODY_BYTES

    def check_permissions(self, request: Request) -> None:
        caller_of(request).require(self.permission)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: ARG002  DRF's
        """Whatever is accepted, the reply has the request's encoding."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="otlp_traces",
        request=dict.fromkeys(_CONTENT_TYPES.values(), _REQUEST),
        responses={200: _REPLY, **dict.fromkeys(RPC_CODES, _STATUS)},
    )
    def post(self, request: Request) -> HttpResponse:
        encoding = self.encoding(request)
        gzipped, limit = _is_gzipped(request), settings.INGEST_MAX_BODY_BYTES
        body = read_body(request._request, limit=limit)  # noqa: SLF001  REST framework would parse it
        body = unpack(body, limit=limit) if gzipped else body
        with metrics.DURATION.labels(encoding).time():
            reply = _receive(request, body, json=encoding == "json")
        metrics.BYTES.labels(encoding).inc(len(body))
        metrics.REQUESTS.labels(encoding, "200").inc()
        return HttpResponse(reply, content_type=_CONTENT_TYPES[encoding])

    @staticmethod
    def encoding(request: Request) -> str:
        """Return the request's encoding; raise 415/1208 for any but the two."""
        content_type = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        for encoding, known in _CONTENT_TYPES.items():
            if content_type == known:
                return encoding
        raise ApiError(
            UNSUPPORTED_MEDIA_TYPE,
            details=f"Received: {content_type or 'none'}",
            expected=" or ".join(_CONTENT_TYPES.values()),
        )

    def handle_exception(self, exc: Exception) -> Response:
        """Answer with google.rpc.Status in the request's encoding, JSON when that is neither of the two."""
        error = to_api_error(exc)
        content_type = self.request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        encoding = "protobuf" if content_type == _CONTENT_TYPES["protobuf"] else "json"
        metrics.REQUESTS.labels(encoding, str(error.spec.status)).inc()
        details = f" ({error.details})" if error.details else ""
        return OwnErrorResponse(  # type: ignore[return-value]  # REST framework passes any HttpResponse on
            wire.encode_status(
                code=RPC_CODES.get(error.spec.status, 13),
                message=f"[{error.spec.code}] {error.message}{details}",
                json=encoding == "json",
            ),
            status=error.spec.status,
            content_type=_CONTENT_TYPES[encoding],
            headers=error.headers | {"Cache-Control": "no-store"},
        )


def _is_gzipped(request: Request) -> bool:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"gzip", "identity", ""}:
        raise ApiError(UNSUPPORTED_CONTENT_ENCODING, details=f"Received: {coding}", expected="with gzip or as it is")
    return coding == "gzip"


def _receive(request: Request, body: bytes, *, json: bool) -> bytes:
    try:
        batch = wire.decode(body, json=json)
    except wire.MalformedOtlpError as problem:
        raise ApiError(OTLP_MALFORMED, details=str(problem)) from None
    metrics.BATCH.labels("json" if json else "protobuf").observe(len(batch.spans))
    charge_more(request, max(0, ceil(len(batch.spans) / settings.INGEST_SPANS_PER_TOKEN) - 1))
    scope = caller_of(request).ingest_scope(request.headers.get("X-Project-ID"))
    received = receive(scope=scope, spans=batch.spans, received_at=timezone.now())
    rejected = received.rejected
    metrics.SPANS.labels("accepted").inc(received.stored)
    metrics.SPANS.labels("duplicate").inc(received.duplicates)
    metrics.SPANS.labels("rejected").inc(len(rejected))
    for one in rejected:
        metrics.REJECTED.labels(one.reason).inc()
    return wire.encode_response(rejected=len(rejected), message=_summary(rejected) or batch.warning, json=json)


def _summary(rejected: Sequence[Rejection]) -> str:
    if not rejected:
        return ""
    counts = Counter(one.reason for one in rejected)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return f"{OTLP_SPANS_REJECTED.code}: {reasons}. First: {rejected[0].message}"[:_MESSAGE_CHARS]
