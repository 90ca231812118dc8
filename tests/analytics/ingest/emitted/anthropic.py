"""A question to Claude: 450 tokens in, of which the cache read 300 and wrote 50, and 20 out; a tool is called."""

import json
from typing import Any

from analytics.pricing.usage import Usage
from tests.analytics.ingest.emitted import Payload

QUESTION, ANSWER = "How high is the Elbe?", "Let me see."
_ARGUMENTS = {"river": "Elbe"}
ROW: dict[str, Any] = {
    "operation_name": "chat",
    "provider": "anthropic",
    "model": "claude-sonnet-4-5",
    "input_type": "chat",
    "input_text": QUESTION,
    "output_text": ANSWER,
    "input_messages": [{"role": "user", "content": QUESTION}],
    "output_messages": [
        {
            "role": "assistant",
            "content": ANSWER,
            "tool_calls": [{"id": "toolu_1", "name": "level", "arguments": _ARGUMENTS}],
        }
    ],
    "finish_reason": "tool_use",
    "usage": Usage(uncached_input=100, cache_read=300, cache_write_5m=50, visible_output=20),
    "usage_rule": "inclusive",
}
_IN = json.dumps([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}])
_OUT = json.dumps(
    [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": ANSWER},
                {"type": "tool_call", "id": "toolu_1", "name": "level", "arguments": _ARGUMENTS},
            ],
            "finish_reason": "tool_use",
        }
    ]
)
_CONVERSE = json.dumps([{"text": ANSWER}, {"toolUse": {"toolUseId": "toolu_1", "name": "level", "input": _ARGUMENTS}}])
_BEDROCK = {"provider": "aws.bedrock", "model": "anthropic.claude-sonnet-4-5-20250929-v1:0"}

PAYLOADS = (
    Payload(
        emitter="opentelemetry-instrumentation-anthropic (contrib) 0.1",
        scope="opentelemetry.instrumentation.anthropic",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.response.finish_reasons": ["tool_use"],
            "gen_ai.input.messages": _IN,
            "gen_ai.output.messages": _OUT,
            "gen_ai.usage.input_tokens": 450,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.cache_creation.input_tokens": 50,
        },
    ),
    Payload(
        emitter="an application with the 1-hour cache (contract's appendix A)",
        instead={
            "usage": Usage(uncached_input=100, cache_read=300, cache_write_5m=20, cache_write_1h=30, visible_output=20)
        },
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.input.messages": _IN,
            "gen_ai.output.messages": _OUT,
            "gen_ai.usage.input_tokens": 450,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.cache_creation.input_tokens": 50,
            "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens": 30,
        },
    ),
    Payload(
        emitter="opentelemetry-instrumentation-anthropic 0.40 (OpenLLMetry)",
        scope="opentelemetry.instrumentation.anthropic",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "Anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": QUESTION,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": ANSWER,
            "gen_ai.completion.0.finish_reason": "tool_use",
            "gen_ai.completion.0.tool_calls.0.id": "toolu_1",
            "gen_ai.completion.0.tool_calls.0.name": "level",
            "gen_ai.completion.0.tool_calls.0.arguments": json.dumps(_ARGUMENTS),
            "gen_ai.usage.prompt_tokens": 450,
            "gen_ai.usage.completion_tokens": 20,
            "llm.usage.total_tokens": 470,
            "gen_ai.usage.cache_read_input_tokens": 300,
            "gen_ai.usage.cache_creation_input_tokens": 50,
        },
    ),
    Payload(
        emitter="openinference-instrumentation-anthropic 0.1.20",
        scope="openinference.instrumentation.anthropic",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.system": "anthropic",
            "llm.model_name": "claude-sonnet-4-5",
            "llm.finish_reason": "tool_use",
            "llm.token_count.prompt": 450,
            "llm.token_count.completion": 20,
            "llm.token_count.prompt_details.cache_read": 300,
            "llm.token_count.prompt_details.cache_write": 50,
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": ANSWER,
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "toolu_1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "level",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": json.dumps(_ARGUMENTS),
        },
    ),
    Payload(
        emitter="OpenInference of August 2026 (reasoning and calls in order; the model that was asked, and who answered)",
        scope="openinference.instrumentation.anthropic",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.system": "anthropic",
            "llm.model_name": "claude-sonnet-4-5-20250929",
            "llm.request.model_name": "claude-sonnet-4-5",
            "llm.response.model_name": "claude-sonnet-4-5-20250929",
            "llm.finish_reason": "tool_use",
            "llm.token_count.prompt": 450,
            "llm.token_count.completion": 20,
            "llm.token_count.prompt_details.cache_read": 300,
            "llm.token_count.prompt_details.cache_write": 50,
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.contents.0.message_content.type": "reasoning",
            "llm.output_messages.0.message.contents.0.message_content.text": "A gauge tells.",
            "llm.output_messages.0.message.contents.0.message_content.signature": "EuYBCkQYAiJA",
            "llm.output_messages.0.message.contents.1.message_content.type": "reasoning",
            "llm.output_messages.0.message.contents.1.message_content.data": "EmwKAhgBEgy3",
            "llm.output_messages.0.message.contents.2.message_content.type": "text",
            "llm.output_messages.0.message.contents.2.message_content.text": ANSWER,
            "llm.output_messages.0.message.contents.3.message_content.type": "tool_use",
            "llm.output_messages.0.message.contents.3.tool_call.id": "toolu_1",
            "llm.output_messages.0.message.contents.3.tool_call.function.name": "level",
            "llm.output_messages.0.message.contents.3.tool_call.function.arguments": json.dumps(_ARGUMENTS),
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "toolu_1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "level",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": json.dumps(_ARGUMENTS),
        },
        instead={
            "response_model": "claude-sonnet-4-5-20250929",
            "output_messages": [
                {
                    **ROW["output_messages"][0],
                    "reasoning": "A gauge tells.",
                    "part_fields": [{"part": 0, "signature": "EuYBCkQYAiJA"}, {"part": 1, "data": "EmwKAhgBEgy3"}],
                }
            ],
        },
    ),
    Payload(
        emitter="ai 5.0 (Vercel AI SDK, anthropic provider)",
        scope="ai",
        attributes={
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "anthropic.messages",
            "ai.model.id": "claude-sonnet-4-5",
            "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]),
            "ai.response.text": ANSWER,
            "ai.response.toolCalls": json.dumps(
                [{"type": "tool-call", "toolCallId": "toolu_1", "toolName": "level", "input": _ARGUMENTS}]
            ),
            "ai.response.finishReason": "tool-calls",
            "ai.response.providerMetadata": json.dumps({"anthropic": {"cacheCreationInputTokens": 50}}),
            "ai.usage.inputTokens": 100,
            "ai.usage.outputTokens": 20,
            "ai.usage.totalTokens": 120,
            "ai.usage.cachedInputTokens": 300,
            "gen_ai.system": "anthropic.messages",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
        },
        stays=("ai.response.providerMetadata",),
        instead={"usage_rule": "exclusive", "finish_reason": "tool_calls"},
    ),
    Payload(
        emitter="ai 6.0 (Vercel AI SDK, anthropic provider)",
        scope="ai",
        attributes={
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "anthropic.messages",
            "ai.model.id": "claude-sonnet-4-5",
            "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]),
            "ai.response.text": ANSWER,
            "ai.response.toolCalls": json.dumps(
                [{"type": "tool-call", "toolCallId": "toolu_1", "toolName": "level", "input": json.dumps(_ARGUMENTS)}]
            ),
            "ai.response.finishReason": "tool-calls",
            "ai.usage.inputTokens": 450,
            "ai.usage.inputTokenDetails.noCacheTokens": 100,
            "ai.usage.inputTokenDetails.cacheReadTokens": 300,
            "ai.usage.inputTokenDetails.cacheWriteTokens": 50,
            "ai.usage.outputTokens": 20,
            "ai.usage.totalTokens": 470,
        },
        stays=("ai.usage.inputTokenDetails.noCacheTokens",),
        instead={"finish_reason": "tool_calls"},
    ),
    Payload(
        emitter="pydantic-ai 1.40 (anthropic)",
        scope="pydantic-ai",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.response.finish_reasons": ["tool_use"],
            "gen_ai.input.messages": _IN,
            "gen_ai.output.messages": _OUT,
            "gen_ai.usage.input_tokens": 450,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.details.cache_read_tokens": 300,
            "gen_ai.usage.details.cache_write_tokens": 50,
        },
    ),
    Payload(
        emitter="langsmith 0.4 (OTel export of wrap_anthropic)",
        scope="langsmith",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.prompt": json.dumps({"messages": [{"role": "user", "content": QUESTION}]}),
            "gen_ai.completion": json.dumps(
                {
                    "id": "msg_1",
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": ANSWER},
                        {"type": "tool_use", "id": "toolu_1", "name": "level", "input": _ARGUMENTS},
                    ],
                    "stop_reason": "tool_use",
                }
            ),
            "langsmith.usage_metadata": json.dumps(
                {
                    "input_tokens": 450,
                    "output_tokens": 20,
                    "total_tokens": 470,
                    "input_token_details": {"cache_read": 300, "cache_creation": 50},
                }
            ),
        },
        instead={"output_messages": [{**ROW["output_messages"][0], "id": "msg_1"}]},
    ),
    Payload(
        emitter="opentelemetry-instrumentation-bedrock 0.62 (OpenLLMetry, Converse)",
        scope="opentelemetry.instrumentation.bedrock",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "AWS",
            "gen_ai.request.model": "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "gen_ai.response.finish_reasons": ["tool_use"],
            "gen_ai.input.messages": _IN,
            "gen_ai.output.messages": _OUT,
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.total_tokens": 120,
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.cache_creation.input_tokens": 50,
        },
        instead={**_BEDROCK, "usage_rule": "exclusive"},
    ),
    Payload(
        emitter="openinference-instrumentation-bedrock 0.1.30 (Converse)",
        scope="openinference.instrumentation.bedrock",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "aws.bedrock",
            "llm.model_name": "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "llm.finish_reason": "tool_use",
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 20,
            "llm.token_count.total": 470,
            "llm.token_count.prompt_details.cache_read": 300,
            "llm.token_count.prompt_details.cache_write": 50,
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": QUESTION,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": ANSWER,
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "toolu_1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "level",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": json.dumps(_ARGUMENTS),
        },
        instead={**_BEDROCK, "usage_rule": "exclusive_inferred"},
    ),
    Payload(
        emitter="strands-agents 1.15 (Bedrock)",
        scope="strands.telemetry.tracer",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.request.model": "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "gen_ai.input.messages": json.dumps([{"role": "user", "content": [{"text": QUESTION}]}]),
            "gen_ai.output.messages": json.dumps(
                [{"role": "assistant", "content": json.loads(_CONVERSE), "finish_reason": "tool_use"}]
            ),
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.total_tokens": 470,
            "gen_ai.usage.cache_read_input_tokens": 300,
            "gen_ai.usage.cache_write_input_tokens": 50,
        },
        instead={**_BEDROCK, "usage_rule": "exclusive_inferred"},
    ),
)
