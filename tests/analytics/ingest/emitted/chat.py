"""A question to gpt-4o: 1000 tokens in, 300 of them from the cache; 500 out, 100 of them reasoning."""

import json
from typing import Any

from analytics.pricing.usage import Usage
from tests.analytics.ingest.emitted import Payload, event

SYSTEM, QUESTION, ANSWER = "Answer briefly.", "Which river flows through Dresden?", "The Elbe."
ROW: dict[str, Any] = {
    "operation_name": "chat",
    "provider": "openai",
    "model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "response_id": "chatcmpl-1",
    "input_type": "chat",
    "input_text": f"{SYSTEM}\n{QUESTION}",
    "output_text": ANSWER,
    "input_messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}],
    "output_messages": [{"role": "assistant", "content": ANSWER}],
    "finish_reason": "stop",
    "request_parameters": {"temperature": 0.5, "max_tokens": 400},
    "usage": Usage(uncached_input=700, cache_read=300, visible_output=400, reasoning=100),
    "usage_rule": "inclusive",
}
_OPENAI_IN = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
_OPENAI_OUT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
}
_OPENAI_LEFT = {name: value for name, value in _OPENAI_OUT.items() if name != "choices"}


def _said(role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}], **more}


_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.max_tokens": 400,
    "gen_ai.response.finish_reasons": ["stop"],
}
_USAGE = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 500}
_DETAILS = {"gen_ai.usage.cache_read.input_tokens": 300, "gen_ai.usage.reasoning.output_tokens": 100}
_MESSAGES = {
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM}]),
    "gen_ai.input.messages": json.dumps([_said("user", QUESTION)]),
    "gen_ai.output.messages": json.dumps([_said("assistant", ANSWER, finish_reason="stop")]),
}
_ALL_MESSAGES = {
    "gen_ai.input.messages": json.dumps([_said("system", SYSTEM), _said("user", QUESTION)]),
    "gen_ai.output.messages": _MESSAGES["gen_ai.output.messages"],
}
_VERCEL_MESSAGES = json.dumps(
    [{"role": "system", "content": SYSTEM}, {"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
)
_VERCEL = {
    "operation.name": "ai.generateText.doGenerate",
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.provider": "openai.chat",
    "ai.model.id": "gpt-4o",
    "ai.settings.temperature": 0.5,
    "ai.prompt.messages": _VERCEL_MESSAGES,
    "ai.response.text": ANSWER,
    "ai.response.finishReason": "stop",
    "ai.response.id": "chatcmpl-1",
    "ai.response.model": "gpt-4o-2024-08-06",
    "ai.response.timestamp": "2026-03-01T10:00:01.000Z",
}
_VERCEL_STAYS = ("operation.name", "ai.response.timestamp")
_VERCEL_DETAILS = json.dumps({"openai": {"reasoningTokens": 100, "cachedPromptTokens": 300}})
_LANGCHAIN_IN = {
    "messages": [
        [
            {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "SystemMessage"], "kwargs": {"content": SYSTEM, "type": "system"}},
            {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": QUESTION, "type": "human"}},
        ]
    ]
}  # fmt: skip
_LANGCHAIN_OUT = {
    "generations": [
        [
            {
                "text": ANSWER,
                "generation_info": {"finish_reason": "stop"},
                "message": {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "AIMessage"], "kwargs": {"content": ANSWER, "type": "ai"}},
            }
        ]
    ]
}  # fmt: skip
_LANGSMITH = {
    **_CALL,
    **_USAGE,
    "gen_ai.system": "openai",
    "gen_ai.usage.total_tokens": 1500,
    "gen_ai.usage.input_token_details": json.dumps({"cache_read": 300, "audio": 0}),
    "gen_ai.usage.output_token_details": json.dumps({"reasoning": 100, "audio": 0}),
    "langsmith.span.kind": "llm",
    "langsmith.trace.name": "ChatOpenAI",
}

PAYLOADS = (
    Payload(
        emitter="opentelemetry-instrumentation-openai-v2 2.3 (semconv 1.38, messages as JSON)",
        scope="opentelemetry.instrumentation.openai_v2",
        attributes={**_CALL, **_USAGE, **_DETAILS, **_MESSAGES, "gen_ai.provider.name": "openai", "server.port": 443},
        stays=("server.port",),
    ),
    Payload(
        emitter="an SDK with structured attributes (semconv 1.39)",
        attributes={
            **_CALL,
            **_USAGE,
            **_DETAILS,
            "gen_ai.provider.name": "openai",
            **{name: json.loads(value) for name, value in _MESSAGES.items()},
        },
    ),
    Payload(
        emitter="opentelemetry-instrumentation-openai-v2 2.1 (semconv 1.30, an event a message)",
        scope="opentelemetry.instrumentation.openai_v2",
        attributes={**_CALL, **_USAGE, **_DETAILS, "gen_ai.system": "openai"},
        events=[
            event("gen_ai.system.message", **{"gen_ai.system": "openai", "content": SYSTEM}),
            event("gen_ai.user.message", **{"gen_ai.system": "openai", "content": QUESTION}),
            event(
                "gen_ai.choice",
                900,
                index=0,
                finish_reason="stop",
                message=json.dumps({"role": "assistant", "content": ANSWER}),
            ),
        ],
    ),
    Payload(
        emitter="semconv 1.27 (prompt and completion as an event each)",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 400,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 500,
            **_DETAILS,
        },
        events=[
            event("gen_ai.content.prompt", **{"gen_ai.prompt": json.dumps(_OPENAI_IN)}),
            event(
                "gen_ai.content.completion",
                900,
                **{"gen_ai.completion": json.dumps([{"role": "assistant", "content": ANSWER}])},
            ),
        ],
    ),
    Payload(
        emitter="semconv 1.37 (messages on the event of the operation's details)",
        attributes={**_CALL, **_USAGE, **_DETAILS, "gen_ai.provider.name": "openai"},
        events=[event("gen_ai.client.inference.operation.details", 900, **_MESSAGES)],
    ),
    Payload(
        emitter="agent-framework 1.0 (Microsoft Agent Framework)",
        scope="agent_framework",
        attributes={**_CALL, **_USAGE, **_DETAILS, **_ALL_MESSAGES, "gen_ai.provider.name": "openai"},
    ),
    Payload(
        emitter="openinference-instrumentation-openai 0.1.40",
        scope="openinference.instrumentation.openai",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.system": "openai",
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.request.model_name": "gpt-4o",
            "llm.response.model_name": "gpt-4o-2024-08-06",
            "llm.invocation_parameters": json.dumps({"temperature": 0.5, "max_tokens": 400}),
            "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 500,
            "llm.token_count.total": 1500,
            "llm.token_count.prompt_details.cache_read": 300,
            "llm.token_count.prompt_details.audio": 0,
            "llm.token_count.completion_details.reasoning": 100,
            "llm.finish_reason": "stop",
            "input.value": json.dumps({"messages": _OPENAI_IN}),
            "input.mime_type": "application/json",
            "output.value": json.dumps(_OPENAI_OUT),
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": SYSTEM,
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.content": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": ANSWER,
        },
        stays=("input.mime_type",),
        silent=("response_id",),
        instead={"streamed": False},
    ),
    Payload(
        emitter="openinference-instrumentation-langchain 0.1.50",
        scope="openinference.instrumentation.langchain",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.request.model_name": "gpt-4o",
            "llm.response.model_name": "gpt-4o-2024-08-06",
            "llm.invocation_parameters": json.dumps({"temperature": 0.5, "max_tokens": 400, "stream": False}),
            "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 500,
            "llm.token_count.prompt_details.cache_read": 300,
            "llm.token_count.completion_details.reasoning": 100,
            "llm.finish_reason": "stop",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": SYSTEM,
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.contents.0.message_content.type": "text",
            "llm.output_messages.0.message.contents.0.message_content.text": ANSWER,
        },
        silent=("response_id",),
        instead={
            "streamed": False,
            "request_parameters": {"temperature": 0.5, "max_tokens": 400, "stream": False},
        },
    ),
    Payload(
        emitter="opentelemetry-instrumentation-openai 0.62 (OpenLLMetry, messages)",
        scope="opentelemetry.instrumentation.openai.v1",
        attributes={
            **_CALL,
            **_USAGE,
            **_ALL_MESSAGES,
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.total_tokens": 1500,
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.reasoning_tokens": 100,
            "gen_ai.is_streaming": False,
            "gen_ai.openai.api_base": "https://api.openai.com/v1/",
        },
        stays=("gen_ai.openai.api_base",),
        instead={"streamed": False},
    ),
    Payload(
        emitter="opentelemetry-instrumentation-openai 0.40 (OpenLLMetry, indexed)",
        scope="opentelemetry.instrumentation.openai.v1",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 400,
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 500,
            "llm.usage.total_tokens": 1500,
            "gen_ai.usage.cache_read_input_tokens": 300,
            "gen_ai.usage.reasoning_tokens": 100,
            "llm.is_streaming": False,
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": SYSTEM,
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": QUESTION,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": ANSWER,
            "gen_ai.completion.0.finish_reason": "stop",
        },
        instead={"streamed": False},
    ),
    Payload(
        emitter="opentelemetry-instrumentation-openai 0.5 (OpenLLMetry, 2023)",
        scope="opentelemetry.instrumentation.openai",
        attributes={
            "llm.vendor": "OpenAI",
            "llm.request.type": "chat",
            "llm.request.model": "gpt-4o",
            "llm.response.model": "gpt-4o-2024-08-06",
            "llm.temperature": 0.5,
            "llm.request.max_tokens": 400,
            "llm.usage.prompt_tokens": 1000,
            "llm.usage.completion_tokens": 500,
            "llm.usage.total_tokens": 1500,
            "llm.prompts.0.role": "system",
            "llm.prompts.0.content": SYSTEM,
            "llm.prompts.1.role": "user",
            "llm.prompts.1.content": QUESTION,
            "llm.completions.0.role": "assistant",
            "llm.completions.0.content": ANSWER,
            "llm.completions.0.finish_reason": "stop",
        },
        silent=("response_id",),
        instead={"usage": Usage(uncached_input=1000, visible_output=500)},
    ),
    Payload(
        emitter="ai 3.4 (Vercel AI SDK)",
        scope="ai",
        attributes={
            "operation.name": "ai.generateText.doGenerate",
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "openai.chat",
            "ai.model.id": "gpt-4o",
            "ai.settings.temperature": 0.5,
            "ai.settings.maxTokens": 400,
            "ai.prompt.messages": _VERCEL_MESSAGES,
            "ai.result.text": ANSWER,
            "ai.finishReason": "stop",
            "ai.usage.promptTokens": 1000,
            "ai.usage.completionTokens": 500,
            "gen_ai.system": "openai.chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 400,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 500,
        },
        stays=("operation.name",),
        silent=("response_id", "response_model"),
        instead={
            "usage": Usage(uncached_input=1000, visible_output=500),
            "request_parameters": {"temperature": 0.5, "max_tokens": 400},
        },
    ),
    Payload(
        emitter="ai 4.3 (Vercel AI SDK)",
        scope="ai",
        attributes={
            **_VERCEL,
            "ai.settings.maxTokens": 400,
            "ai.usage.promptTokens": 1000,
            "ai.usage.completionTokens": 500,
            "ai.response.providerMetadata": _VERCEL_DETAILS,
            "gen_ai.system": "openai.chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            **_USAGE,
        },
        stays=(*_VERCEL_STAYS, "ai.response.providerMetadata"),
    ),
    Payload(
        emitter="ai 5.0 (Vercel AI SDK)",
        scope="ai",
        attributes={
            **_VERCEL,
            "ai.settings.maxOutputTokens": 400,
            "ai.usage.inputTokens": 1000,
            "ai.usage.outputTokens": 500,
            "ai.usage.totalTokens": 1500,
            "ai.usage.reasoningTokens": 100,
            "ai.usage.cachedInputTokens": 300,
            "gen_ai.system": "openai.responses",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.finish_reasons": ["stop"],
            **_USAGE,
        },
        stays=_VERCEL_STAYS,
    ),
    Payload(
        emitter="ai 6.0 (Vercel AI SDK)",
        scope="ai",
        attributes={
            **_VERCEL,
            "ai.settings.maxOutputTokens": 400,
            "ai.usage.inputTokens": 1000,
            "ai.usage.inputTokenDetails.noCacheTokens": 700,
            "ai.usage.inputTokenDetails.cacheReadTokens": 300,
            "ai.usage.outputTokens": 500,
            "ai.usage.outputTokenDetails.textTokens": 400,
            "ai.usage.outputTokenDetails.reasoningTokens": 100,
            "ai.usage.totalTokens": 1500,
            "gen_ai.request.model": "gpt-4o",
            **_USAGE,
        },
        stays=(
            *_VERCEL_STAYS,
            "ai.usage.inputTokenDetails.noCacheTokens",
            "ai.usage.outputTokenDetails.textTokens",
        ),
    ),
    Payload(
        emitter="@ai-sdk/otel 1.0 (Vercel AI SDK 7)",
        scope="gen_ai",
        attributes={
            **_CALL,
            **_USAGE,
            **_MESSAGES,
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.cache_read.input_tokens": 300,
        },
        instead={"usage": Usage(uncached_input=700, cache_read=300, visible_output=500)},
    ),
    Payload(
        emitter="@ai-sdk/otel 1.2 (Vercel AI SDK 7, a stream with its times and the details of its usage)",
        scope="gen_ai",
        attributes={
            **_CALL,
            **_USAGE,
            **_MESSAGES,
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.client.operation.duration": 1.2,
            "gen_ai.client.operation.time_to_first_chunk": 0.25,
            "gen_ai.client.operation.time_per_output_chunk": 0.01,
            "ai.usage.inputTokenDetails.noCacheTokens": 700,
            "ai.usage.outputTokenDetails.textTokens": 400,
            "ai.usage.outputTokenDetails.reasoningTokens": 100,
        },
        stays=(
            "gen_ai.client.operation.duration",
            "gen_ai.client.operation.time_per_output_chunk",
            "ai.usage.inputTokenDetails.noCacheTokens",
            "ai.usage.outputTokenDetails.textTokens",
        ),
        instead={"ttft_ms": 250},
    ),
    Payload(
        emitter="semconv-genai of August 2026 (Moonshot, tokens by modality)",
        attributes={
            **_CALL,
            **_USAGE,
            **_DETAILS,
            **_MESSAGES,
            "gen_ai.provider.name": "moonshot_ai",
            "gen_ai.usage.text.input_tokens": 900,
            "gen_ai.usage.image.input_tokens": 100,
            "gen_ai.usage.text.output_tokens": 500,
        },
        stays=("gen_ai.usage.text.input_tokens", "gen_ai.usage.image.input_tokens", "gen_ai.usage.text.output_tokens"),
        instead={"provider": "moonshotai"},
    ),
    Payload(
        emitter="pydantic-ai 0.2 (instrumentation version 1, events as an attribute)",
        scope="pydantic-ai",
        attributes={
            **_CALL,
            **_USAGE,
            "gen_ai.system": "openai",
            "gen_ai.usage.details.cached_tokens": 300,
            "gen_ai.usage.details.reasoning_tokens": 100,
            "events": json.dumps(
                [
                    {
                        "event.name": "gen_ai.system.message",
                        "content": SYSTEM,
                        "role": "system",
                        "gen_ai.message.index": 0,
                    },
                    {
                        "event.name": "gen_ai.user.message",
                        "content": QUESTION,
                        "role": "user",
                        "gen_ai.message.index": 0,
                    },
                    {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": ANSWER}},
                ]
            ),
        },
    ),
    Payload(
        emitter="pydantic-ai 1.40 (instrumentation version 3)",
        scope="pydantic-ai",
        attributes={
            **_CALL,
            **_USAGE,
            **_MESSAGES,
            "gen_ai.provider.name": "openai",
            "gen_ai.system": "openai",
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.details.reasoning_tokens": 100,
            "operation.cost": 0.0091,
            "logfire.json_schema": "{}",
        },
        stays=("logfire.json_schema",),
        instead={"reported_cost_nanousd": 9_100_000},
    ),
    Payload(
        emitter="logfire 3.20 (instrument_openai)",
        scope="logfire.openai",
        attributes={
            **_CALL,
            **_USAGE,
            **_DETAILS,
            "gen_ai.system": "openai",
            "request_data": json.dumps({"messages": _OPENAI_IN, "model": "gpt-4o"}),
            "response_data": json.dumps({"message": {"role": "assistant", "content": ANSWER}}),
            "async": False,
        },
        stays=("async",),
    ),
    Payload(
        emitter="logfire 4.32 (instrument_openai; parts of the usage in OpenAI's object alone)",
        scope="logfire.openai",
        attributes={
            **_CALL,
            **_USAGE,
            "gen_ai.system": "openai",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.raw": json.dumps(
                {
                    **_OPENAI_OUT["usage"],
                    "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 300},
                    "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 100},
                }
            ),
            "operation.cost": 0.0091,
            "request_data": json.dumps({"messages": _OPENAI_IN, "model": "gpt-4o"}),
            "response_data": json.dumps({"message": {"role": "assistant", "content": ANSWER}}),
            "async": False,
        },
        stays=("async", "gen_ai.usage.raw"),
        instead={"reported_cost_nanousd": 9_100_000},
    ),
    Payload(
        emitter="langsmith 0.4 (OTel export of wrap_openai)",
        scope="langsmith",
        attributes={
            **_LANGSMITH,
            "gen_ai.prompt": json.dumps({"messages": _OPENAI_IN, "model": "gpt-4o"}),
            "gen_ai.completion": json.dumps(_OPENAI_OUT),
            "langsmith.metadata.ls_provider": "openai",
        },
        left={"gen_ai.prompt": {"model": "gpt-4o"}, "gen_ai.completion": _OPENAI_LEFT},
        stays=("langsmith.trace.name",),
    ),
    Payload(
        emitter="langsmith 0.4 (OTel export of LangChain)",
        scope="langsmith",
        attributes={
            **_LANGSMITH,
            "gen_ai.prompt": json.dumps(_LANGCHAIN_IN),
            "gen_ai.completion": json.dumps(_LANGCHAIN_OUT),
        },
        stays=("langsmith.trace.name",),
        instead={
            "output_messages": [
                {"role": "assistant", "content": ANSWER, "generation_info": {"finish_reason": "stop"}},
            ]
        },
    ),
    Payload(
        emitter="opentelemetry-instrumentation-langchain 0.40 (OpenLLMetry; the framework in place of the provider)",
        scope="opentelemetry.instrumentation.langchain",
        attributes={
            **_CALL,
            **_USAGE,
            "gen_ai.system": "Langchain",
            "gen_ai.usage.cache_read_input_tokens": 300,
            "gen_ai.usage.reasoning_tokens": 100,
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": SYSTEM,
            "gen_ai.prompt.1.role": "human",
            "gen_ai.prompt.1.content": QUESTION,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": ANSWER,
        },
        stays=("gen_ai.system",),
    ),
    Payload(
        emitter="OpenRouter (broadcast to an OTLP endpoint, 2026)",
        scope="openrouter",
        attributes={
            **_CALL,
            **_USAGE,
            "gen_ai.provider.name": "OpenAI",
            "gen_ai.prompt": json.dumps({"messages": _OPENAI_IN}),
            "gen_ai.completion": json.dumps(_OPENAI_OUT),
            "gen_ai.usage.input_tokens.cached": 300,
            "gen_ai.usage.output_tokens.reasoning": 100,
            "gen_ai.usage.total_cost": 0.0091,
            "trace.metadata.openrouter.provider_slug": "openai",
            "trace.metadata.feature": "river-guide",
        },
        left={"gen_ai.completion": _OPENAI_LEFT},
        instead={
            "reported_cost_nanousd": 9_100_000,
            "attributes": {"metadata": {"openrouter.provider_slug": "openai", "feature": "river-guide"}},
        },
    ),
    Payload(
        emitter="litellm 1.80 (otel callback)",
        scope="litellm",
        attributes={
            **_CALL,
            **_USAGE,
            "gen_ai.system": "openai",
            "gen_ai.usage.total_tokens": 1500,
            "gen_ai.usage.prompt_tokens_details.cached_tokens": 300,
            "gen_ai.usage.completion_tokens_details.reasoning_tokens": 100,
            "gen_ai.cost.total_cost": 0.0091,
            "llm.is_streaming": "False",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": SYSTEM,
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": QUESTION,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": ANSWER,
            "gen_ai.completion.0.finish_reason": "stop",
            "hidden_params": "{}",
        },
        stays=("hidden_params",),
        instead={"streamed": False, "reported_cost_nanousd": 9_100_000},
    ),
    Payload(
        emitter="openlit 1.35",
        scope="openlit.otel.tracing",
        attributes={
            **_CALL,
            **_USAGE,
            **_DETAILS,
            **_ALL_MESSAGES,
            "gen_ai.system": "openai",
            "gen_ai.usage.cost": 0.0091,
            "gen_ai.request.is_stream": True,
            "gen_ai.server.ttft": 0.25,
            "telemetry.sdk.name": "openlit",
        },
        stays=("telemetry.sdk.name",),
        instead={"streamed": True, "ttft_ms": 250, "reported_cost_nanousd": 9_100_000},
    ),
    Payload(
        emitter="@sentry/node 10.20 (openAIIntegration)",
        scope="@sentry/instrumentation-openai",
        attributes={
            **_CALL,
            **_USAGE,
            "gen_ai.system": "openai",
            "gen_ai.request.messages": json.dumps(_OPENAI_IN),
            "gen_ai.response.text": json.dumps([ANSWER]),
            "gen_ai.usage.input_tokens.cached": 300,
            "gen_ai.usage.output_tokens.reasoning": 100,
            "sentry.op": "gen_ai.chat",
        },
        stays=("sentry.op",),
    ),
    Payload(
        emitter="langfuse 3.8",
        scope="langfuse-sdk",
        attributes={
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.model.parameters": json.dumps({"temperature": 0.5, "max_tokens": 400}),
            "langfuse.observation.input": json.dumps(_OPENAI_IN),
            "langfuse.observation.output": json.dumps({"role": "assistant", "content": ANSWER}),
            "langfuse.observation.usage_details": json.dumps(
                {"input": 700, "input_cached_tokens": 300, "output": 400, "output_reasoning_tokens": 100, "total": 1500}
            ),
        },
        silent=("response_id", "response_model", "finish_reason"),
        instead={"usage_rule": "exclusive"},
    ),
    Payload(
        emitter="langfuse 3.8 (a stream, whose first token is told as the instant it came)",
        scope="langfuse-sdk",
        attributes={
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.model.parameters": json.dumps({"temperature": 0.5, "max_tokens": 400}),
            "langfuse.observation.input": json.dumps(_OPENAI_IN),
            "langfuse.observation.output": json.dumps({"role": "assistant", "content": ANSWER}),
            "langfuse.observation.completion_start_time": '"2026-03-01T10:00:00.350600Z"',
            "langfuse.observation.usage_details": json.dumps(
                {"input": 700, "input_cached_tokens": 300, "output": 400, "output_reasoning_tokens": 100, "total": 1500}
            ),
        },
        silent=("response_id", "response_model", "finish_reason"),
        instead={"usage_rule": "exclusive", "ttft_ms": 351},
    ),
    Payload(
        emitter="mlflow 3.6 (openai.autolog)",
        scope="mlflow",
        attributes={
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.llm.provider": '"openai"',
            "mlflow.llm.model": '"gpt-4o"',
            "mlflow.spanInputs": json.dumps({"messages": _OPENAI_IN, "model": "gpt-4o", "temperature": 0.5}),
            "mlflow.spanOutputs": json.dumps(_OPENAI_OUT),
            "mlflow.chat.tokenUsage": json.dumps(
                {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500, "cache_read_input_tokens": 300}
            ),
            "mlflow.message.format": '"openai"',
        },
        left={"mlflow.spanInputs": {"temperature": 0.5}, "mlflow.spanOutputs": _OPENAI_LEFT},
        stays=("mlflow.message.format",),
        silent=("response_id", "response_model", "request_parameters"),
        instead={"usage": Usage(uncached_input=700, cache_read=300, visible_output=500), "provider": "openai"},
    ),
    Payload(
        emitter="semantic-kernel 1.10 (Python)",
        scope="semantic_kernel.utils.telemetry.model_diagnostics",
        attributes={
            "gen_ai.operation.name": "chat.completions",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 400,
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.finish_reason": "FinishReason.STOP",
            "gen_ai.response.prompt_tokens": 1000,
            "gen_ai.response.completion_tokens": 500,
        },
        events=[
            event("gen_ai.content.prompt", **{"gen_ai.prompt": json.dumps(_OPENAI_IN)}),
            event(
                "gen_ai.content.completion",
                **{"gen_ai.completion": json.dumps([{"message": {"role": "assistant", "content": ANSWER}}])},
            ),
        ],
        silent=("response_model",),
        instead={"usage": Usage(uncached_input=1000, visible_output=500)},
    ),
    Payload(
        emitter="genkit 1.20 (compat-oai plugin)",
        scope="genkit-tracer",
        attributes={
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:name": "openai/gpt-4o",
            "genkit:state": "success",
            "genkit:input": json.dumps(
                {
                    "messages": [
                        {"role": "system", "content": [{"text": SYSTEM}]},
                        {"role": "user", "content": [{"text": QUESTION}]},
                    ],
                    "config": {"temperature": 0.5, "max_tokens": 400},
                    "tools": [],
                }
            ),
            "genkit:output": json.dumps(
                {
                    "message": {"role": "model", "content": [{"text": ANSWER}]},
                    "finishReason": "stop",
                    "usage": {
                        "inputTokens": 1000,
                        "outputTokens": 500,
                        "totalTokens": 1500,
                        "cachedContentTokens": 300,
                    },
                }
            ),
        },
        stays=("genkit:type", "genkit:name", "genkit:state"),
        silent=("response_id", "response_model"),
        instead={"usage": Usage(uncached_input=700, cache_read=300, visible_output=500)},
    ),
    Payload(
        emitter="strands-agents 1.15 (OpenAI model)",
        scope="strands.telemetry.tracer",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "strands-agents",
            "gen_ai.request.model": "gpt-4o",
            **_USAGE,
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 500,
            "gen_ai.usage.total_tokens": 1500,
            "gen_ai.usage.cache_read_input_tokens": 300,
            "gen_ai.server.time_to_first_token": 250,
        },
        events=[
            event("gen_ai.system.message", content=json.dumps([{"text": SYSTEM}])),
            event("gen_ai.user.message", content=json.dumps([{"text": QUESTION}])),
            event("gen_ai.choice", 900, finish_reason="stop", message=json.dumps([{"text": ANSWER}])),
        ],
        stays=("gen_ai.system",),
        silent=("response_id", "response_model", "request_parameters"),
        instead={"usage": Usage(uncached_input=700, cache_read=300, visible_output=500), "ttft_ms": 250},
    ),
)
