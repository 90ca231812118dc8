"""OpenLLMetry (Traceloop): `traceloop.*`, `llm.*` and names of its own under `gen_ai.`."""

from collections.abc import Mapping, Sequence
from typing import Any

from analytics.ingest.readers import any_text, boolean, finish, operation, parsed, present, provider, text, tokens
from analytics.ingest.spread import spread_messages
from analytics.ingest.vocabularies.events import happened, since_start
from analytics.ingest.vocabularies.rows import AnyRow, EventRow, IndexedRow, OpenRow, Row

_CHUNKS = ("gen_ai.content.completion.chunk", "llm.content.completion.chunk")
_PROPERTIES = "traceloop.association.properties"
_REQUEST_PARAMETERS = (
    "repetition_penalty", "reasoning_effort", "n", "max_completion_tokens", "structured_output_schema",
    "reasoning_summary",
)  # fmt: skip


def _functions(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: parsed(value) for name, value in item.items()} for item in items]


ROWS: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("traceloop.span.kind", "llm.request.type"), read=operation),
    *(
        Row(member=f"request_parameters.{name}", names=(f"gen_ai.request.{name}",), read=present)
        for name in _REQUEST_PARAMETERS
    ),
    Row(member="request_parameters.frequency_penalty", names=("llm.frequency_penalty",), read=present),
    Row(member="request_parameters.presence_penalty", names=("llm.presence_penalty",), read=present),
    Row(member="request_parameters.top_k", names=("llm.top_k",), read=present),
    Row(member="request_parameters.stop_sequences", names=("llm.chat.stop_sequences",), read=present),
    Row(member="request_parameters.repetition_penalty", names=("llm.request.repetition_penalty",), read=present),
    Row(member="request_parameters.reasoning_effort", names=("llm.request.reasoning_effort",), read=present),
    *(
        Row(member=f"request_parameters.{name}", names=(f"llm.watsonx.{name}",), read=present)
        for name in ("decoding_method", "random_seed", "max_new_tokens", "min_new_tokens", "repetition_penalty")
    ),
    Row(member="total_tokens", names=("gen_ai.usage.total_tokens", "llm.usage.total_tokens"), read=tokens),
    Row(member="cache_read_tokens", names=("gen_ai.usage.cache_read_input_tokens",), read=tokens),
    Row(member="cache_write_5m_tokens", names=("gen_ai.usage.cache_creation_input_tokens",), read=tokens),
    Row(
        member="reasoning_tokens",
        names=("gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens"),
        read=tokens,
    ),
    Row(
        member="finish_reason",
        names=(
            "gen_ai.completion.0.finish_reason",
            "llm.completions.0.finish_reason",
            "gen_ai.response.finish_reason",
            "gen_ai.response.stop_reason",
            "llm.response.stop_reason",
        ),
        read=finish,
    ),
    Row(member="streamed", names=("gen_ai.is_streaming", "llm.is_streaming"), read=boolean),
    EventRow(member="streamed", names=_CHUNKS, read=happened),
    EventRow(member="ttft_ms", names=_CHUNKS, read=since_start),
    IndexedRow(member="input_messages", prefix="gen_ai.prompt", read=spread_messages("user")),
    IndexedRow(member="output_messages", prefix="gen_ai.completion", read=spread_messages("assistant")),
    # Its first names, before it took OTel's.
    IndexedRow(member="input_messages", prefix="llm.prompts", read=spread_messages("user")),
    IndexedRow(member="output_messages", prefix="llm.completions", read=spread_messages("assistant")),
    Row(member="provider", names=("llm.vendor",), read=provider),
    Row(member="request_parameters.temperature", names=("llm.temperature",), read=present),
    Row(member="request_parameters.top_p", names=("llm.top_p",), read=present),
    Row(
        member="input_plain",
        names=("traceloop.entity.input", "gen_ai.task.input", "mcp.request.argument"),
        read=any_text,
    ),
    Row(
        member="output_plain",
        names=("traceloop.entity.output", "gen_ai.task.output", "mcp.response.value"),
        read=any_text,
    ),
    Row(member="retrieval.top_k", names=("db.vector.query.top_k", "pinecone.query.top_k"), read=present),
    IndexedRow(member="tools", prefix="llm.request.functions", read=_functions),
    # The name of a tool on a tool's span, of something else on others.
    Row(member="entity_name", names=("traceloop.entity.name",), read=text, stays=True),
    Row(member="workflow_name", names=("traceloop.workflow.name",), read=text),
    Row(member="workflow_name", names=("traceloop.entity.path",), read=text, stays=True),
    Row(member="session_id", names=(f"{_PROPERTIES}.session_id",), read=text),
    Row(member="user_id", names=("gen_ai.user", "llm.user", f"{_PROPERTIES}.user_id"), read=text),
    Row(member="team_id", names=(f"{_PROPERTIES}.team_id",), read=text),
    OpenRow(member="metadata", prefix=_PROPERTIES),
    Row(member="prompt_name", names=("traceloop.prompt.key",), read=text),
)
