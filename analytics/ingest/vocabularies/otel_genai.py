"""OpenTelemetry's semantic conventions for generative AI, newer names before older ones."""

from analytics.ingest.message_events import EventMessages
from analytics.ingest.messages import instructions, messages
from analytics.ingest.readers import (
    any_text,
    boolean,
    finish,
    json_list,
    nano_dollars,
    otel_operation,
    present,
    provider,
    seconds,
    text,
    tokens,
)
from analytics.ingest.vocabularies.events import evaluations, last_text
from analytics.ingest.vocabularies.rows import AnyRow, EventRow, Row

# Attributes of the resource: member -> names, first usable wins.
RESOURCE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("service_name", ("service.name",)),
    ("environment", ("deployment.environment.name", "deployment.environment")),
)

_INPUT_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_ASKED, _ANSWERED = EventMessages(_INPUT_EVENTS), EventMessages({"gen_ai.choice": "assistant"}, inner="message")
_PROMPTED = EventMessages({"gen_ai.content.prompt": "user"}, inner="gen_ai.prompt")
_COMPLETED = EventMessages({"gen_ai.content.completion": "assistant"}, inner="gen_ai.completion")
_SERVICE_TIERS = (
    "openai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.openai.request.service_tier",
)
_REQUEST_PARAMETERS = (
    "temperature", "top_p", "top_k", "max_tokens", "stop_sequences", "seed", "frequency_penalty", "presence_penalty",
    "choice.count", "encoding_formats", "reasoning.level",
)  # fmt: skip

ROWS: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("gen_ai.operation.name",), read=otel_operation),
    Row(member="provider", names=("gen_ai.provider.name", "gen_ai.system"), read=provider),
    Row(member="model", names=("gen_ai.request.model",), read=text),
    Row(member="response_model", names=("gen_ai.response.model",), read=text),
    Row(member="response_id", names=("gen_ai.response.id",), read=text),
    *(
        Row(member=f"request_parameters.{name}", names=(f"gen_ai.request.{name}",), read=present)
        for name in _REQUEST_PARAMETERS
    ),
    Row(member="request_parameters.seed", names=("gen_ai.openai.request.seed",), read=present),
    Row(member="request_parameters.response_format", names=("gen_ai.openai.request.response_format",), read=present),
    Row(member="request_parameters.output_type", names=("gen_ai.output.type",), read=present),
    Row(member="request_parameters.dimensions", names=("gen_ai.embeddings.dimension.count",), read=present),
    # The tier asked for is a parameter of the request as well, and the only trace of it once another tier answered.
    Row(
        member="request_parameters.service_tier",
        names=("openai.request.service_tier", "gen_ai.openai.request.service_tier"),
        read=text,
    ),
    Row(member="service_tier", names=_SERVICE_TIERS, read=text),
    Row(member="prompt_tokens", names=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"), read=tokens),
    Row(
        member="completion_tokens",
        names=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        read=tokens,
    ),
    Row(member="cache_read_tokens", names=("gen_ai.usage.cache_read.input_tokens",), read=tokens),
    Row(
        member="cache_write_5m_tokens",
        names=("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        read=tokens,
    ),
    Row(
        member="cache_write_1h_tokens",
        names=("gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",),
        read=tokens,
    ),
    Row(member="audio_input_tokens", names=("gen_ai.usage.audio.input_tokens",), read=tokens),
    Row(member="audio_output_tokens", names=("gen_ai.usage.audio.output_tokens",), read=tokens),
    Row(member="reasoning_tokens", names=("gen_ai.usage.reasoning.output_tokens",), read=tokens),
    Row(member="reported_cost_nanousd", names=("gen_ai.usage.cost",), read=nano_dollars),
    Row(member="finish_reason", names=("gen_ai.response.finish_reasons",), read=finish),
    Row(member="streamed", names=("gen_ai.request.stream",), read=boolean),
    Row(member="ttft_ms", names=("gen_ai.response.time_to_first_chunk",), read=seconds),
    Row(member="instructions", names=("gen_ai.system_instructions",), read=instructions),
    Row(member="input_messages", names=("gen_ai.input.messages",), read=messages("user")),
    EventRow(member="input_messages", names=tuple(_INPUT_EVENTS), read=_ASKED, left=_ASKED.left),
    Row(member="output_messages", names=("gen_ai.output.messages",), read=messages("assistant")),
    EventRow(member="output_messages", names=("gen_ai.choice",), read=_ANSWERED, left=_ANSWERED.left),
    # Before messages had a form, prompt and completion were one attribute or the attribute of an event.
    Row(member="input_messages", names=("gen_ai.prompt",), read=messages("user")),
    Row(member="output_messages", names=("gen_ai.completion",), read=messages("assistant")),
    EventRow(member="input_messages", names=("gen_ai.content.prompt",), read=_PROMPTED, left=_PROMPTED.left),
    EventRow(member="output_messages", names=("gen_ai.content.completion",), read=_COMPLETED, left=_COMPLETED.left),
    # Arguments and result of a tool, and messages that were cut in the middle and are no JSON any more.
    Row(
        member="input_plain",
        names=("gen_ai.tool.call.arguments", "gen_ai.input.messages", "gen_ai.prompt"),
        read=any_text,
    ),
    Row(
        member="output_plain",
        names=("gen_ai.tool.call.result", "gen_ai.output.messages", "gen_ai.completion"),
        read=any_text,
    ),
    Row(member="tools", names=("gen_ai.tool.definitions",), read=json_list),
    Row(member="tool_name", names=("gen_ai.tool.name",), read=text),
    Row(member="agent_name", names=("gen_ai.agent.name",), read=text),
    Row(member="agent_name", names=("gen_ai.agent.id",), read=text, stays=True),
    Row(member="workflow_name", names=("gen_ai.workflow.name",), read=text),
    Row(member="retrieval.query", names=("gen_ai.retrieval.query.text",), read=any_text),
    Row(member="retrieval.documents", names=("gen_ai.retrieval.documents",), read=json_list),
    Row(member="retrieval.top_k", names=("retrieval.top_k",), read=present),
    Row(member="session_id", names=("gen_ai.conversation.id", "session.id"), read=text),
    Row(member="user_id", names=("user.id", "enduser.id"), read=text),
    Row(member="prompt_name", names=("gen_ai.prompt.name",), read=text),
    EventRow(member="evaluations", names=("gen_ai.evaluation.result",), read=evaluations),
    Row(member="error_type", names=("error.type",), read=text),
    EventRow(member="error_type", names=("exception",), read=last_text("exception.type")),
    EventRow(member="error_message", names=("exception",), read=last_text("exception.message")),
)
