"""OTLP 1.9 sentence by sentence: each case quotes the rule it checks (opentelemetry-proto/docs/specification.md)."""

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import DatabaseError, connection
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from analytics.api import otlp
from errors import catalog
from errors.exceptions import ApiError
from tests.analytics.api.payloads import now_ns, request, span

PROTOBUF, JSON = "application/x-protobuf", "application/json"
TRACES, METRICS, LOGS = "/v1/traces", "/v1/metrics", "/v1/logs"
RESPONSES: dict[str, type[Message]] = {
    TRACES: ExportTraceServiceResponse,
    METRICS: ExportMetricsServiceResponse,
    LOGS: ExportLogsServiceResponse,
}


def stored() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM llm_traces")
        return cursor.fetchone()[0]


def traces_protobuf(**changed: Any) -> bytes:
    one = {
        "trace_id": bytes(range(1, 17)),
        "span_id": bytes(range(1, 9)),
        "name": "chat",
        "start_time_unix_nano": now_ns() - 2_000_000_000,
        "end_time_unix_nano": now_ns() - 1_000_000_000,
    } | changed
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.add(**one)
    return message.SerializeToString()


def metrics_protobuf() -> bytes:
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="a").gauge.data_points.add(as_int=1)
    metrics.add(name="b").sum.data_points.extend([*metrics[0].gauge.data_points] * 2)
    metrics.add(name="c").histogram.data_points.add(count=1)
    metrics.add(name="d").exponential_histogram.data_points.add(count=1)
    metrics.add(name="e").summary.data_points.add(count=1)
    return message.SerializeToString()


def logs_protobuf() -> bytes:
    message = ExportLogsServiceRequest()
    message.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "x"
    return message.SerializeToString()


def metrics_json() -> dict[str, Any]:
    kinds = [{"gauge": {"dataPoints": [{"asInt": "1"}]}}, {"sum": {"dataPoints": [{}, {}]}}]
    kinds += [{"histogram": {"dataPoints": [{}]}}, {"exponentialHistogram": {"dataPoints": [{}]}}]
    metrics = [{"name": "a", **kind} for kind in [*kinds, {"summary": {"dataPoints": [{}]}}, {}]]
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}


def logs_json() -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}]}]}]}


def in_json(**changed: Any) -> dict[str, Any]:
    return request(span() | changed)


def attribute(value: dict[str, Any]) -> dict[str, Any]:
    return in_json(attributes=[{"key": "shop.value", "value": value}])


@dataclass(frozen=True, kw_only=True)
class Case:
    """A rule, a request that it speaks of, and what must come back: by default full success and one stored span.

    `says` is the beginning of the message of a partial success or a failure.
    """

    rule: str
    body: Any
    path: str = TRACES
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    rejected: int = 0
    says: str = ""
    stored: int = 1


ENCODINGS = [
    Case(
        rule="The default URL path for requests that carry trace data is /v1/traces. The request body is a"
        " Protobuf-encoded ExportTraceServiceRequest message.",
        body=traces_protobuf,
        content_type=PROTOBUF,
    ),
    Case(
        rule="Server implementations SHOULD accept OTLP/HTTP with binary-encoded Protobuf payload and OTLP/HTTP with"
        " JSON-encoded Protobuf payload requests on the same port.",
        body=in_json,
    ),
    Case(
        rule="Non-default URL paths for requests MAY be configured on the client and server sides.",
        body=traces_protobuf,
        path="/api/v1/otlp/v1/traces",
        content_type=PROTOBUF,
    ),
    Case(
        rule="multiplex the requests to the corresponding payload decoder based on the Content-Type request header"
        " (whose parameters and case say nothing).",
        body=in_json,
        content_type="Application/JSON; charset=utf-8",
    ),
    Case(
        rule='The client MAY gzip the content and in that case MUST include "Content-Encoding: gzip" request header.',
        body=lambda: gzip.compress(traces_protobuf()),
        content_type=PROTOBUF,
        headers={"Content-Encoding": "gzip"},
    ),
    Case(
        rule="identity is no coding (RFC 9110, 8.4.1).",
        body=in_json,
        headers={"Content-Encoding": "identity"},
    ),
    Case(
        rule="Another coding than gzip is none that the protocol has.",
        body=in_json,
        headers={"Content-Encoding": "deflate"},
        status=415,
        says="[1208]",
        stored=0,
    ),
    Case(
        rule="The client and the server MUST set one of two content types.",
        body=in_json,
        content_type="text/plain",
        status=415,
        says="[1208]",
        stored=0,
    ),
]

JSON_MAPPING = [
    Case(
        rule="The traceId and spanId byte arrays are represented as case-insensitive hex-encoded strings.",
        body=lambda: in_json(traceId="5B8EFFF798038103D269B633813FC60C", spanId="EEE19B7EC3C1B174"),
    ),
    Case(
        rule="they are not base64-encoded as is defined in the standard Protobuf JSON Mapping.",
        body=lambda: in_json(traceId=b64encode(bytes(range(1, 17))).decode()),
        rejected=1,
        says="1216: 1 invalid_trace_id",
        stored=0,
    ),
    Case(
        rule="Values of enum fields MUST be encoded as integer values.",
        body=lambda: in_json(kind=2, status={"code": 2}),
    ),
    Case(
        rule="the enum name strings MUST NOT be used.",
        body=lambda: in_json(kind="SPAN_KIND_SERVER"),
        status=400,
        says="[1215]",
        stored=0,
    ),
    Case(
        rule="OTLP/JSON receivers MUST ignore message fields with unknown names.",
        body=lambda: in_json(invented={"deeply": [1, 2]}) | {"alsoInvented": 1},
    ),
    Case(
        rule="The keys of JSON objects are field names converted to lowerCamelCase. Original field names are not valid"
        " to use as keys for JSON objects.",
        body=lambda: {"resource_spans": in_json()["resourceSpans"]},
        says="The body has no `resourceSpans`",
        stored=0,
    ),
    Case(
        rule="Original field names are not valid to use as keys: the span has no id.",
        body=lambda: in_json(traceId=None, trace_id="5b8efff798038103d269b633813fc60c"),
        rejected=1,
        says="1216: 1 invalid_trace_id",
        stored=0,
    ),
    Case(
        rule="64-bit integer numbers in JSON-encoded payloads are encoded as decimal strings …",
        body=lambda: attribute({"intValue": "9007199254740993"}),
    ),
    Case(
        rule="… and either numbers or strings are accepted when decoding.",
        body=lambda: in_json(startTimeUnixNano=now_ns() - 10, endTimeUnixNano=now_ns()),
    ),
    Case(
        rule="64-bit integers have 64 bits.",
        body=lambda: attribute({"intValue": str(2**63)}),
        status=400,
        says="[1215]",
        stored=0,
    ),
    Case(
        rule="bytes in JSON are base64 (Protobuf JSON Mapping: standard or URL-safe, with or without padding).",
        body=lambda: attribute({"bytesValue": "-_8"}),
    ),
    Case(
        rule="bytes in JSON are base64.",
        body=lambda: attribute({"bytesValue": "not base64!"}),
        status=400,
        says="[1215]",
        stored=0,
    ),
    Case(
        rule="A member that is null is one that is not set (Protobuf JSON Mapping).",
        body=lambda: in_json(attributes=None, events=None, status=None, kind=None),
    ),
    Case(
        rule="doubles that are not finite are strings (Protobuf JSON Mapping).",
        body=lambda: attribute({"doubleValue": "NaN"}),
    ),
]

SUCCESS = [
    *(
        Case(
            rule="If the server receives an empty request (a request that does not carry any telemetry data) the server"
            " SHOULD respond with success. The server MUST leave the partial_success field unset.",
            path=path,
            content_type=content_type,
            body=body,
            stored=0,
        )
        for path in (TRACES, METRICS, LOGS)
        for content_type, body in ((PROTOBUF, b""), (JSON, b""), (JSON, b"{}"))
    ),
    Case(
        rule="the server accepts only parts of the data and rejects the rest: it MUST respond with HTTP 200 OK, and it"
        " MUST set rejected_spans with the number of spans it rejected. The server SHOULD populate the error_message.",
        body=lambda: request(span(), span() | {"spanId": "00"}, span() | {"traceId": "0" * 32}),
        rejected=2,
        says="1216: 1 invalid_span_id, 1 invalid_trace_id",
    ),
    Case(
        rule="it MUST set rejected_spans (protobuf).",
        body=lambda: traces_protobuf(span_id=bytes(8)),
        content_type=PROTOBUF,
        rejected=1,
        says="1216: 1 invalid_span_id",
        stored=0,
    ),
    Case(
        rule="Servers MAY also use the partial_success field to convey warnings: rejected_<signal> MUST have a value of"
        " 0, and the error_message field MUST be non-empty.",
        body=b'{"resourceLogs": []}',
        says="The body has no `resourceSpans`",
        stored=0,
    ),
    Case(
        rule="The default URL path for requests that carry metric data is /v1/metrics and the request body is a"
        " Protobuf-encoded ExportMetricsServiceRequest message.",
        path=METRICS,
        content_type=PROTOBUF,
        body=metrics_protobuf,
        rejected=6,
        says="not stored by this service",
        stored=0,
    ),
    Case(
        rule="it MUST set the respective rejected_data_points.",
        path=METRICS,
        body=metrics_json,
        rejected=6,
        says="not stored by this service",
        stored=0,
    ),
    Case(
        rule="The default URL path for requests that carry log data is /v1/logs and the request body is a"
        " Protobuf-encoded ExportLogsServiceRequest message.",
        path=LOGS,
        content_type=PROTOBUF,
        body=logs_protobuf,
        rejected=1,
        says="not stored by this service",
        stored=0,
    ),
    Case(
        rule="it MUST set the respective rejected_log_records.",
        path=LOGS,
        body=logs_json,
        rejected=1,
        says="not stored by this service",
        stored=0,
    ),
    Case(
        rule="Names of another signal are unknown ones.",
        path=LOGS,
        body=metrics_json,
        says="The body has no `resourceLogs`",
        stored=0,
    ),
]

BAD_DATA = "data that cannot be decoded or is otherwise invalid and such failure is permanent: HTTP 400 Bad Request."
FAILURES = [
    *(
        Case(rule=BAD_DATA, path=path, content_type=content_type, body=body, status=400, says="[1215]", stored=0)
        for path in (TRACES, METRICS, LOGS)
        for content_type, body in ((PROTOBUF, b"\xff\xff"), (JSON, b"{"), (JSON, b"[]"), (JSON, b"\xff"))
    ),
    *(
        Case(rule=BAD_DATA, path=path, body=body, status=400, says="[1215]", stored=0)
        for path, body in (
            (METRICS, {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"gauge": 1}]}]}]}),
            (LOGS, {"resourceLogs": {"scopeLogs": []}}),
            (LOGS, b"[" * 100_000),
        )
    ),
    Case(
        rule=BAD_DATA,
        body=lambda: gzip.compress(traces_protobuf())[:-3],
        content_type=PROTOBUF,
        headers={"Content-Encoding": "gzip"},
        status=400,
        says="[1215]",
        stored=0,
    ),
    Case(
        rule="The server MUST limit the size of the request body when parsing it. If the limit is exceeded, the server"
        " SHOULD respond with HTTP 413 Content Too Large.",
        body=b" " * 100_001,
        status=413,
        says="[1209]",
        stored=0,
    ),
    Case(
        rule="The server MUST limit the size of the request body, including after decompression.",
        body=lambda: gzip.compress(b" " * 100_001),
        headers={"Content-Encoding": "gzip"},
        status=413,
        says="[1209]",
        stored=0,
    ),
    Case(
        rule="The response body for all HTTP 4xx and HTTP 5xx responses MUST be a Protobuf-encoded Status message.",
        body=in_json,
        headers={"X-Project-ID": "no-project-of-ours"},
        status=403,
        says="[1101]",
        stored=0,
    ),
]


def sent(api, case: Case):
    body = case.body() if callable(case.body) else case.body
    data = json.dumps(body) if isinstance(body, dict) else body
    # Django's client leaves the type of an empty body out.
    return api.generic("POST", case.path, data, headers=case.headers, CONTENT_TYPE=case.content_type)


def told(reply, case: Case) -> tuple[int, str]:
    """Return what a success rejects and says, the same for both encodings."""
    response = RESPONSES[case.path.removeprefix("/api/v1/otlp")]
    (member,) = (name for name in _partial(response).DESCRIPTOR.fields_by_name if name.startswith("rejected"))
    if reply["Content-Type"] == PROTOBUF:
        partial = response.FromString(reply.content).partial_success
        return getattr(partial, member), partial.error_message
    first, *others = member.split("_")
    partial = reply.json().get("partialSuccess", {})
    return int(partial.get(first + "".join(map(str.title, others)), "0")), partial.get("errorMessage", "")


def _partial(response: type[Message]) -> Message:
    return response().partial_success


def status_of(reply) -> tuple[int, str]:
    """Return code and message of a google.rpc.Status: field 1 is the code, field 2 the message."""
    if reply["Content-Type"] == JSON:
        body = reply.json()
        assert body["details"] == []
        return body["code"], body["message"]
    assert (reply.content[0], reply.content[2]) == (0x08, 0x12)
    code, text = reply.content[1], reply.content[3:]
    return code, text[1 if text[0] < 0x80 else 2 :].decode()


@pytest.mark.parametrize("case", [*ENCODINGS, *JSON_MAPPING, *SUCCESS, *FAILURES], ids=lambda case: case.rule[:60])
def test_the_rule_is_kept(api, settings, case):
    settings.INGEST_MAX_BODY_BYTES = 100_000
    reply = sent(api, case)

    rejected, says = told(reply, case) if case.status == 200 else (0, status_of(reply)[1])
    assert (reply.status_code, rejected, says[: len(case.says)] if case.says else says, stored()) == (
        case.status,
        case.rejected,
        case.says,
        case.stored,
    )
    # The server MUST use the same "Content-Type" in the response as it received in the request.
    expected = PROTOBUF if case.content_type == PROTOBUF else JSON
    assert (reply["Content-Type"], len(reply.content) < 4 * 1024 * 1024) == (expected, True)


RETRIED = [
    # "The requests that receive a response status code listed in following table SHOULD be retried." 429, 502, 503, 504
    (catalog.RATE_LIMIT_EXCEEDED, 429, 8, "1"),
    (catalog.DATABASE_ERROR, 503, 14, "5"),
    (catalog.DATABASE_CONNECTION_FAILED, 503, 14, "5"),
    (catalog.QUERY_TIMEOUT, 503, 14, "1"),
    (catalog.INGEST_OVERLOADED, 503, 14, "1"),
    (catalog.SERVICE_UNAVAILABLE, 503, 14, "5"),
    (catalog.OPERATION_TIMEOUT, 504, 4, "1"),
    (catalog.CONCURRENCY_CONFLICT, 503, 14, "5"),
    # "All other 4xx or 5xx response status codes MUST NOT be retried."
    (catalog.INTERNAL_SERVER_ERROR, 500, 13, None),
    (catalog.DUPLICATE_KEY, 500, 13, None),
    (catalog.DATABASE_CONSTRAINT_VIOLATION, 500, 13, None),
    (catalog.IP_NOT_ALLOWED, 403, 7, None),
    (catalog.INVALID_API_KEY, 401, 16, None),
]


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize(("spec", "status", "code", "wait"), RETRIED, ids=[str(spec.code) for spec, *_ in RETRIED])
def test_a_failure_tells_whether_and_when_to_come_again(api, monkeypatch, *, content_type, spec, status, code, wait):
    def fail(**_):
        raise ApiError(spec)

    monkeypatch.setattr(otlp, "receive", fail)
    body = traces_protobuf() if content_type == PROTOBUF else json.dumps(in_json())
    reply = api.generic("POST", TRACES, body, content_type)

    assert (reply.status_code, status_of(reply)[0], reply.headers.get("Retry-After"), reply["Content-Type"]) == (
        status,
        code,
        wait,
        content_type,
    )


def test_a_failure_of_the_database_tells_nothing_of_it(api, monkeypatch):
    def fail(**_):
        raise DatabaseError("relation llm_traces of host db-7 is on fire")

    monkeypatch.setattr(otlp, "receive", fail)
    reply = api.generic("POST", TRACES, json.dumps(in_json()), JSON)

    assert (reply.status_code, reply.json()["message"][:6], b"db-7" in reply.content) == (503, "[1600]", False)


def test_a_reply_never_grows_with_what_was_sent(api):
    reply = api.generic("POST", TRACES, json.dumps(in_json()), "x" * 100_000)

    assert (reply.status_code, len(reply.json()["message"])) == (415, 1000)
