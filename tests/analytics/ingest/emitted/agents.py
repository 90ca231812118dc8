"""An agent at work; it asks and answers through others."""

import json
from typing import Any

from tests.analytics.ingest.emitted import Payload

ROW: dict[str, Any] = {"operation_name": "invoke_agent", "agent_name": "hydrologist"}
_SAID = {"input_type": "text", "input_text": "How high?", "output_text": "2.5 m"}

PAYLOADS = (
    Payload(
        emitter="semconv 1.38 (invoke_agent)",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "hydrologist",
            "gen_ai.agent.id": "asst_1",
            "gen_ai.agent.description": "Knows rivers",
            "gen_ai.conversation.id": "conv_1",
        },
        stays=("gen_ai.agent.id", "gen_ai.agent.description"),
        instead={"session_id": "conv_1"},
    ),
    Payload(
        emitter="openinference-instrumentation-openai-agents 1.3 (agent)",
        attributes={
            "openinference.span.kind": "AGENT",
            "agent.name": "hydrologist",
            "graph.node.id": "hydrologist",
            "input.value": "How high?",
            "output.value": "2.5 m",
        },
        stays=("graph.node.id",),
        instead=_SAID,
    ),
    Payload(
        emitter="traceloop-sdk 0.40 (@agent)",
        attributes={
            "traceloop.span.kind": "agent",
            "traceloop.entity.name": "hydrologist",
            "traceloop.entity.input": "How high?",
            "traceloop.entity.output": "2.5 m",
            "traceloop.association.properties.user_id": "u1",
            "traceloop.association.properties.plan": "gold",
        },
        instead={**_SAID, "user_id": "u1", "attributes": {"metadata": {"plan": "gold"}}},
    ),
    Payload(
        emitter="ai 5.0 (Vercel AI SDK, generateText around its calls)",
        scope="ai",
        attributes={
            "ai.operationId": "ai.generateText",
            "ai.telemetry.functionId": "hydrologist",
            "ai.telemetry.metadata.userId": "u1",
            "ai.prompt": json.dumps({"prompt": "How high?"}),
            "ai.response.text": "2.5 m",
        },
        instead={
            "input_type": "chat",
            "input_text": "How high?",
            "input_messages": [{"role": "user", "content": "How high?"}],
            "output_text": "2.5 m",
            "user_id": "u1",
        },
    ),
    Payload(
        emitter="pydantic-ai 2.0 (agent run; the sum of its calls has names of its own and is counted with them)",
        scope="pydantic-ai",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "hydrologist",
            "gen_ai.conversation.id": "conv_1",
            "gen_ai.aggregated_usage.input_tokens": 1000,
            "gen_ai.aggregated_usage.output_tokens": 500,
            "gen_ai.aggregated_usage.details.reasoning_tokens": 100,
        },
        stays=(
            "gen_ai.aggregated_usage.input_tokens",
            "gen_ai.aggregated_usage.output_tokens",
            "gen_ai.aggregated_usage.details.reasoning_tokens",
        ),
        instead={"session_id": "conv_1"},
    ),
    Payload(
        emitter="pydantic-ai 1.40 (agent run; its usage is the sum of its calls)",
        scope="pydantic-ai",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "hydrologist",
            "agent_name": "hydrologist",
            "model_name": "gpt-4o",
            "gen_ai.aggregated_usage.input_tokens": 100,
            "pydantic_ai.all_messages": json.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": "How high?"}]}]
            ),
            "final_result": "2.5 m",
        },
        stays=("agent_name", "model_name", "gen_ai.aggregated_usage.input_tokens", "final_result"),
        instead={
            "model": "gpt-4o",
            "provider": "openai",
            "input_type": "chat",
            "input_text": "How high?",
            "input_messages": [{"role": "user", "content": "How high?"}],
            "output_text": "2.5 m",
        },
    ),
    Payload(
        emitter="mlflow 3.6 (agent)",
        attributes={
            "mlflow.spanType": json.dumps("AGENT"),
            "mlflow.spanInputs": json.dumps("How high?"),
            "mlflow.spanOutputs": json.dumps("2.5 m"),
            "mlflow.trace.session": json.dumps("conv_1"),
        },
        silent=("agent_name",),
        instead={**_SAID, "session_id": "conv_1"},
    ),
    Payload(
        emitter="langfuse 4.0 (update_current_trace on a root span)",
        scope="langfuse-sdk",
        attributes={
            "langfuse.observation.type": "agent",
            "langfuse.trace.name": "river",
            "langfuse.trace.input": "How high?",
            "langfuse.trace.output": "2.5 m",
            "session.id": "conv_1",
            "langfuse.internal.as_root": True,
        },
        stays=("langfuse.trace.name", "langfuse.internal.as_root"),
        silent=("agent_name",),
        instead={**_SAID, "session_id": "conv_1"},
    ),
    Payload(
        emitter="mlflow 3.10 (agent with a linked prompt)",
        attributes={
            "mlflow.spanType": json.dumps("AGENT"),
            "mlflow.spanInputs": json.dumps("How high?"),
            "mlflow.spanOutputs": json.dumps("2.5 m"),
            "mlflow.linkedPrompts": json.dumps([{"name": "river", "version": "3"}]),
            "session.id": "conv_1",
        },
        silent=("agent_name",),
        instead={**_SAID, "session_id": "conv_1", "prompt_name": "river"},
    ),
)
