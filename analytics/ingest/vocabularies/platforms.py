"""Gateways and platforms that tell what they saw: LangSmith, Langfuse, MLflow, OpenRouter, LiteLLM, OpenLIT, Sentry."""

from analytics.ingest.documents import first_of, inside
from analytics.ingest.messages import calls, messages
from analytics.ingest.readers import (
    any_text,
    boolean,
    first_item,
    joined,
    json_list,
    json_object,
    nano_dollars,
    nanoseconds,
    operation,
    provider,
    seconds,
    text,
    texts,
    tokens,
    unquoted,
)
from analytics.ingest.vocabularies.rows import AnyRow, OpenRow, Row

_LS = "langsmith.metadata"
_LS_USAGE = ("langsmith.usage_metadata",)
# A root span tells the trace's input and output as well; a generation's own come first.
_LF_INPUT = ("langfuse.observation.input", "langfuse.trace.input")
_LF_OUTPUT = ("langfuse.observation.output", "langfuse.trace.output")
_LF_USAGE = ("langfuse.observation.usage_details", "gen_ai.usage_details")
_MLFLOW_USAGE = ("mlflow.chat.tokenUsage",)
_DETAIL = (
    ("cache_read_tokens", "input", "cache_read"),
    ("cache_write_5m_tokens", "input", "cache_creation"),
    ("audio_input_tokens", "input", "audio"),
    ("reasoning_tokens", "output", "reasoning"),
    ("audio_output_tokens", "output", "audio"),
)

_LANGSMITH: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("langsmith.span.kind",), read=operation),
    Row(member="provider", names=(f"{_LS}.ls_provider",), read=provider),
    Row(member="model", names=(f"{_LS}.ls_model_name",), read=text),
    Row(member="streamed", names=("langsmith.request.streaming",), read=boolean),
    Row(member="prompt_tokens", names=_LS_USAGE, read=inside("input_tokens", tokens)),
    Row(member="completion_tokens", names=_LS_USAGE, read=inside("output_tokens", tokens)),
    Row(member="total_tokens", names=_LS_USAGE, read=inside("total_tokens", tokens)),
    *(
        Row(member=member, names=(f"gen_ai.usage.{side}_token_details",), read=inside(key, tokens))
        for member, side, key in _DETAIL
    ),
    *(
        Row(member=member, names=_LS_USAGE, read=inside(f"{side}_token_details.{key}", tokens))
        for member, side, key in _DETAIL
    ),
    Row(member="reported_cost_nanousd", names=_LS_USAGE, read=inside("total_cost", nano_dollars)),
    Row(
        member="session_id",
        names=tuple(f"{_LS}.{name}" for name in ("session_id", "thread_id", "conversation_id")),
        read=text,
    ),
    Row(member="user_id", names=(f"{_LS}.user_id",), read=text),
    Row(member="tags", names=("langsmith.span.tags",), read=texts),
    OpenRow(member="metadata", prefix=_LS),
)
_LANGFUSE: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("langfuse.observation.type",), read=operation),
    Row(member="model", names=("langfuse.observation.model.name",), read=text),
    Row(member="request_parameters", names=("langfuse.observation.model.parameters",), read=json_object),
    Row(member="input_messages", names=_LF_INPUT, read=messages("user")),
    Row(member="input_plain", names=_LF_INPUT, read=unquoted(any_text)),
    Row(member="output_messages", names=_LF_OUTPUT, read=messages("assistant")),
    Row(member="output_plain", names=_LF_OUTPUT, read=unquoted(any_text)),
    Row(
        member="prompt_tokens", names=_LF_USAGE, read=first_of(inside("input", tokens), inside("prompt_tokens", tokens))
    ),
    Row(
        member="completion_tokens",
        names=_LF_USAGE,
        read=first_of(inside("output", tokens), inside("completion_tokens", tokens)),
    ),
    Row(member="total_tokens", names=_LF_USAGE, read=inside("total", tokens)),
    Row(
        member="cache_read_tokens",
        names=_LF_USAGE,
        read=first_of(
            inside("cache_read_input_tokens", tokens),
            inside("input_cached_tokens", tokens),
            inside("input_cache_read", tokens),
        ),
    ),
    Row(
        member="cache_write_5m_tokens",
        names=_LF_USAGE,
        read=first_of(inside("cache_creation_input_tokens", tokens), inside("input_cache_creation", tokens)),
    ),
    Row(
        member="reasoning_tokens",
        names=_LF_USAGE,
        read=first_of(inside("output_reasoning_tokens", tokens), inside("output_reasoning", tokens)),
    ),
    Row(
        member="reported_cost_nanousd",
        names=("langfuse.observation.cost_details",),
        read=inside("total", nano_dollars),
    ),
    Row(
        member="first_token_ns",
        names=("langfuse.observation.completion_start_time",),
        read=unquoted(nanoseconds),
        stays=True,
    ),
    Row(member="prompt_name", names=("langfuse.observation.prompt.name",), read=text),
    Row(member="session_id", names=("langfuse.session.id",), read=text),
    Row(member="user_id", names=("langfuse.user.id",), read=text),
    Row(member="tags", names=("langfuse.trace.tags",), read=texts),
    Row(member="environment", names=("langfuse.environment",), read=text),
    Row(member="error_message", names=("langfuse.observation.status_message",), read=text),
    OpenRow(member="metadata", prefix="langfuse.observation.metadata"),
    OpenRow(member="metadata", prefix="langfuse.trace.metadata"),
)
_MLFLOW: tuple[AnyRow, ...] = (
    Row(member="operation_name", names=("mlflow.spanType",), read=unquoted(operation)),
    Row(member="provider", names=("mlflow.llm.provider",), read=unquoted(provider)),
    Row(member="model", names=("mlflow.llm.model",), read=unquoted(text)),
    Row(member="input_messages", names=("mlflow.spanInputs",), read=messages("user")),
    Row(member="input_plain", names=("mlflow.spanInputs",), read=unquoted(any_text)),
    Row(member="model", names=("mlflow.spanInputs",), read=inside("model", text)),
    Row(member="output_messages", names=("mlflow.spanOutputs",), read=messages("assistant")),
    Row(member="output_plain", names=("mlflow.spanOutputs",), read=unquoted(any_text)),
    Row(member="prompt_tokens", names=_MLFLOW_USAGE, read=inside("input_tokens", tokens)),
    Row(member="completion_tokens", names=_MLFLOW_USAGE, read=inside("output_tokens", tokens)),
    Row(member="total_tokens", names=_MLFLOW_USAGE, read=inside("total_tokens", tokens)),
    Row(member="cache_read_tokens", names=_MLFLOW_USAGE, read=inside("cache_read_input_tokens", tokens)),
    Row(member="cache_write_5m_tokens", names=_MLFLOW_USAGE, read=inside("cache_creation_input_tokens", tokens)),
    Row(member="reported_cost_nanousd", names=("mlflow.llm.cost",), read=inside("total_cost", nano_dollars)),
    Row(member="tools", names=("mlflow.chat.tools",), read=json_list),
    Row(member="prompt_name", names=("mlflow.linkedPrompts",), read=first_item(inside("name", text))),
    Row(member="session_id", names=("mlflow.trace.session",), read=unquoted(text)),
    Row(member="user_id", names=("mlflow.trace.user",), read=unquoted(text)),
)
_GATEWAYS: tuple[AnyRow, ...] = (
    # OpenRouter and LiteLLM.
    Row(
        member="reported_cost_nanousd",
        names=("gen_ai.usage.total_cost", "gen_ai.cost.total_cost", "llm.cost.total_cost", "llm.response.cost"),
        read=nano_dollars,
    ),
    Row(member="service_tier", names=("gen_ai.response.service_tier", "gen_ai.request.service_tier"), read=text),
    Row(member="user_id", names=("metadata.user_api_key_end_user_id", "gen_ai.request.user"), read=text),
    Row(member="team_id", names=("metadata.user_api_key_team_id",), read=text),
    OpenRow(member="metadata", prefix="trace.metadata"),  # OpenRouter: what the request named, and what it did with it
    # Usage objects of OpenAI's APIs, spread over names.
    Row(
        member="cache_read_tokens",
        names=(
            "gen_ai.usage.prompt_tokens_details.cached_tokens",
            "gen_ai.usage.input_tokens_details.cached_tokens",
            "gen_ai.usage.cached_tokens",
            "gen_ai.usage.input_cached_tokens",
        ),
        read=tokens,
    ),
    Row(
        member="reasoning_tokens",
        names=(
            "gen_ai.usage.completion_tokens_details.reasoning_tokens",
            "gen_ai.usage.output_tokens_details.reasoning_tokens",
            "gen_ai.usage.reasoning_output_tokens",
        ),
        read=tokens,
    ),
    Row(member="audio_input_tokens", names=("gen_ai.usage.prompt_tokens_details.audio_tokens",), read=tokens),
    Row(member="audio_output_tokens", names=("gen_ai.usage.completion_tokens_details.audio_tokens",), read=tokens),
)
_OPENLIT: tuple[AnyRow, ...] = (
    Row(member="ttft_ms", names=("gen_ai.server.ttft",), read=seconds),
    Row(member="streamed", names=("gen_ai.request.is_stream",), read=boolean),
    Row(member="environment", names=("gen_ai.environment",), read=text),
    Row(member="input_messages", names=("gen_ai.content.prompt",), read=messages("user")),
    Row(member="input_plain", names=("gen_ai.content.prompt",), read=any_text),
    Row(member="output_messages", names=("gen_ai.content.completion",), read=messages("assistant")),
    Row(member="output_plain", names=("gen_ai.content.completion",), read=any_text),
)
_SENTRY: tuple[AnyRow, ...] = (
    Row(member="input_messages", names=("gen_ai.request.messages",), read=messages("user")),
    Row(member="answer", names=("gen_ai.response.text",), read=joined),
    Row(member="answer_calls", names=("gen_ai.response.tool_calls",), read=calls),
    Row(member="tools", names=("gen_ai.request.available_tools",), read=json_list),
    Row(member="input_plain", names=("gen_ai.tool.input",), read=any_text),
    Row(member="output_plain", names=("gen_ai.tool.output",), read=any_text),
    Row(member="streamed", names=("gen_ai.response.streaming",), read=boolean),
    Row(member="workflow_name", names=("gen_ai.pipeline.name",), read=text),
    Row(member="cache_write_5m_tokens", names=("gen_ai.usage.input_tokens.cache_write",), read=tokens),
)

ROWS: tuple[AnyRow, ...] = (*_LANGSMITH, *_LANGFUSE, *_MLFLOW, *_GATEWAYS, *_OPENLIT, *_SENTRY)
