"""Metrics and logs: decoded like traces, so that damage is told, and counted; nothing of them is stored."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from analytics.ingest.wire.otlp_json import document_of, objects, one_object
from analytics.ingest.wire.replies import LOGS_REPLY, METRICS_REPLY, Reply
from analytics.ingest.wire.spans import MalformedOtlpError, unknown_body

_KINDS_OF_METRIC = (
    ("gauge", "gauge"),
    ("sum", "sum"),
    ("histogram", "histogram"),
    ("exponential_histogram", "exponentialHistogram"),
    ("summary", "summary"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstored:
    """A signal whose items are counted and rejected.

    `resources` and `scopes` are the names in JSON of the two lists that hold the items; `of_message` counts the items
    of a request in protobuf, `of_json` those of one scope in JSON.
    """

    request: type[Message]
    reply: Reply
    resources: str
    scopes: str
    of_message: Callable[[Any], int]
    of_json: Callable[[dict[str, Any]], int]


def _points(metrics: Iterable[Any]) -> int:
    return sum(len(getattr(metric, kind).data_points) for metric in metrics for kind, _ in _KINDS_OF_METRIC)


def _points_in_json(scope: dict[str, Any]) -> int:
    return sum(
        len(objects(one_object(metric, kind), "dataPoints"))
        for metric in objects(scope, "metrics")
        for _, kind in _KINDS_OF_METRIC
    )


METRICS = Unstored(
    request=ExportMetricsServiceRequest,
    reply=METRICS_REPLY,
    resources="resourceMetrics",
    scopes="scopeMetrics",
    of_message=lambda request: sum(
        _points(scope.metrics) for resource in request.resource_metrics for scope in resource.scope_metrics
    ),
    of_json=_points_in_json,
)
LOGS = Unstored(
    request=ExportLogsServiceRequest,
    reply=LOGS_REPLY,
    resources="resourceLogs",
    scopes="scopeLogs",
    of_message=lambda request: sum(
        len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs
    ),
    of_json=lambda scope: len(objects(scope, "logRecords")),
)


def count(signal: Unstored, body: bytes | bytearray, *, json: bool) -> tuple[int, str]:
    """Return how many items `body` holds and a warning when it holds none of the known; raise MalformedOtlpError."""
    if not body:
        return 0, ""
    if json:
        document = document_of(body, expected=signal.resources)
        if signal.resources not in document:
            return 0, unknown_body(signal.resources) if document else ""
        return sum(signal.of_json(scope) for scope in _scopes(signal, document)), ""
    try:
        return signal.of_message(signal.request.FromString(body)), ""  # type: ignore[arg-type]  # any buffer will do
    except DecodeError:
        raise MalformedOtlpError(f"The body is not an {signal.request.__name__} in protobuf.") from None


def _scopes(signal: Unstored, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in objects(document, signal.resources):
        yield from objects(resource, signal.scopes)
