"""OTLP over HTTP, protobuf and JSON: spans are stored, and 200 is sent after the commit; metrics and logs are not."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeVar

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.common import caller_of
from analytics.ingest import metrics, wire
from analytics.ingest.gate import gate
from analytics.ingest.service import Sender, receive, refuse
from analytics.ingest.span import Rejection
from analytics.ingest.unpacking import gather, unpack
from analytics.queries import positions
from analytics.scope import Scope
from analytics.storage.positions import written
from errors.catalog import (
    CONCURRENCY_CONFLICT,
    DATABASE_CONSTRAINT_VIOLATION,
    DATABASE_ERROR,
    DUPLICATE_KEY,
    INTERNAL_SERVER_ERROR,
    OTLP_MALFORMED,
    OTLP_SPANS_REJECTED,
    UNSUPPORTED_CONTENT_ENCODING,
    UNSUPPORTED_MEDIA_TYPE,
)
from errors.envelope import request_id
from errors.exceptions import ApiError
from errors.handler import to_api_error
from errors.parsing import body_pieces
from errors.responses import OwnErrorResponse
from errors.specs import ErrorSpec
from ratelimit.throttle import charge_more
from ratelimit.views import LimitedAPIView

Post = TypeVar("Post", bound=Callable[..., HttpResponse])
log = structlog.get_logger(__name__)
_CONTENT_TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
# HTTP status -> google.rpc.Code of the reply's body.
RPC_CODES = {400: 3, 401: 16, 403: 7, 405: 12, 413: 3, 415: 3, 429: 8, 500: 13, 502: 14, 503: 14, 504: 4}
# An exporter repeats a request after these and no other.
RETRYABLE = frozenset({429, 502, 503, 504})
# What the status of another route would tell an exporter wrongly: writers that gave way come again, faults do not.
_INSTEAD: Mapping[int, ErrorSpec] = MappingProxyType({
    CONCURRENCY_CONFLICT.code: DATABASE_ERROR,
    DUPLICATE_KEY.code: INTERNAL_SERVER_ERROR,
    DATABASE_CONSTRAINT_VIOLATION.code: INTERNAL_SERVER_ERROR,
})  # fmt: skip
_REFUSED_WHOLE = frozenset({400, 413})
NOT_STORED = "not stored by this service"
POSITION = "X-Ingest-Position"
_MESSAGE_CHARS = 1000
_STATUS = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object"}},
    },
}

_BINARY = {"type": "string", "format": "binary"}


def _request(resources: str) -> dict[str, Any]:
    return {"type": "object", "properties": {resources: {"type": "array", "items": {"type": "object"}}}}


def _response(reply: wire.Reply) -> dict[str, Any]:
    told = {reply.rejected_json: {"type": "string"}, "errorMessage": {"type": "string"}}
    return {"type": "object", "properties": {"partialSuccess": {"type": "object", "properties": told}}}


def _schema(operation: str, resources: str, reply: wire.Reply) -> Callable[[Post], Post]:
    documented: Callable[[Post], Post] = extend_schema(
        operation_id=operation,
        request=dict.fromkeys(_CONTENT_TYPES.values(), _request(resources)),
        # Answered in the encoding of the request.
        responses={
            (status, content_type): shown if content_type == _CONTENT_TYPES["json"] else _BINARY
            for status, shown in ((200, _response(reply)), *((code, _STATUS) for code in RPC_CODES))
            for content_type in _CONTENT_TYPES.values()
        },
    )
    return documented


class OtlpView(LimitedAPIView):
    """Takes one signal of one project, which the credential decides."""

    rate_bucket: Literal["principal", "ingest"] | None = "ingest"
    permission: ClassVar[str] = "ingest:write"
    audited = None
    largest_body = settings.INGEST_MAX_BODY_BYTES
    expected: ClassVar[str]

    def take(self, request: Request, scope: Scope, body: bytearray, *, json: bool) -> tuple[bytes, int]:
        """Return the reply to a body and the position up to which it is stored; raise MalformedOtlpError."""
        raise NotImplementedError

    def check_permissions(self, request: Request) -> None:
        caller_of(request).require(self.permission)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: ARG002  DRF's
        """Whatever is accepted, the reply has the request's encoding."""
        return super().perform_content_negotiation(request, force=True)

    def post(self, request: Request) -> HttpResponse:
        encoding = self.encoding(request)
        gzipped = _is_gzipped(request)
        scope = _scope(request)
        with gate.passing(most=settings.INGEST_MAX_CONCURRENCY):
            try:
                body = _body(request, gzipped=gzipped)
                metrics.BYTES.labels(encoding).inc(len(body))
                with metrics.DURATION.labels(encoding).time():
                    reply, position = self.take(request, scope, body, json=encoding == "json")
            except wire.MalformedOtlpError as problem:
                raise ApiError(OTLP_MALFORMED, details=str(problem), expected=self.expected) from None
        metrics.REQUESTS.labels(encoding, "200").inc()
        told = {POSITION: positions.encode(position, key=settings.SECRET_KEY)}
        return HttpResponse(reply, content_type=_CONTENT_TYPES[encoding], headers=told)

    @staticmethod
    def encoding(request: Request) -> str:
        """Return the request's encoding; raise 415/1208 for any but the two."""
        content_type = _content_type(request)
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
        if (instead := _INSTEAD.get(error.spec.code)) is not None:
            error = ApiError(instead)
        status = error.spec.status
        encoding = "protobuf" if _content_type(self.request) == _CONTENT_TYPES["protobuf"] else "json"
        metrics.REQUESTS.labels(encoding, str(status)).inc()
        details = f" ({error.details})" if error.details else ""
        message = f"[{error.spec.code}] {error.message}{details}"[:_MESSAGE_CHARS]
        self.refused(error, message)
        retry = {"Retry-After": "1"} if status in RETRYABLE else {}
        return OwnErrorResponse(  # type: ignore[return-value]  # REST framework passes any HttpResponse on
            wire.encode_status(code=RPC_CODES.get(status, 13), message=message, json=encoding == "json"),
            status=status,
            content_type=_CONTENT_TYPES[encoding],
            headers=retry | error.headers | {"Cache-Control": "no-store"},
        )

    def refused(self, error: ApiError, message: str) -> None:
        """Note a request that was refused whole."""


class OtlpTracesView(OtlpView):
    """Takes spans."""

    expected = "ExportTraceServiceRequest"

    @_schema("otlp_traces", "resourceSpans", wire.TRACES_REPLY)
    def post(self, request: Request) -> HttpResponse:
        return super().post(request)

    def take(self, request: Request, scope: Scope, body: bytearray, *, json: bool) -> tuple[bytes, int]:
        batch = wire.decode(body, json=json, span_bytes=settings.INGEST_MAX_SPAN_BYTES)
        metrics.BATCH.labels("json" if json else "protobuf").observe(batch.count)
        _charge(request, batch.count)
        spans = _taken(batch.spans, body)
        received = receive(scope=scope, spans=spans, received_at=timezone.now(), sender=_sender(request))
        rejected = received.rejected
        metrics.SPANS.labels("accepted").inc(received.stored)
        metrics.SPANS.labels("duplicate").inc(received.duplicates)
        _count(rejected)
        message = _summary(rejected) or batch.warning
        return wire.encode_response(rejected=len(rejected), message=message, json=json), received.position

    def refused(self, error: ApiError, message: str) -> None:
        """List the request among the rejected spans of the project it was meant for, when that is known."""
        if error.spec.status not in _REFUSED_WHOLE or self.request.user is None:
            return
        try:
            caller_of(self.request).require(self.permission)
            scope = _scope(self.request)
        except ApiError:
            return
        rejection = Rejection(reason="malformed_request", message=message)
        _count([rejection])
        try:
            refuse(scope=scope, rejection=rejection, received_at=timezone.now(), sender=_sender(self.request))
        except DatabaseError as problem:
            log.warning("rejection not listed", exc_info=problem)  # the answer to the request is the same


class UnstoredView(OtlpView):
    """Takes a signal that is not stored, and says so."""

    signal: ClassVar[wire.Unstored]

    def take(self, request: Request, scope: Scope, body: bytearray, *, json: bool) -> tuple[bytes, int]:  # noqa: ARG002  nothing is stored under it
        items, warning = wire.count(self.signal, body, json=json)
        _charge(request, items)
        message = NOT_STORED if items else warning
        return wire.encode_response(self.signal.reply, rejected=items, message=message, json=json), written()


class OtlpMetricsView(UnstoredView):
    """Takes metrics and rejects every data point: they are not stored by this service."""

    signal = wire.METRICS
    expected = "ExportMetricsServiceRequest"

    @_schema("otlp_metrics", wire.METRICS.resources, wire.METRICS.reply)
    def post(self, request: Request) -> HttpResponse:
        return super().post(request)


class OtlpLogsView(UnstoredView):
    """Takes logs and rejects every record: they are not stored by this service."""

    signal = wire.LOGS
    expected = "ExportLogsServiceRequest"

    @_schema("otlp_logs", wire.LOGS.resources, wire.LOGS.reply)
    def post(self, request: Request) -> HttpResponse:
        return super().post(request)


def _content_type(request: Request) -> str:
    text: str = request.META.get("CONTENT_TYPE", "")
    return text.partition(";")[0].strip().lower()


def _is_gzipped(request: Request) -> bool:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"gzip", "identity", ""}:
        raise ApiError(UNSUPPORTED_CONTENT_ENCODING, details=f"Received: {coding}", expected="with gzip or as it is")
    return coding == "gzip"


def _body(request: Request, *, gzipped: bool) -> bytearray:
    limit = settings.INGEST_MAX_BODY_BYTES
    pieces = body_pieces(request._request, limit=limit)  # noqa: SLF001  REST framework would parse it
    return unpack(pieces, limit=limit) if gzipped else gather(pieces)


def _scope(request: Request) -> Scope:
    return caller_of(request).ingest_scope(request.headers.get("X-Project-ID"))


def _sender(request: Request) -> Sender:
    return Sender(request_id=request_id(request), key_prefix=caller_of(request).key_prefix)


def _taken(spans: Iterable[wire.RawSpan], body: bytearray) -> Iterator[wire.RawSpan]:
    """Yield spans, and let go of what they were made of once all are taken."""
    yield from spans
    body.clear()


def _charge(request: Request, items: int) -> None:
    charge_more(request, max(0, ceil(items / settings.INGEST_SPANS_PER_TOKEN) - 1))


def _count(rejected: Sequence[Rejection]) -> None:
    metrics.SPANS.labels("rejected").inc(len(rejected))
    for one in rejected:
        metrics.REJECTED.labels(one.reason).inc()


def _summary(rejected: Sequence[Rejection]) -> str:
    if not rejected:
        return ""
    counts = Counter(one.reason for one in rejected)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return f"{OTLP_SPANS_REJECTED.code}: {reasons}. First: {rejected[0].message}"[:_MESSAGE_CHARS]
