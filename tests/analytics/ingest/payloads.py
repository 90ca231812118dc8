"""One call as each vocabulary tells it. All of them must end in `FACTS`."""

import json
from dataclasses import dataclass, field
from typing import Any

from analytics.pricing.usage import Usage
from tests.analytics.ingest.spans import SECOND, START_NS

QUESTION, ANSWER = "Which river flows through Dresden?", "The Elbe."
TOOL = {"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Attributes and events of the call in one vocabulary."""

    attributes: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)


def _event(name: str, at_ms: int, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "time_ns": START_NS + at_ms * SECOND // 1000, "attributes": attributes}


FACTS: dict[str, Any] = {
    "operation_name": "chat",
    "provider": "openai",
    "model": "gpt-4o",
    "input_type": "chat",
    "input_text": f"Answer briefly.\n{QUESTION}",
    "output_text": ANSWER,
    "input_messages": [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": QUESTION},
    ],
    "output_messages": [
        {
            "role": "assistant",
            "content": ANSWER,
            "tool_calls": [{"id": "call_1", "name": "lookup", "arguments": {"river": "Elbe"}}],
        }
    ],
    "finish_reason": "stop",
    "usage": Usage(uncached_input=700, cache_read=300, visible_output=400, reasoning=100),
    "usage_rule": "inclusive",
    "streamed": True,
    "ttft_ms": 250,
    "user_id": "user-1",
    "tools": [TOOL],
    "request_parameters": {"temperature": 0.5, "max_tokens": 400},
    "attributes": {"shop.id": 7},
    "notes": [],
}

_OTEL_PARTS = {
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": ANSWER},
                    {"type": "tool_call", "id": "call_1", "name": "lookup", "arguments": {"river": "Elbe"}},
                ],
                "finish_reason": "stop",
            }
        ]
    ),
}

OTEL = Told(
    attributes={
        "shop.id": 7,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 400,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 500,
        "gen_ai.usage.cache_read.input_tokens": 300,
        "gen_ai.usage.reasoning.output_tokens": 100,
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Answer briefly."}]),
        **_OTEL_PARTS,
        "gen_ai.tool.definitions": json.dumps([TOOL]),
        "user.id": "user-1",
    }
)
# Messages as lists and objects instead of JSON text, which newer SDKs can send.
OTEL_STRUCTURED = Told(
    attributes=OTEL.attributes
    | {name: json.loads(value) for name, value in _OTEL_PARTS.items()}
    | {
        "gen_ai.system_instructions": [{"type": "text", "content": "Answer briefly."}],
        "gen_ai.tool.definitions": [TOOL],
    }
)
OTEL_OLDER = Told(
    attributes={
        "shop.id": 7,
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 400,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.usage.prompt_tokens": 1000,
        "gen_ai.usage.completion_tokens": 500,
        "gen_ai.usage.cache_read.input_tokens": 300,
        "gen_ai.usage.reasoning.output_tokens": 100,
        "gen_ai.tool.definitions": json.dumps([TOOL]),
        "enduser.id": "user-1",
    },
    events=[
        _event("gen_ai.system.message", 0, content="Answer briefly.", **{"gen_ai.system": "openai"}),
        _event("gen_ai.user.message", 0, content=QUESTION),
        _event(
            "gen_ai.choice",
            900,
            index=0,
            finish_reason="stop",
            message=json.dumps(
                {
                    "content": ANSWER,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "lookup", "arguments": '{"river": "Elbe"}'},
                        }
                    ],
                }
            ),
        ),
    ],
)
OPENINFERENCE = Told(
    attributes={
        "shop.id": 7,
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.model_name": "gpt-4o",
        "llm.invocation_parameters": '{"temperature": 0.5, "max_tokens": 400}',
        "llm.token_count.prompt": 1000,
        "llm.token_count.completion": 500,
        "llm.token_count.total": 1500,
        "llm.token_count.prompt_details.cache_read": 300,
        "llm.token_count.completion_details.reasoning": 100,
        "llm.finish_reason": "stop",
        "input.value": '{"messages": []}',
        "output.value": "{}",
        # Names come in any order; ten messages would come before two if they were sorted as text.
        "llm.input_messages.10.message.role": "user",
        "llm.input_messages.10.message.content": QUESTION,
        "llm.input_messages.2.message.role": "system",
        "llm.input_messages.2.message.content": "Answer briefly.",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": ANSWER,
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call_1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "lookup",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"river": "Elbe"}',
        "llm.tools.0.tool.json_schema": json.dumps(TOOL),
        "user.id": "user-1",
    },
    events=[_event("First Token Stream Event", 250)],
)
OPENLLMETRY = Told(
    attributes={
        "shop.id": 7,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 400,
        "gen_ai.is_streaming": True,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 500,
        "gen_ai.usage.total_tokens": 1500,
        "gen_ai.usage.cache_read.input_tokens": 300,
        "gen_ai.usage.reasoning_tokens": 100,
        "gen_ai.input.messages": json.dumps(
            [
                {"role": "system", "parts": [{"type": "text", "content": "Answer briefly."}]},
                {"role": "user", "parts": [{"type": "text", "content": QUESTION}]},
            ]
        ),
        "gen_ai.output.messages": _OTEL_PARTS["gen_ai.output.messages"],
        "gen_ai.tool.definitions": json.dumps([TOOL]),
        "gen_ai.user": "user-1",
    },
    events=[_event("gen_ai.content.completion.chunk", 250), _event("gen_ai.content.completion.chunk", 300)],
)
OPENLLMETRY_OLDER = Told(
    attributes={
        "shop.id": 7,
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 400,
        "llm.is_streaming": True,
        "gen_ai.usage.prompt_tokens": 1000,
        "gen_ai.usage.completion_tokens": 500,
        "llm.usage.total_tokens": 1500,
        "gen_ai.usage.cache_read_input_tokens": 300,
        "llm.usage.reasoning_tokens": 100,
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Answer briefly.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": QUESTION,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": ANSWER,
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.completion.0.tool_calls.0.id": "call_1",
        "gen_ai.completion.0.tool_calls.0.name": "lookup",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"river": "Elbe"}',
        "llm.request.functions.0.type": "function",
        "llm.request.functions.0.function": json.dumps(TOOL["function"]),
        "llm.user": "user-1",
    },
    events=[_event("llm.content.completion.chunk", 250)],
)
VERCEL = Told(
    attributes={
        "shop.id": 7,
        "ai.operationId": "chat",
        "ai.model.provider": "openai",
        "ai.model.id": "gpt-4o",
        "ai.settings.temperature": 0.5,
        "ai.settings.max_tokens": 400,
        "ai.response.msToFirstChunk": 250,
        "ai.response.finishReason": "stop",
        "ai.usage.inputTokens": 1000,
        "ai.usage.outputTokens": 500,
        "ai.usage.totalTokens": 1500,
        "ai.usage.cachedInputTokens": 300,
        "ai.usage.reasoningTokens": 100,
        "ai.prompt.messages": json.dumps(
            [
                {"role": "system", "content": "Answer briefly."},
                {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
            ]
        ),
        "gen_ai.output.messages": _OTEL_PARTS["gen_ai.output.messages"],
        "ai.prompt.tools": [json.dumps(TOOL)],
        "llm.user.id": "user-1",
    },
    events=[_event("llm.first_token", 260)],
)
CALLS = {
    "otel": OTEL,
    "otel_structured": OTEL_STRUCTURED,
    "otel_older": OTEL_OLDER,
    "openinference": OPENINFERENCE,
    "openllmetry": OPENLLMETRY,
    "openllmetry_older": OPENLLMETRY_OLDER,
    "vercel": VERCEL,
}
