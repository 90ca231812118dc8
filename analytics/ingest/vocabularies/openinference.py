"""OpenInference: `llm.*`, `input.value`, lists spread over names with an index."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.ingest.documents import inside
from analytics.ingest.readers import (
    any_text,
    boolean,
    finish,
    json_object,
    nano_dollars,
    operation,
    parsed,
    present,
    provider,
    text,
    texts,
    tokens,
)
from analytics.ingest.spread import left_beside, spread_messages, spread_texts
from analytics.ingest.vocabularies.events import evaluation_left, happened, since_start, spread_evaluations
from analytics.ingest.vocabularies.rows import AnyRow, EventRow, IndexedRow, Row

_PROMPT, _COMPLETION = "llm.token_count.prompt_details", "llm.token_count.completion_details"
_FIRST_TOKEN = ("First Token Stream Event",)
# What the instrumented client was called with, as JSON. It is all there is about a request that was never answered.
_REQUEST = ("llm.invocation_parameters", "embedding.invocation_parameters")


def _documents(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name.removeprefix("document."): parsed(value) for name, value in item.items()} for item in items]


def _tools(items: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [_tool(item) for item in items]


def _tool(item: Mapping[str, Any]) -> Any:
    """Return the tool's schema with what is said beside it, under the full name where the schema says it otherwise."""
    beside = {name: value for name, value in item.items() if name != "tool.json_schema"}
    schema = parsed(item["tool.json_schema"]) if "tool.json_schema" in item else {}
    if not isinstance(schema, dict):
        return {"json_schema": schema, **beside} if beside else schema
    function = schema.get("function")
    known = {**schema, **(function if isinstance(function, dict) else {})}
    short = {name: name.removeprefix("tool.") for name in beside}
    told = {
        short[name] if short[name] not in known else name: value
        for name, value in beside.items()
        if short[name] not in known or parsed(value) != known[short[name]]
    }
    return {**schema, **told}


ROWS: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("openinference.span.kind",), read=operation),
    Row(member="provider", names=("llm.provider", "llm.system"), read=provider),
    Row(
        member="model",
        names=("llm.request.model_name", "llm.model_name", "embedding.model_name", "reranker.model_name"),
        read=text,
    ),
    Row(member="model", names=_REQUEST, read=inside("model", text)),
    Row(member="response_model", names=("llm.response.model_name",), read=text),
    Row(member="request_parameters", names=_REQUEST, read=json_object),
    Row(member="service_tier", names=_REQUEST, read=inside("service_tier", text)),
    Row(member="prompt_tokens", names=("llm.token_count.prompt",), read=tokens),
    Row(member="completion_tokens", names=("llm.token_count.completion",), read=tokens),
    Row(member="total_tokens", names=("llm.token_count.total",), read=tokens),
    Row(member="cache_read_tokens", names=(f"{_PROMPT}.cache_read", f"{_PROMPT}.cache_input"), read=tokens),
    Row(member="cache_write_5m_tokens", names=(f"{_PROMPT}.cache_write",), read=tokens),
    Row(member="audio_input_tokens", names=(f"{_PROMPT}.audio",), read=tokens),
    Row(member="audio_output_tokens", names=(f"{_COMPLETION}.audio",), read=tokens),
    Row(member="reasoning_tokens", names=(f"{_COMPLETION}.reasoning",), read=tokens),
    Row(member="reported_cost_nanousd", names=("llm.cost.total",), read=nano_dollars),
    Row(member="finish_reason", names=("llm.finish_reason",), read=finish),
    EventRow(member="streamed", names=_FIRST_TOKEN, read=happened),
    # A call is streamed only where it was asked for.
    Row(member="streamed", names=_REQUEST, read=inside("stream", boolean, otherwise=False)),
    EventRow(member="ttft_ms", names=_FIRST_TOKEN, read=since_start),
    IndexedRow(member="input_messages", prefix="llm.input_messages", read=spread_messages("user")),
    IndexedRow(member="output_messages", prefix="llm.output_messages", read=spread_messages("assistant")),
    *(
        IndexedRow(member=member, prefix=prefix, read=spread_texts(name), fields=fields, left=left_beside(name))
        for member, prefix, name, fields in (
            ("input_plain", "llm.prompts", "prompt.text", ("prompt.",)),
            ("input_plain", "embedding.embeddings", "embedding.text", ("embedding.text",)),
            ("output_plain", "llm.choices", "completion.text", ("",)),
        )
    ),
    Row(member="input_plain", names=("input.value", "tool_call.function.arguments"), read=any_text),
    Row(member="output_plain", names=("output.value",), read=any_text),
    IndexedRow(member="tools", prefix="llm.tools", read=_tools),
    Row(member="tool_name", names=("tool.name", "tool_call.function.name"), read=text),
    Row(member="agent_name", names=("agent.name",), read=text),
    Row(member="retrieval.query", names=("reranker.query",), read=any_text),
    Row(member="retrieval.top_k", names=("reranker.top_k",), read=present),
    IndexedRow(member="retrieval.documents", prefix="retrieval.documents", read=_documents),
    IndexedRow(member="retrieval.documents", prefix="reranker.output_documents", read=_documents),
    IndexedRow(member="retrieval.input_documents", prefix="reranker.input_documents", read=_documents),
    *(
        IndexedRow(member="evaluations", prefix=f"{kind}s", read=spread_evaluations(kind), left=evaluation_left(kind))
        for kind in ("evaluation", "annotation")
    ),
    Row(member="metadata", names=("metadata",), read=json_object),
    Row(member="session_id", names=("session.id",), read=text),
    Row(member="user_id", names=("user.id",), read=text),
    Row(member="user_id", names=_REQUEST, read=inside("user", text)),
    Row(member="tags", names=("tag.tags",), read=texts),
    Row(member="prompt_name", names=("prompt.id",), read=text),
)
