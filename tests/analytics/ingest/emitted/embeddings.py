"""Two texts made into vectors: 7 tokens."""

import json
from typing import Any

from analytics.pricing.usage import Usage
from tests.analytics.ingest.emitted import Payload

ROW: dict[str, Any] = {
    "operation_name": "embeddings",
    "provider": "openai",
    "model": "text-embedding-3-small",
    "input_type": "text",
    "input_text": "Elbe\nOder",
    "usage": Usage(uncached_input=7),
    "usage_rule": "inclusive",
}

PAYLOADS = (
    Payload(
        emitter="opentelemetry-instrumentation-openai-v2 2.3 (embeddings)",
        attributes={
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.request.encoding_formats": ["float"],
            "gen_ai.embeddings.dimension.count": 512,
            "gen_ai.usage.input_tokens": 7,
        },
        silent=("input_type", "input_text"),
        instead={"request_parameters": {"encoding_formats": ["float"], "dimensions": 512}},
    ),
    Payload(
        emitter="openinference-instrumentation-openai 0.1.40 (embeddings)",
        attributes={
            "openinference.span.kind": "EMBEDDING",
            "llm.provider": "openai",
            "embedding.model_name": "text-embedding-3-small",
            "embedding.embeddings.0.embedding.text": "Elbe",
            "embedding.embeddings.0.embedding.vector": [0.1, 0.2],
            "embedding.embeddings.1.embedding.text": "Oder",
            "llm.token_count.prompt": 7,
            "llm.token_count.total": 7,
        },
        stays=("embedding.embeddings.0.embedding.vector",),
    ),
    Payload(
        emitter="opentelemetry-instrumentation-openai 0.40 (OpenLLMetry, embeddings)",
        attributes={
            "llm.request.type": "embedding",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.prompt.0.content": "Elbe",
            "gen_ai.prompt.1.content": "Oder",
            "gen_ai.usage.prompt_tokens": 7,
        },
        instead={
            "input_type": "chat",
            "input_messages": [{"role": "user", "content": "Elbe"}, {"role": "user", "content": "Oder"}],
        },
    ),
    Payload(
        emitter="ai 5.0 (Vercel AI SDK, embedMany)",
        scope="ai",
        attributes={
            "ai.operationId": "ai.embedMany.doEmbed",
            "ai.model.provider": "openai.embedding",
            "ai.model.id": "text-embedding-3-small",
            "ai.values": [json.dumps("Elbe"), json.dumps("Oder")],
            "ai.usage.tokens": 7,
        },
    ),
    Payload(
        emitter="genkit 1.20 (embedder)",
        scope="genkit-tracer",
        attributes={
            "genkit:metadata:subtype": "embedder",
            "genkit:name": "openai/text-embedding-3-small",
            "genkit:input": json.dumps({"input": [{"content": [{"text": "Elbe"}]}]}),
        },
        stays=("genkit:name",),
        silent=("usage", "usage_rule"),
        instead={"input_text": json.dumps({"input": [{"content": [{"text": "Elbe"}]}]})},
    ),
    Payload(
        emitter="litellm 1.80 (otel callback, aembedding)",
        scope="litellm",
        attributes={
            "llm.request.type": "aembedding",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.total_tokens": 7,
            "gen_ai.response.id": "litellm-1",
            "metadata.user_api_key_team_id": "team-1",
            "metadata.user_api_key_alias": "batch",
        },
        stays=("metadata.user_api_key_alias",),
        silent=("input_type", "input_text"),
        instead={"response_id": "litellm-1", "team_id": "team-1"},
    ),
)
