"""Export requests like those of a chat application: model calls of about 1.7 KB, five to a trace."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

SPANS_A_REQUEST = 200
SPANS_A_TRACE = 5
_MODELS = (("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"))
_WORDS = (
    *("the", "customer", "asks", "whether", "an", "order", "that", "was", "paid", "last", "week", "can", "still"),
    *("be", "sent", "to", "another", "address", "and", "what", "it", "costs"),
)
_PROMPT_WORDS, _QUESTION_WORDS, _ANSWER_WORDS = 50, 45, 70
_MILLISECOND_NS = 1_000_000
_RESOURCE = {"service.name": "support-chat", "service.version": "2.7.1", "deployment.environment.name": "production"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One export request in both encodings."""

    protobuf: bytes
    json: bytes


def bodies(*, spans: int, end_ns: int, step_ns: int, seed: int = 1) -> Sequence[Body]:
    """Return requests of 200 spans each, `spans` in all and what fills the last one.

    Starts are `step_ns` apart, and the last is before `end_ns`.
    """
    chance = Random(seed)  # noqa: S311  the same spans every time
    firsts = range(0, spans, SPANS_A_REQUEST)
    first_ns = end_ns - len(firsts) * SPANS_A_REQUEST * step_ns
    return [_body(chance, range(first, first + SPANS_A_REQUEST), first_ns, step_ns) for first in firsts]


def _body(chance: Random, numbers: range, first_ns: int, step_ns: int) -> Body:
    spans: list[Span] = []
    for number in numbers:
        parent = b"" if number % SPANS_A_TRACE == 0 else spans[-(number % SPANS_A_TRACE)].span_id
        trace_id = spans[-1].trace_id if parent else chance.randbytes(16)
        spans.append(_span(chance, trace_id, parent, first_ns + number * step_ns))
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=_attributes(_RESOURCE)),
                scope_spans=[ScopeSpans(scope=InstrumentationScope(name="benchmark", version="1"), spans=spans)],
            )
        ]
    )
    return Body(protobuf=request.SerializeToString(), json=_otlp_json(request))


def _span(chance: Random, trace_id: bytes, parent: bytes, start_ns: int) -> Span:
    provider, model = chance.choice(_MODELS)
    read = chance.randrange(0, 800)
    attributes: dict[str, str | int | float] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        "gen_ai.response.id": f"chatcmpl-{chance.randbytes(12).hex()}",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.usage.input_tokens": read + chance.randrange(1, 2000),
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.output_tokens": chance.randrange(1, 500),
        "gen_ai.conversation.id": f"session-{chance.randrange(10_000)}",
        "user.id": f"user-{chance.randrange(1000)}",
        "server.address": "api.example.com",
        "shop.tenant": chance.randrange(50),
        "gen_ai.input.messages": json.dumps(
            [
                _message("system", _said(chance, _PROMPT_WORDS)),
                _message("user", _said(chance, _QUESTION_WORDS)),
            ]
        ),
        "gen_ai.output.messages": json.dumps(
            [_message("assistant", _said(chance, _ANSWER_WORDS)) | {"finish_reason": "stop"}]
        ),
    }
    return Span(
        trace_id=trace_id,
        span_id=chance.randbytes(8),
        parent_span_id=parent,
        name=f"chat {model}",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + chance.randrange(200, 8000) * _MILLISECOND_NS,
        attributes=_attributes(attributes),
        status=Status(code=Status.STATUS_CODE_OK),
    )


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _said(chance: Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words))


def _attributes(given: Mapping[str, str | int | float]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in given.items()]


def _value(given: str | float) -> AnyValue:
    match given:
        case str():
            return AnyValue(string_value=given)
        case int():
            return AnyValue(int_value=given)
        case _:
            return AnyValue(double_value=given)


def _otlp_json(request: ExportTraceServiceRequest) -> bytes:
    """Return the request in OTLP's JSON, which differs from protobuf's in its ids (hex) and enums (numbers)."""
    document = MessageToDict(request, use_integers_for_enums=True)
    told = (span for part in document["resourceSpans"] for of_scope in part["scopeSpans"] for span in of_scope["spans"])
    sent = (span for part in request.resource_spans for of_scope in part.scope_spans for span in of_scope.spans)
    for span, message in zip(told, sent, strict=True):
        span["traceId"] = message.trace_id.hex()
        span["spanId"] = message.span_id.hex()
        span["parentSpanId"] = message.parent_span_id.hex()
    return json.dumps(document).encode()
