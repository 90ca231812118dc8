"""A tool at work: `level` is asked for the Elbe and answers 2.5."""

import json
from typing import Any

from tests.analytics.ingest.emitted import Payload, event

_ARGUMENTS = '{"river":"Elbe"}'
ROW: dict[str, Any] = {
    "operation_name": "execute_tool",
    "tool_name": "level",
    "input_type": "text",
    "input_text": _ARGUMENTS,
    "output_text": "2.5",
}

PAYLOADS = (
    Payload(
        emitter="semconv 1.38 (execute_tool)",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "level",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": {"river": "Elbe"},
            "gen_ai.tool.call.result": 2.5,
        },
        stays=("gen_ai.tool.type", "gen_ai.tool.call.id"),
    ),
    Payload(
        emitter="openinference-instrumentation-openai-agents 1.3",
        scope="openinference.instrumentation.openai_agents",
        attributes={
            "openinference.span.kind": "TOOL",
            "tool.name": "level",
            "tool.description": "How high a river is",
            "input.value": _ARGUMENTS,
            "input.mime_type": "application/json",
            "output.value": "2.5",
        },
        stays=("tool.description", "input.mime_type"),
    ),
    Payload(
        emitter="traceloop-sdk 0.40 (@tool)",
        scope="traceloop.tracer",
        attributes={
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "level",
            "traceloop.entity.path": "",
            "traceloop.entity.input": _ARGUMENTS,
            "traceloop.entity.output": "2.5",
        },
        stays=("traceloop.entity.path",),
    ),
    Payload(
        emitter="ai 5.0 (Vercel AI SDK, tool)",
        scope="ai",
        attributes={
            "operation.name": "ai.toolCall",
            "ai.operationId": "ai.toolCall",
            "ai.toolCall.name": "level",
            "ai.toolCall.id": "call_1",
            "ai.toolCall.args": _ARGUMENTS,
            "ai.toolCall.result": "2.5",
        },
        stays=("operation.name", "ai.toolCall.id"),
    ),
    Payload(
        emitter="pydantic-ai 1.40 (running tool)",
        scope="pydantic-ai",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "level",
            "gen_ai.tool.call.id": "call_1",
            "tool_arguments": _ARGUMENTS,
            "tool_response": "2.5",
            "logfire.msg": "running tool: level",
        },
        stays=("gen_ai.tool.call.id", "tool_arguments", "tool_response", "logfire.msg"),
    ),
    Payload(
        emitter="google-adk 1.10 (tool)",
        scope="gcp.vertex.agent",
        attributes={
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "level",
            "gen_ai.tool.description": "How high a river is",
            "gcp.vertex.agent.tool_call_args": _ARGUMENTS,
            "gcp.vertex.agent.tool_response": "2.5",
            "gcp.vertex.agent.event_id": "ev-1",
        },
        stays=("gen_ai.tool.description", "gcp.vertex.agent.event_id"),
        instead={"provider": "gcp.vertex_ai"},
    ),
    Payload(
        emitter="genkit 1.20 (tool)",
        scope="genkit-tracer",
        attributes={
            "genkit:type": "action",
            "genkit:metadata:subtype": "tool",
            "genkit:name": "level",
            "genkit:input": _ARGUMENTS,
            "genkit:output": "2.5",
        },
        stays=("genkit:type",),
    ),
    Payload(
        emitter="strands-agents 1.15 (tool)",
        scope="strands.telemetry.tracer",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "level",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": _ARGUMENTS,
            "gen_ai.tool.call.result": "2.5",
            "tool.status": "success",
        },
        stays=("gen_ai.tool.call.id", "tool.status"),
    ),
    Payload(
        emitter="langsmith 0.4 (OTel export of a tool)",
        scope="langsmith",
        attributes={
            "langsmith.span.kind": "tool",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "level",
            "gen_ai.prompt": _ARGUMENTS,
            "gen_ai.completion": "2.5",
        },
    ),
    Payload(
        emitter="mlflow 3.6 (tool)",
        scope="mlflow",
        attributes={
            "mlflow.spanType": json.dumps("TOOL"),
            "mlflow.spanInputs": _ARGUMENTS,
            "mlflow.spanOutputs": "2.5",
        },
        silent=("tool_name",),
    ),
    Payload(
        emitter="langfuse 3.8 (tool)",
        scope="langfuse-sdk",
        attributes={
            "langfuse.observation.type": "tool",
            "langfuse.observation.input": _ARGUMENTS,
            "langfuse.observation.output": "2.5",
        },
        silent=("tool_name",),
    ),
    Payload(
        emitter="@sentry/node 10.20 (vercelAIIntegration, tool)",
        scope="@sentry/instrumentation-vercel-ai",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "level",
            "gen_ai.tool.input": _ARGUMENTS,
            "gen_ai.tool.output": "2.5",
        },
    ),
    Payload(
        emitter="opentelemetry-instrumentation-mcp 0.62 (OpenLLMetry)",
        scope="opentelemetry.instrumentation.mcp",
        attributes={
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "level",
            "mcp.method.name": "tools/call",
            "mcp.request.argument": _ARGUMENTS,
            "mcp.response.value": "2.5",
        },
        stays=("mcp.method.name",),
    ),
    Payload(
        emitter="semconv 1.38 (a tool that failed)",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "level",
            "gen_ai.tool.call.arguments": _ARGUMENTS,
            "error.type": "TimeoutError",
        },
        events=[event("exception", 10, **{"exception.type": "builtins.TimeoutError", "exception.message": "late"})],
        silent=("output_text",),
        instead={
            "error_type": "TimeoutError",
            "error_message": "late",
            "events": [
                {
                    "name": "exception",
                    "ts": "2026-03-01T10:00:00.010000Z",
                    "attributes": {"exception.type": "builtins.TimeoutError", "exception.message": "late"},
                }
            ],
        },
    ),
)
