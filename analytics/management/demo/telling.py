"""How a trace of the demo is told: each fact's attributes in the names of OpenTelemetry and of OpenInference."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from analytics.management.demo.shapes import Kind, Vocabulary
from analytics.management.demo.traces import DemoSpan, Trace

Pairs = Iterator[tuple[str, Any]]
Teller = Callable[[Any], Pairs]


def tell(trace: Trace) -> Iterator[Span]:
    """Yield the spans of `trace` as OTLP messages in the names of its service's vocabulary."""
    session = trace.turn.session
    vocabulary = session.shape.vocabulary
    shared = {
        "session_id": session.session_id,
        "user_id": session.user_id,
        "team_id": session.shape.team,
        "tags": [*session.shape.tags, session.topic.language],
        "channel": session.channel,
        "turn": trace.turn.number,
    }
    for span in trace.spans:
        yield _span(trace.trace_id, span, vocabulary, shared)


def attribute(key: str, value: Any) -> KeyValue:
    """Return one OTLP attribute: text, truth, number, or a list of them."""
    return KeyValue(key=key, value=_value(value))


def _value(value: Any) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case _:
            return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))


def _span(trace_id: bytes, span: DemoSpan, vocabulary: Vocabulary, shared: Mapping[str, Any]) -> Span:
    tellers = TELLERS[vocabulary]
    facts = {"operation": span.kind, **shared, **span.facts}
    told = Span(
        trace_id=trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id or b"",
        name=_name(span, vocabulary),
        kind=Span.SPAN_KIND_CLIENT if span.kind in REMOTE else Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=[
            attribute(key, value)
            for fact, content in facts.items()
            if fact in tellers
            for key, value in tellers[fact](content)
        ],
    )
    _tell_outcome(told, span, vocabulary)
    return told


def _tell_outcome(told: Span, span: DemoSpan, vocabulary: Vocabulary) -> None:
    """Tell success and failure as each side does: OpenInference says OK and records an exception as an event."""
    if vocabulary is Vocabulary.OPENINFERENCE and "first_token_s" in span.facts:
        at_ns = span.start_ns + int(span.facts["first_token_s"] * 1_000_000_000)
        told.events.add(name="First Token Stream Event", time_unix_nano=min(at_ns, span.end_ns))
    if span.failure is None:
        if vocabulary is Vocabulary.OPENINFERENCE:
            told.status.code = Status.STATUS_CODE_OK
        return
    error_type, message = span.failure
    told.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=message))
    if vocabulary is Vocabulary.OTEL:
        told.attributes.append(attribute("error.type", error_type))
    else:
        event = told.events.add(name="exception", time_unix_nano=span.end_ns)
        event.attributes.extend([attribute("exception.type", error_type), attribute("exception.message", message)])


def _name(span: DemoSpan, vocabulary: Vocabulary) -> str:
    if vocabulary is Vocabulary.OPENINFERENCE:
        return span.name
    model = span.facts.get("model")
    return f"{OTEL_OPERATIONS[span.kind]} {model.name if model else span.name}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- tellers: fact -> attributes --------------------------------------------------------------------------------------
def _as(key: str) -> Teller:
    def tell_plain(value: Any) -> Pairs:
        yield key, value

    return tell_plain


def _mapped(names: Mapping[str, str]) -> Teller:
    """Tell the members of a mapping under `names`; a member without a name is left out."""

    def tell_members(value: Mapping[str, Any]) -> Pairs:
        for member, content in value.items():
            if member in names:
                yield names[member], content

    return tell_members


def _otel_part(message: Mapping[str, Any]) -> dict[str, Any]:
    if "tool_call" in message:
        call = message["tool_call"]
        return {"type": "tool_call", **call, "arguments": json.loads(call["arguments"])}
    if "tool_call_id" in message:
        return {"type": "tool_call_response", "id": message["tool_call_id"], "response": message["content"]}
    return {"type": "text", "content": message["content"]}


def _otel_messages(key: str) -> Teller:
    def tell_messages(messages: list[dict[str, Any]]) -> Pairs:
        yield key, _json([{"role": message["role"], "parts": [_otel_part(message)]} for message in messages])

    return tell_messages


def _otel_text(key: str, role: str) -> Teller:
    def tell_text(text: str) -> Pairs:
        yield key, _json([{"role": role, "parts": [{"type": "text", "content": text}]}])

    return tell_text


def _inference_messages(prefix: str) -> Teller:
    def tell_messages(messages: list[dict[str, Any]]) -> Pairs:
        for index, message in enumerate(messages):
            at = f"{prefix}.{index}.message"
            yield f"{at}.role", message["role"]
            if "content" in message:
                yield f"{at}.content", message["content"]
            if "tool_call_id" in message:
                yield f"{at}.tool_call_id", message["tool_call_id"]
            if "tool_call" in message:
                call = message["tool_call"]
                yield f"{at}.tool_calls.0.tool_call.id", call["id"]
                yield f"{at}.tool_calls.0.tool_call.function.name", call["name"]
                yield f"{at}.tool_calls.0.tool_call.function.arguments", call["arguments"]

    return tell_messages


def _inference_documents(documents: list[dict[str, Any]]) -> Pairs:
    for index, document in enumerate(documents):
        for member, content in document.items():
            yield f"retrieval.documents.{index}.document.{member}", content


def _typed(key: str, mime_type: str) -> Teller:
    def tell_typed(value: str) -> Pairs:
        yield f"{key}.value", value
        yield f"{key}.mime_type", mime_type

    return tell_typed


REMOTE = frozenset({Kind.CHAT, Kind.EMBEDDINGS, Kind.RETRIEVAL})
OTEL_OPERATIONS = {
    Kind.AGENT: "invoke_agent",
    Kind.WORKFLOW: "invoke_workflow",
    Kind.CHAT: "chat",
    Kind.TOOL: "execute_tool",
    Kind.RETRIEVAL: "retrieval",
    Kind.EMBEDDINGS: "embeddings",
}
INFERENCE_KINDS = {
    Kind.AGENT: "AGENT",
    Kind.WORKFLOW: "CHAIN",
    Kind.CHAT: "LLM",
    Kind.TOOL: "TOOL",
    Kind.RETRIEVAL: "RETRIEVER",
    Kind.EMBEDDINGS: "EMBEDDING",
}
TELLERS: dict[Vocabulary, dict[str, Teller]] = {
    Vocabulary.OTEL: {
        "operation": lambda kind: iter([("gen_ai.operation.name", OTEL_OPERATIONS[kind])]),
        "session_id": _as("gen_ai.conversation.id"),
        "user_id": _as("user.id"),
        "team_id": _as("team.id"),
        "tags": lambda tags: iter([("llm.tags", ",".join(tags))]),
        "channel": _as("app.channel"),
        "turn": _as("app.turn"),
        "model": lambda model: iter(
            [("gen_ai.provider.name", model.provider_in_otel), ("gen_ai.request.model", model.name)]
        ),
        "prompt_name": _as("gen_ai.prompt.name"),
        "instructions": lambda text: iter([("gen_ai.system_instructions", _json([{"type": "text", "content": text}]))]),
        "input_messages": _otel_messages("gen_ai.input.messages"),
        "output_messages": _otel_messages("gen_ai.output.messages"),
        "asked": _otel_text("gen_ai.input.messages", "user"),
        "answered": _otel_text("gen_ai.output.messages", "assistant"),
        "embedded": _otel_text("gen_ai.input.messages", "user"),
        "parameters": _mapped({"temperature": "gen_ai.request.temperature", "max_tokens": "gen_ai.request.max_tokens"}),
        "streamed": _as("gen_ai.request.stream"),
        "first_token_s": _as("gen_ai.response.time_to_first_chunk"),
        "tools_offered": lambda names: iter(
            [("gen_ai.tool.definitions", _json([{"type": "function", "name": name} for name in names]))]
        ),
        "usage": _mapped(
            {
                "input": "gen_ai.usage.input_tokens",
                "output": "gen_ai.usage.output_tokens",
                "cache_read": "gen_ai.usage.cache_read.input_tokens",
                "cache_write": "gen_ai.usage.cache_creation.input_tokens",
                "reasoning": "gen_ai.usage.reasoning.output_tokens",
            }
        ),
        "response_model": _as("gen_ai.response.model"),
        "response_id": _as("gen_ai.response.id"),
        "finish_reason": lambda reason: iter([("gen_ai.response.finish_reasons", [reason])]),
        "http_status": _as("http.response.status_code"),
        "tool_name": _as("gen_ai.tool.name"),
        "tool_call_id": _as("gen_ai.tool.call.id"),
        "tool_arguments": _as("gen_ai.tool.call.arguments"),
        "tool_result": _as("gen_ai.tool.call.result"),
        "agent_name": _as("gen_ai.agent.name"),
        "workflow_name": _as("gen_ai.workflow.name"),
        "data_source": _as("gen_ai.data_source.id"),
        "query": _as("gen_ai.retrieval.query.text"),
        "documents": lambda documents: iter([("gen_ai.retrieval.documents", _json(documents))]),
    },
    Vocabulary.OPENINFERENCE: {
        "operation": lambda kind: iter([("openinference.span.kind", INFERENCE_KINDS[kind])]),
        "session_id": _as("session.id"),
        "user_id": _as("user.id"),
        "team_id": _as("team.id"),
        "tags": _as("tag.tags"),
        "channel": lambda channel: iter([("metadata", _json({"channel": channel}))]),
        "model": lambda model: iter([("llm.provider", model.provider), ("llm.model_name", model.name)]),
        "prompt_name": _as("prompt.id"),
        "input_messages": _inference_messages("llm.input_messages"),
        "output_messages": _inference_messages("llm.output_messages"),
        "asked": _typed("input", "text/plain"),
        "answered": _typed("output", "text/plain"),
        "embedded": _typed("input", "text/plain"),
        "parameters": lambda parameters: iter([("llm.invocation_parameters", _json(parameters))]),
        "usage": _mapped(
            {
                "input": "llm.token_count.prompt",
                "output": "llm.token_count.completion",
                "cache_read": "llm.token_count.prompt_details.cache_read",
                "cache_write": "llm.token_count.prompt_details.cache_write",
                "reasoning": "llm.token_count.completion_details.reasoning",
            }
        ),
        "finish_reason": _as("llm.finish_reason"),
        "tool_name": _as("tool.name"),
        "tool_call_id": _as("tool.id"),
        "tool_arguments": _typed("input", "application/json"),
        "tool_result": _typed("output", "application/json"),
        "agent_name": _as("agent.name"),
        "query": _typed("input", "text/plain"),
        "documents": _inference_documents,
    },
}
