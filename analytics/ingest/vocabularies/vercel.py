"""Vercel AI SDK: `ai.*`, names of its versions 3 to 7. A question to a model is a span inside its function's."""

from analytics.ingest.documents import first_of, inside
from analytics.ingest.messages import calls, messages, prompt
from analytics.ingest.readers import (
    any_text,
    finish,
    joined,
    json_list,
    milliseconds,
    operation,
    present,
    provider,
    seconds,
    text,
    tokens,
)
from analytics.ingest.vocabularies.events import happened, last, since_start
from analytics.ingest.vocabularies.rows import AnyRow, EventRow, OpenRow, Row

_METADATA = "ai.telemetry.metadata"
_FIRST_CHUNK = ("ai.stream.firstChunk",)
# Where providers put what the SDK has no name for.
_PROVIDER_METADATA = ("ai.response.providerMetadata", "ai.result.providerMetadata")
_WRITTEN = first_of(
    inside("anthropic.cacheCreationInputTokens", tokens),
    inside("anthropic.usage.cache_creation_input_tokens", tokens),
    inside("bedrock.usage.cacheWriteInputTokens", tokens),
)
_READ = first_of(
    inside("anthropic.cacheReadInputTokens", tokens),
    inside("anthropic.usage.cache_read_input_tokens", tokens),
    inside("bedrock.usage.cacheReadInputTokens", tokens),
    inside("openai.cachedPromptTokens", tokens),
    inside("google.usageMetadata.cachedContentTokenCount", tokens),
)
_REASONED = first_of(
    inside("openai.reasoningTokens", tokens),
    inside("google.usageMetadata.thoughtsTokenCount", tokens),
)

ROWS: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("ai.operationId",), read=operation),
    Row(member="provider", names=("ai.model.provider",), read=provider),
    Row(member="model", names=("ai.model.id",), read=text),
    Row(member="response_model", names=("ai.response.model",), read=text),
    Row(member="response_id", names=("ai.response.id",), read=text),
    Row(
        member="request_parameters.max_tokens",
        names=("ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
        read=present,
    ),
    Row(member="request_parameters.top_p", names=("ai.settings.topP",), read=present),
    Row(member="request_parameters.top_k", names=("ai.settings.topK",), read=present),
    Row(member="request_parameters.frequency_penalty", names=("ai.settings.frequencyPenalty",), read=present),
    Row(member="request_parameters.presence_penalty", names=("ai.settings.presencePenalty",), read=present),
    Row(member="request_parameters.stop_sequences", names=("ai.settings.stopSequences",), read=present),
    Row(member="request_parameters.tool_choice", names=("ai.prompt.toolChoice",), read=present),
    OpenRow(member="request_parameters", prefix="ai.settings"),
    Row(
        member="prompt_tokens",
        names=("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        read=tokens,
    ),
    Row(member="completion_tokens", names=("ai.usage.outputTokens", "ai.usage.completionTokens"), read=tokens),
    Row(member="total_tokens", names=("ai.usage.totalTokens",), read=tokens),
    Row(
        member="cache_read_tokens",
        names=("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
        read=tokens,
    ),
    Row(member="cache_read_tokens", names=_PROVIDER_METADATA, read=_READ, stays=True),
    Row(member="cache_write_5m_tokens", names=("ai.usage.inputTokenDetails.cacheWriteTokens",), read=tokens),
    Row(member="cache_write_5m_tokens", names=_PROVIDER_METADATA, read=_WRITTEN, stays=True),
    Row(
        member="reasoning_tokens",
        names=("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
        read=tokens,
    ),
    Row(member="reasoning_tokens", names=_PROVIDER_METADATA, read=_REASONED, stays=True),
    Row(member="finish_reason", names=("ai.response.finishReason", "ai.finishReason"), read=finish),
    EventRow(member="streamed", names=_FIRST_CHUNK, read=happened),
    Row(member="ttft_ms", names=("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"), read=milliseconds),
    # Version 7 tells in OTel's names, this one being that of a metric.
    Row(member="ttft_ms", names=("gen_ai.client.operation.time_to_first_chunk",), read=seconds),
    EventRow(member="ttft_ms", names=_FIRST_CHUNK, read=last("ai.response.msToFirstChunk", milliseconds)),
    EventRow(member="ttft_ms", names=_FIRST_CHUNK, read=since_start),
    Row(member="input_messages", names=("ai.prompt.messages",), read=messages("user")),
    Row(member="input_messages", names=("ai.prompt",), read=prompt),
    Row(
        member="input_plain",
        names=("ai.prompt", "ai.value", "ai.values", "ai.documents", "ai.toolCall.args"),
        read=joined,
    ),
    Row(member="answer", names=("ai.response.text", "ai.result.text"), read=any_text),
    Row(member="answer_calls", names=("ai.response.toolCalls", "ai.result.toolCalls"), read=calls),
    Row(member="answer_reasoning", names=("ai.response.reasoning", "ai.result.reasoning"), read=any_text),
    Row(
        member="output_plain",
        names=("ai.response.object", "ai.result.object", "ai.toolCall.result", "ai.toolCall.output", "ai.ranking"),
        read=any_text,
    ),
    Row(member="tools", names=("ai.prompt.tools",), read=json_list),
    Row(member="tool_name", names=("ai.toolCall.name",), read=text),
    Row(member="agent_name", names=("ai.telemetry.functionId",), read=text),
    Row(member="user_id", names=(f"{_METADATA}.userId", f"{_METADATA}.user_id"), read=text),
    Row(member="session_id", names=(f"{_METADATA}.sessionId", f"{_METADATA}.session_id"), read=text),
    OpenRow(member="metadata", prefix=_METADATA),
)
