"""Plain `llm.*` of hand-written instrumentation, and names met under `gen_ai.` elsewhere."""

from analytics.ingest.readers import any_text, finish, milliseconds, nano_dollars, present, text, texts, tokens
from analytics.ingest.vocabularies.events import happened, since_start
from analytics.ingest.vocabularies.rows import AnyRow, EventRow, Row

ROWS: tuple[AnyRow, ...] = (
    Row(member="model", names=("llm.request.model", "llm.model"), read=text),
    Row(member="response_model", names=("llm.response.model",), read=text),
    *(
        Row(member=f"request_parameters.{name}", names=(f"llm.request.{name}",), read=present)
        for name in ("temperature", "max_tokens", "top_p")
    ),
    Row(member="prompt_tokens", names=("llm.usage.prompt_tokens",), read=tokens),
    Row(member="completion_tokens", names=("llm.usage.completion_tokens",), read=tokens),
    Row(
        member="reported_cost_nanousd",
        names=("llm.cost.total_usd", "llm.cost.amount_usd"),
        read=nano_dollars,
    ),
    Row(member="finish_reason", names=("llm.response.finish_reason",), read=finish),
    EventRow(member="streamed", names=("llm.first_token",), read=happened),
    Row(member="ttft_ms", names=("llm.latency.ttft_ms", "llm.metrics.ttft_ms"), read=milliseconds),
    Row(member="input_plain", names=("llm.prompt", "llm.input"), read=any_text),
    Row(member="output_plain", names=("llm.completion", "llm.output", "llm.response.content"), read=any_text),
    Row(member="session_id", names=("llm.session.id",), read=text),
    Row(member="user_id", names=("llm.user.id",), read=text),
    Row(member="team_id", names=("team.id", "llm.team.id"), read=text),
    Row(member="tags", names=("llm.tags",), read=texts),
    Row(member="environment", names=("llm.environment",), read=text),
    Row(member="error_type", names=("error",), read=text),
    Row(member="error_message", names=("error.message",), read=text),
)

# Tried after everything else that is known.
LAST_ROWS: tuple[AnyRow, ...] = (
    Row(member="cache_read_tokens", names=("gen_ai.usage.input_tokens.cached",), read=tokens),
    Row(member="reasoning_tokens", names=("gen_ai.usage.output_tokens.reasoning",), read=tokens),
    EventRow(member="ttft_ms", names=("llm.first_token",), read=since_start),
)
