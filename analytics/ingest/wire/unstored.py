"""Metrics and logs: decoded like traces, so that damage is told, and counted; nothing of them is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from analytics.ingest.wire import json_outline, protobuf_outline
from analytics.ingest.wire.json_outline import Body, Names, Outline, TooDeepError
from analytics.ingest.wire.limits import SPAN_BYTES
from analytics.ingest.wire.otlp_json import items_of, objects, one_object
from analytics.ingest.wire.replies import LOGS_REPLY, METRICS_REPLY, Reply
from analytics.ingest.wire.spans import MalformedOtlpError, unknown_body
from errors.catalog import PART_TOO_LARGE
from errors.exceptions import ApiError

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

    `of_message` and `of_json` return how much one item counts for.
    """

    item: type[Message]
    reply: Reply
    names: Names
    of_message: Callable[[Any], int]
    of_json: Callable[[dict[str, Any]], int]

    @property
    def resources(self) -> str:
        """Return the name of the one member of a request in JSON."""
        return self.names.resources


def _points(metric: Any) -> int:
    return sum(len(getattr(metric, kind).data_points) for kind, _ in _KINDS_OF_METRIC)


def _points_in_json(metric: dict[str, Any]) -> int:
    return sum(len(objects(one_object(metric, kind), "dataPoints")) for _, kind in _KINDS_OF_METRIC)


METRICS = Unstored(
    item=Metric,
    reply=METRICS_REPLY,
    names=Names(resources="resourceMetrics", scopes="scopeMetrics", items="metrics"),
    of_message=_points,
    of_json=_points_in_json,
)
LOGS = Unstored(
    item=LogRecord,
    reply=LOGS_REPLY,
    names=Names(resources="resourceLogs", scopes="scopeLogs", items="logRecords"),
    of_message=lambda _: 1,
    of_json=lambda _: 1,
)


def count(signal: Unstored, body: Body, *, json: bool) -> tuple[int, str]:
    """Return how many items `body` holds and a warning when it holds none of the known.

    Raises as `decode` does.
    """
    if not body:
        return 0, ""
    return _count_json(signal, body) if json else (_count_protobuf(signal, body), "")


def _count_json(signal: Unstored, body: Body) -> tuple[int, str]:
    found = json_outline.outline(body, signal.names)
    if signal.resources not in found.document:
        return 0, unknown_body(signal.resources) if found.document else ""
    items = 0
    for resource in objects(found.document, signal.resources):
        for scope in objects(resource, signal.names.scopes):
            items += sum(_counted(signal, found, one) for one in items_of(found, scope, signal.names))
    return items, ""


def _counted(signal: Unstored, found: Outline, one: Any) -> int:
    if found.places is None:
        return signal.of_json(one)
    _check(signal, found.size(one))
    try:
        return signal.of_json(found.decoded(found.encoded(one)))
    except TooDeepError:
        raise MalformedOtlpError("An object nests too deep.") from None


def _count_protobuf(signal: Unstored, body: Body) -> int:
    items = 0
    for of_scope in protobuf_outline.outline(body):
        for start, end in of_scope.places():
            _check(signal, end - start)
            try:
                items += signal.of_message(signal.item.FromString(bytes(body[start:end])))
            except DecodeError:
                raise MalformedOtlpError(f"A {signal.item.__name__} is not one in protobuf.") from None
    return items


def _check(signal: Unstored, size: int) -> None:
    if size > SPAN_BYTES:
        raise ApiError(PART_TOO_LARGE, limit=SPAN_BYTES, part=signal.item.__name__)
