"""Agent frameworks: pydantic-ai and logfire, Google ADK, Genkit, Semantic Kernel, Strands.

They speak OTel's names in the main; here is what each says in its own. Names that anybody could have stay attributes.
"""

from analytics.ingest.documents import first_of, inside
from analytics.ingest.message_events import listed_events
from analytics.ingest.messages import messages
from analytics.ingest.readers import (
    any_text,
    finish,
    json_list,
    json_object,
    nano_dollars,
    operation,
    present,
    seconds_or_milliseconds,
    text,
    tokens,
    unquoted,
)
from analytics.ingest.vocabularies.rows import AnyRow, Row

_DETAILS = "gen_ai.usage.details"
_EVENTS = ("events", "all_messages_events")
_RAW_USAGE = ("gen_ai.usage.raw",)
# What logfire says of the parts of a usage only in the provider's own object, under the names of OpenAI's two APIs and
# Anthropic's. Its totals include them.
_LOGFIRE_PARTS = (
    ("cache_read_tokens", ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
                           "cache_read_input_tokens")),
    ("cache_write_5m_tokens", ("cache_creation_input_tokens",)),
    ("cache_write_1h_tokens", ("cache_creation.ephemeral_1h_input_tokens",)),
    ("reasoning_tokens", ("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens")),
    ("audio_input_tokens", ("prompt_tokens_details.audio_tokens",)),
    ("audio_output_tokens", ("completion_tokens_details.audio_tokens",)),
)  # fmt: skip
_ADK_REQUEST, _ADK_RESPONSE = ("gcp.vertex.agent.llm_request",), ("gcp.vertex.agent.llm_response",)
_GENKIT_INPUT, _GENKIT_OUTPUT = ("genkit:input",), ("genkit:output",)
# Part of the usage -> where Google's API and Genkit have it.
_ADK_USAGE = (
    ("prompt_tokens", "prompt_token_count"),
    ("completion_tokens", "candidates_token_count"),
    ("total_tokens", "total_token_count"),
    ("cache_read_tokens", "cached_content_token_count"),
    ("reasoning_tokens", "thoughts_token_count"),
)
_GENKIT_USAGE = (
    ("prompt_tokens", "inputTokens"),
    ("completion_tokens", "outputTokens"),
    ("total_tokens", "totalTokens"),
    ("cache_read_tokens", "cachedContentTokens"),
    ("reasoning_tokens", "thoughtsTokens"),
)

_PYDANTIC: tuple[AnyRow, ...] = (
    Row(member="model", names=("model_name",), read=text, stays=True),
    Row(
        member="cache_read_tokens",
        names=(
            f"{_DETAILS}.cache_read_tokens",
            f"{_DETAILS}.cache_read_input_tokens",
            f"{_DETAILS}.cached_tokens",
            f"{_DETAILS}.cached_content_tokens",
        ),
        read=tokens,
    ),
    Row(
        member="cache_write_5m_tokens",
        names=(f"{_DETAILS}.cache_write_tokens", f"{_DETAILS}.cache_creation_input_tokens"),
        read=tokens,
    ),
    Row(
        member="reasoning_tokens",
        names=(f"{_DETAILS}.reasoning_tokens", f"{_DETAILS}.thoughts_tokens"),
        read=tokens,
    ),
    Row(member="audio_input_tokens", names=(f"{_DETAILS}.input_audio_tokens",), read=tokens),
    Row(member="audio_output_tokens", names=(f"{_DETAILS}.output_audio_tokens",), read=tokens),
    *(
        Row(member=member, names=_RAW_USAGE, read=first_of(*(inside(path, tokens) for path in paths)), stays=True)
        for member, paths in _LOGFIRE_PARTS
    ),
    Row(member="reported_cost_nanousd", names=("operation.cost",), read=nano_dollars),
    Row(member="input_messages", names=_EVENTS, read=listed_events(answers=False)),
    Row(member="output_messages", names=_EVENTS, read=listed_events(answers=True)),
    Row(
        member="input_messages",
        names=("pydantic_ai.all_messages", "all_messages", "request_data"),
        read=messages("user"),
    ),
    Row(member="output_messages", names=("response_data",), read=messages("assistant")),
    Row(member="model", names=("request_data",), read=inside("model", text)),
    Row(member="output_plain", names=("response_data",), read=inside("combined_chunk_content", any_text)),
    Row(member="input_plain", names=("tool_arguments",), read=any_text, stays=True),
    Row(member="output_plain", names=("tool_response", "final_result"), read=any_text, stays=True),
    Row(member="tools", names=("model_request_parameters",), read=inside("function_tools", json_list), stays=True),
    Row(member="agent_name", names=("agent_name",), read=text, stays=True),
)
_ADK: tuple[AnyRow, ...] = (
    Row(member="model", names=_ADK_REQUEST, read=inside("model", text)),
    Row(member="response_model", names=_ADK_RESPONSE, read=inside("model_version", text)),
    Row(member="input_messages", names=_ADK_REQUEST, read=messages("user")),
    Row(member="output_messages", names=_ADK_RESPONSE, read=messages("assistant")),
    Row(member="request_parameters.temperature", names=_ADK_REQUEST, read=inside("config.temperature", present)),
    Row(member="request_parameters.top_p", names=_ADK_REQUEST, read=inside("config.top_p", present)),
    Row(member="request_parameters.max_tokens", names=_ADK_REQUEST, read=inside("config.max_output_tokens", present)),
    Row(member="tools", names=_ADK_REQUEST, read=inside("config.tools", json_list)),
    Row(member="reasoning_tokens", names=("gen_ai.usage.experimental.reasoning_tokens",), read=tokens),
    *(
        Row(member=member, names=_ADK_RESPONSE, read=inside(f"usage_metadata.{key}", tokens))
        for member, key in _ADK_USAGE
    ),
    Row(member="finish_reason", names=_ADK_RESPONSE, read=inside("finish_reason", finish)),
    Row(member="input_plain", names=("gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.data"), read=any_text),
    Row(member="output_plain", names=("gcp.vertex.agent.tool_response",), read=any_text),
    Row(member="tools", names=("gen_ai.tool_definitions",), read=json_list),
    Row(member="session_id", names=("gcp.vertex.agent.session_id",), read=text),
)
_GENKIT: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("genkit:metadata:subtype",), read=operation),
    # `googleai/gemini-2.5-flash` on a model's span, the name of a tool or a flow on others.
    Row(member="entity_name", names=("genkit:name",), read=text, stays=True),
    Row(member="input_messages", names=_GENKIT_INPUT, read=messages("user")),
    Row(member="output_messages", names=_GENKIT_OUTPUT, read=messages("assistant")),
    Row(member="request_parameters", names=_GENKIT_INPUT, read=inside("config", json_object)),
    Row(member="tools", names=_GENKIT_INPUT, read=inside("tools", json_list)),
    *(Row(member=member, names=_GENKIT_OUTPUT, read=inside(f"usage.{key}", tokens)) for member, key in _GENKIT_USAGE),
    Row(member="finish_reason", names=_GENKIT_OUTPUT, read=inside("finishReason", finish)),
    Row(member="input_plain", names=_GENKIT_INPUT, read=unquoted(any_text)),
    Row(member="output_plain", names=_GENKIT_OUTPUT, read=unquoted(any_text)),
    Row(member="session_id", names=("genkit:sessionId",), read=text),
)
_OTHERS: tuple[AnyRow, ...] = (
    # Semantic Kernel before 1.20.
    Row(member="prompt_tokens", names=("gen_ai.response.prompt_tokens",), read=tokens),
    Row(member="completion_tokens", names=("gen_ai.response.completion_tokens",), read=tokens),
    # Strands; OpenLIT has the time in seconds under the same name.
    Row(member="cache_write_5m_tokens", names=("gen_ai.usage.cache_write_input_tokens",), read=tokens),
    Row(member="ttft_ms", names=("gen_ai.server.time_to_first_token",), read=seconds_or_milliseconds),
)

ROWS: tuple[AnyRow, ...] = (*_PYDANTIC, *_ADK, *_GENKIT, *_OTHERS)
