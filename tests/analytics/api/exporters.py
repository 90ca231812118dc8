"""Export requests as stock exporters send them, byte by byte: bodies and headers.

Each tells the same two spans of one trace, an agent and its model call, so that what is stored can be compared.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator

TRACE, AGENT, CALL = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b175"
START_NS = 1_772_359_200_000_000_000  # 2026-03-01T10:00:00Z
END_NS = START_NS + 1_500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes


# --- Python ------------------------------------------------------------------------------------------------------------
class _Recorder(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sent.append(
            Sent(path=self.path, headers={name.title(): value for name, value in self.headers.items()}, body=body)
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def recording() -> Iterator[HTTPServer]:
    """Run a server that keeps what it is sent in `sent`."""
    server = HTTPServer(("127.0.0.1", 0), _Recorder)
    server.sent = []
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _KnownIds(IdGenerator):
    def __init__(self):
        self.spans = iter([int(AGENT, 16), int(CALL, 16)])

    def generate_span_id(self) -> int:
        return next(self.spans)

    def generate_trace_id(self) -> int:
        return int(TRACE, 16)


def python_sdk() -> list[Sent]:
    """Run the stock exporter of the Python SDK, protobuf with gzip: one request for each span, the call's first."""
    with recording() as server:
        exporter = OTLPSpanExporter(
            endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces", compression=Compression.Gzip
        )
        provider = TracerProvider(resource=Resource({"service.name": "shop"}), id_generator=_KnownIds())
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("shop.agents", "2.1.0")
        with tracer.start_as_current_span("invoke_agent helper", start_time=START_NS, end_on_exit=False) as agent:
            agent.set_attribute("gen_ai.operation.name", "invoke_agent")
            call = tracer.start_span("chat gpt-4o", start_time=START_NS)
            call.set_attributes({
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 500,
                "gen_ai.response.finish_reasons": ["stop"],
            })  # fmt: skip
            call.end(END_NS)
        agent.end(END_NS)
        provider.shutdown()
        return server.sent


# --- JavaScript --------------------------------------------------------------------------------------------------------
_JS_HEADERS = {"User-Agent": "OTel-OTLP-Exporter-JavaScript/0.208.0", "Accept": "*/*", "Connection": "keep-alive"}


def _js_span(span_id: str, parent: str | None, name: str, attributes: list[dict]) -> dict:
    return {
        "traceId": TRACE,
        "spanId": span_id,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": 3 if parent else 1,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(END_NS),
        "attributes": attributes,
        "droppedAttributesCount": 0,
        "events": [],
        "droppedEventsCount": 0,
        "status": {"code": 0},
        "links": [],
        "droppedLinksCount": 0,
        "flags": 257,
    }


def javascript_json() -> list[Sent]:
    """Return what exporter-trace-otlp-http sends: times as strings, integers as numbers, empty lists spelled out."""
    call = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
        {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": 1000}},
        {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 500}},
        {
            "key": "gen_ai.response.finish_reasons",
            "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}},
        },
    ]
    agent = [{"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}}]
    document = {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "shop"}},
                        {"key": "telemetry.sdk.language", "value": {"stringValue": "nodejs"}},
                    ],
                    "droppedAttributesCount": 0,
                },
                "scopeSpans": [
                    {
                        "scope": {"name": "shop.agents", "version": "2.1.0"},
                        "spans": [
                            _js_span(CALL, AGENT, "chat gpt-4o", call),
                            _js_span(AGENT, None, "invoke_agent helper", agent),
                        ],
                    }
                ],
            }
        ]
    }
    body = json.dumps(document, separators=(",", ":")).encode()
    return [Sent(path="/v1/traces", headers=_JS_HEADERS | {"Content-Type": "application/json"}, body=body)]


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _fixed64(field: int, value: int) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<Q", value)


def _fixed32(field: int, value: int) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<I", value)


def _bytes(field: int, value: bytes | str) -> bytes:
    octets = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(octets)) + octets


def _pair(field: int, key: str, value: str | int | list[str]) -> bytes:
    match value:
        case str():
            any_value = _bytes(1, value)
        case int():
            any_value = _number(3, value)
        case _:
            any_value = _bytes(5, b"".join(_bytes(1, _bytes(1, item)) for item in value))
    return _bytes(field, _bytes(1, key) + _bytes(2, any_value))


_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 500,
    "gen_ai.response.finish_reasons": ["stop"],
}


def _js_wire_span(span_id: str, parent: str | None, name: str, attributes: dict) -> bytes:
    # protobufjs writes members that are set although they hold the default.
    return (
        _bytes(1, bytes.fromhex(TRACE))
        + _bytes(2, bytes.fromhex(span_id))
        + (_bytes(4, bytes.fromhex(parent)) if parent else b"")
        + _bytes(5, name)
        + _number(6, 3 if parent else 1)
        + _fixed64(7, START_NS)
        + _fixed64(8, END_NS)
        + b"".join(_pair(9, key, value) for key, value in attributes.items())
        + _number(10, 0)
        + _number(12, 0)
        + _number(14, 0)
        + _bytes(15, _number(3, 0))
        + _fixed32(16, 257)
    )


def javascript_protobuf() -> list[Sent]:
    """Return what exporter-trace-otlp-proto sends."""
    resource = _pair(1, "service.name", "shop") + _pair(1, "telemetry.sdk.language", "nodejs") + _number(2, 0)
    spans = _bytes(2, _js_wire_span(CALL, AGENT, "chat gpt-4o", _CALL)) + _bytes(
        2, _js_wire_span(AGENT, None, "invoke_agent helper", {"gen_ai.operation.name": "invoke_agent"})
    )
    scope = _bytes(1, _bytes(1, "shop.agents") + _bytes(2, "2.1.0"))
    body = _bytes(1, _bytes(1, resource) + _bytes(2, scope + spans))
    return [Sent(path="/v1/traces", headers=_JS_HEADERS | {"Content-Type": "application/x-protobuf"}, body=body)]


# --- Collector ---------------------------------------------------------------------------------------------------------
def _go_wire_span(span_id: str, parent: str | None, name: str, attributes: dict) -> bytes:
    # gogo's generated code leaves defaults out but always writes the status, which is no pointer, and an empty parent.
    return (
        _bytes(1, bytes.fromhex(TRACE))
        + _bytes(2, bytes.fromhex(span_id))
        + _bytes(4, bytes.fromhex(parent or ""))
        + _bytes(5, name)
        + _number(6, 3 if parent else 1)
        + _fixed64(7, START_NS)
        + _fixed64(8, END_NS)
        + b"".join(_pair(9, key, value) for key, value in attributes.items())
        + _bytes(15, b"")
        + _fixed32(16, 257)
    )


def collector() -> list[Sent]:
    """Return what the Collector's otlphttp exporter sends: the spans of two receivers batched, packed by Go's gzip."""
    resource = _bytes(1, _pair(1, "service.name", "shop"))
    scope = _bytes(1, _bytes(1, "shop.agents") + _bytes(2, "2.1.0"))
    schema = _bytes(3, "https://opentelemetry.io/schemas/1.37.0")
    spans = (
        _go_wire_span(CALL, AGENT, "chat gpt-4o", _CALL),
        _go_wire_span(AGENT, None, "invoke_agent helper", {"gen_ai.operation.name": "invoke_agent"}),
    )
    body = b"".join(_bytes(1, resource + _bytes(2, scope + _bytes(2, span)) + schema) for span in spans)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(body) + packer.flush(zlib.Z_SYNC_FLUSH) + packer.flush()
    # Go's header names no time and an unknown system.
    member = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff" + packed + struct.pack("<II", zlib.crc32(body), len(body))
    assert gzip.decompress(member) == body
    headers = {
        "User-Agent": "OpenTelemetry Collector Contrib/0.140.0 (linux/amd64)",
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "gzip",
        "Accept-Encoding": "gzip",
    }
    return [Sent(path="/v1/traces", headers=headers, body=member)]
