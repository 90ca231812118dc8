"""Names met elsewhere: the Vercel AI SDK's `ai.*` and plain `llm.*` of hand-written instrumentation."""

from analytics.ingest.messages import messages
from analytics.ingest.readers import (
    any_text,
    json_list,
    milliseconds,
    nano_dollars,
    present,
    provider,
    text,
    texts,
    tokens,
)
from analytics.ingest.vocabularies.events import happened, since_start
from analytics.ingest.vocabularies.rows import AnyRow, EventRow, OpenRow, Row

ROWS: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("ai.operationId",), read=text),
    Row(member="provider", names=("ai.model.provider",), read=provider),
    Row(member="model", names=("llm.request.model", "llm.model", "ai.model.id"), read=text),
    Row(member="response_model", names=("llm.response.model", "ai.response.model"), read=text),
    Row(member="response_id", names=("ai.response.id",), read=text),
    *(
        Row(member=f"request_parameters.{name}", names=(f"llm.request.{name}",), read=present)
        for name in ("temperature", "max_tokens", "top_p")
    ),
    OpenRow(member="request_parameters", prefix="ai.settings"),
    Row(
        member="prompt_tokens",
        names=("llm.usage.prompt_tokens", "ai.usage.inputTokens", "ai.usage.promptTokens"),
        read=tokens,
    ),
    Row(
        member="completion_tokens",
        names=("llm.usage.completion_tokens", "ai.usage.outputTokens", "ai.usage.completionTokens"),
        read=tokens,
    ),
    Row(member="total_tokens", names=("ai.usage.totalTokens",), read=tokens),
    Row(
        member="cache_read_tokens",
        names=("ai.usage.cachedInputTokens", "gen_ai.usage.input_tokens.cached"),
        read=tokens,
    ),
    Row(
        member="reasoning_tokens",
        names=("ai.usage.reasoningTokens", "gen_ai.usage.output_tokens.reasoning"),
        read=tokens,
    ),
    Row(
        member="reported_cost_nanousd",
        names=("llm.cost.total_usd", "llm.cost.amount_usd"),
        read=nano_dollars,
    ),
    Row(member="finish_reason", names=("llm.response.finish_reason", "ai.response.finishReason"), read=text),
    EventRow(member="streamed", names=("llm.first_token",), read=happened),
    Row(
        member="ttft_ms",
        names=("llm.latency.ttft_ms", "llm.metrics.ttft_ms", "ai.response.msToFirstChunk"),
        read=milliseconds,
    ),
    EventRow(member="ttft_ms", names=("llm.first_token",), read=since_start),
    Row(member="input_messages", names=("ai.prompt.messages", "ai.prompt"), read=messages("user")),
    Row(member="input_plain", names=("llm.prompt", "llm.input", "ai.prompt", "ai.toolCall.args"), read=any_text),
    Row(
        member="output_plain",
        names=("llm.completion", "llm.output", "llm.response.content", "ai.response.text", "ai.toolCall.result"),
        read=any_text,
    ),
    Row(member="tools", names=("ai.prompt.tools",), read=json_list),
    Row(member="tool_name", names=("ai.toolCall.name",), read=text),
    OpenRow(member="metadata", prefix="ai.telemetry.metadata"),
    Row(member="session_id", names=("llm.session.id",), read=text),
    Row(member="user_id", names=("llm.user.id",), read=text),
    Row(member="team_id", names=("team.id", "llm.team.id"), read=text),
    Row(member="tags", names=("llm.tags",), read=texts),
    Row(member="environment", names=("llm.environment",), read=text),
    Row(member="error_type", names=("error",), read=text),
    Row(member="error_message", names=("error.message",), read=text),
)
