"""A question to Gemini: 1000 tokens in, 300 of them from the cache; 400 in the answer and 100 thoughts."""

import json
from typing import Any

from analytics.pricing.usage import Usage
from tests.analytics.ingest.emitted import Payload, event

QUESTION, ANSWER = "Which river flows through Dresden?", "The Elbe."
ROW: dict[str, Any] = {
    "operation_name": "chat",
    "provider": "google",
    "model": "gemini-2.5-flash",
    "input_type": "chat",
    "input_text": QUESTION,
    "output_text": ANSWER,
    "input_messages": [{"role": "user", "content": QUESTION}],
    "output_messages": [{"role": "assistant", "content": ANSWER}],
    "finish_reason": "stop",
    "usage": Usage(uncached_input=700, cache_read=300, visible_output=400, reasoning=100),
    "usage_rule": "inclusive",
}
_IN = json.dumps([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}])
_OUT = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}])

PAYLOADS = (
    Payload(
        emitter="opentelemetry-instrumentation-google-genai 0.6",
        scope="opentelemetry.instrumentation.google_genai",
        attributes={
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 400,
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.reasoning.output_tokens": 100,
        },
        events=[
            event(
                "gen_ai.client.inference.operation.details",
                **{"gen_ai.input.messages": json.loads(_IN), "gen_ai.output.messages": json.loads(_OUT)},
            )
        ],
        instead={"operation_name": "generate_content", "usage_rule": "exclusive"},
    ),
    Payload(
        emitter="openinference-instrumentation-google-genai 0.1.9",
        scope="openinference.instrumentation.google_genai",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "google",
            "llm.model_name": "gemini-2.5-flash",
            "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 500,
            "llm.token_count.total": 1500,
            "llm.token_count.prompt_details.cache_read": 300,
            "llm.token_count.completion_details.reasoning": 100,
            "llm.finish_reason": "STOP",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": QUESTION,
            "llm.output_messages.0.message.role": "model",
            "llm.output_messages.0.message.content": ANSWER,
        },
    ),
    Payload(
        emitter="google-adk 1.10 (request and response as documents)",
        scope="gcp.vertex.agent",
        attributes={
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gcp.vertex.agent.invocation_id": "e-1",
            "gcp.vertex.agent.session_id": "s-1",
            "gcp.vertex.agent.llm_request": json.dumps(
                {
                    "model": "gemini-2.5-flash",
                    "config": {"temperature": 0.5},
                    "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
                }
            ),
            "gcp.vertex.agent.llm_response": json.dumps(
                {
                    "content": {"parts": [{"text": ANSWER}], "role": "model"},
                    "finish_reason": "STOP",
                    "usage_metadata": {
                        "prompt_token_count": 1000,
                        "cached_content_token_count": 300,
                        "candidates_token_count": 400,
                        "thoughts_token_count": 100,
                        "total_token_count": 1500,
                    },
                }
            ),
        },
        stays=("gcp.vertex.agent.invocation_id",),
        silent=("operation_name",),
        instead={
            "provider": "gcp.vertex_ai",
            "session_id": "s-1",
            "request_parameters": {"temperature": 0.5},
            "usage_rule": "exclusive",
        },
    ),
    Payload(
        emitter="google-adk 1.24 (messages as events)",
        scope="gcp.vertex.agent",
        attributes={
            "gen_ai.operation.name": "generate_content",
            "gen_ai.system": "gemini",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.response.finish_reasons": ["STOP"],
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 400,
            "gen_ai.usage.cache_read.input_tokens": 300,
            "gen_ai.usage.experimental.reasoning_tokens": 100,
            "gen_ai.usage.experimental.reasoning_tokens_limit": 1024,
            "gen_ai.conversation.id": "s-1",
        },
        events=[
            event("gen_ai.user.message", content=json.dumps({"parts": [{"text": QUESTION}], "role": "user"})),
            event("gen_ai.choice", content=json.dumps({"parts": [{"text": ANSWER}], "role": "model"}), index=0),
        ],
        stays=("gen_ai.usage.experimental.reasoning_tokens_limit",),
        instead={"operation_name": "generate_content", "session_id": "s-1", "usage_rule": "exclusive"},
    ),
    Payload(
        emitter="genkit 1.20 (googleai plugin)",
        scope="genkit-tracer",
        attributes={
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:name": "googleai/gemini-2.5-flash",
            "genkit:input": json.dumps({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}),
            "genkit:output": json.dumps(
                {
                    "candidates": [
                        {
                            "index": 0,
                            "finishReason": "stop",
                            "message": {"role": "model", "content": [{"text": ANSWER}]},
                        }
                    ],
                    "finishReason": "stop",
                    "usage": {
                        "inputTokens": 1000,
                        "cachedContentTokens": 300,
                        "outputTokens": 400,
                        "thoughtsTokens": 100,
                        "totalTokens": 1500,
                    },
                }
            ),
        },
        stays=("genkit:type", "genkit:name"),
        instead={"usage_rule": "exclusive"},
    ),
    Payload(
        emitter="ai 5.0 (Vercel AI SDK, google provider)",
        scope="ai",
        attributes={
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.provider": "google.generative-ai",
            "ai.model.id": "gemini-2.5-flash",
            "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]),
            "ai.response.text": ANSWER,
            "ai.response.finishReason": "stop",
            "ai.response.msToFirstChunk": 250.4,
            "ai.usage.inputTokens": 1000,
            "ai.usage.outputTokens": 400,
            "ai.usage.totalTokens": 1500,
            "ai.usage.reasoningTokens": 100,
            "ai.usage.cachedInputTokens": 300,
        },
        events=[event("ai.stream.firstChunk", 250, **{"ai.response.msToFirstChunk": 250.4})],
        instead={
            "usage_rule": "exclusive_inferred",
            "streamed": True,
            "ttft_ms": 250,
            "events": [
                {
                    "name": "ai.stream.firstChunk",
                    "ts": "2026-03-01T10:00:00.250000Z",
                    "attributes": {"ai.response.msToFirstChunk": 250.4},
                }
            ],
        },
    ),
    Payload(
        emitter="pydantic-ai 1.40 (google-gla)",
        scope="pydantic-ai",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "google-gla",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": _IN,
            "gen_ai.output.messages": _OUT,
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 500,
            "gen_ai.usage.details.cached_content_tokens": 300,
            "gen_ai.usage.details.thoughts_tokens": 100,
        },
    ),
    Payload(
        emitter="opentelemetry-instrumentation-google-generativeai 0.40 (OpenLLMetry)",
        scope="opentelemetry.instrumentation.google_generativeai",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "Google",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": json.dumps([{"type": "text", "text": QUESTION}]),
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": ANSWER,
            "gen_ai.completion.0.finish_reason": "STOP",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 500,
            "llm.usage.total_tokens": 1500,
        },
        instead={"usage": Usage(uncached_input=1000, visible_output=500)},
    ),
)
