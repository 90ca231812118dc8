"""A workflow called `forecast`, and the steps that are neither calls nor tools."""

import json
from typing import Any

from tests.analytics.ingest.emitted import Payload, event

ROW: dict[str, Any] = {"operation_name": "invoke_workflow", "workflow_name": "forecast"}

PAYLOADS = (
    Payload(
        emitter="semconv 1.40 (invoke_workflow)",
        attributes={"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "forecast"},
    ),
    Payload(
        emitter="traceloop-sdk 0.40 (@workflow)",
        attributes={
            "traceloop.span.kind": "workflow",
            "traceloop.workflow.name": "forecast",
            "traceloop.entity.name": "forecast",
        },
        stays=("traceloop.entity.name",),
    ),
    Payload(
        emitter="genkit 1.20 (flow)",
        attributes={"genkit:type": "action", "genkit:metadata:subtype": "flow", "genkit:name": "forecast"},
        stays=("genkit:type",),
    ),
    Payload(
        emitter="openinference-instrumentation-langchain 0.1.50 (chain)",
        attributes={"openinference.span.kind": "CHAIN", "metadata": json.dumps({"thread_id": "t1"})},
        silent=("workflow_name",),
        instead={"attributes": {"metadata": {"thread_id": "t1"}}},
    ),
    Payload(
        emitter="openinference-instrumentation-guardrails 0.1.9",
        attributes={"openinference.span.kind": "GUARDRAIL", "input.value": "hi", "output.value": "pass"},
        silent=("workflow_name",),
        instead={"operation_name": "guardrail", "input_type": "text", "input_text": "hi", "output_text": "pass"},
    ),
    Payload(
        emitter="phoenix-evals 2.0 (evaluator, with its judgement)",
        attributes={
            "openinference.span.kind": "EVALUATOR",
            "evaluations.0.evaluation.name": "relevance",
            "evaluations.0.evaluation.score": 0.75,
            "evaluations.0.evaluation.label": "relevant",
        },
        silent=("workflow_name",),
        instead={
            "operation_name": "evaluator",
            "evaluations": [{"evaluator_name": "relevance", "score": 0.75, "label": "relevant"}],
        },
    ),
    Payload(
        emitter="semconv 1.39 (an evaluation as an event)",
        attributes={"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "forecast"},
        events=[
            event(
                "gen_ai.evaluation.result",
                20,
                **{
                    "gen_ai.evaluation.name": "Relevance",
                    "gen_ai.evaluation.score.value": 4.0,
                    "gen_ai.evaluation.score.label": "relevant",
                    "gen_ai.evaluation.explanation": "names the river",
                },
            )
        ],
        instead={
            "evaluations": [
                {
                    "evaluator_name": "Relevance",
                    "score": 4.0,
                    "label": "relevant",
                    "explanation": "names the river",
                    "ts": "2026-03-01T10:00:00.020000Z",
                }
            ],
            "events": [
                {
                    "name": "gen_ai.evaluation.result",
                    "ts": "2026-03-01T10:00:00.020000Z",
                    "attributes": {
                        "gen_ai.evaluation.name": "Relevance",
                        "gen_ai.evaluation.score.value": 4.0,
                        "gen_ai.evaluation.score.label": "relevant",
                        "gen_ai.evaluation.explanation": "names the river",
                    },
                }
            ],
        },
    ),
    Payload(
        emitter="OpenTelemetry 1.38 (a span of HTTP, which no vocabulary knows)",
        attributes={"http.request.method": "POST", "server.address": "api.openai.com"},
        stays=("http.request.method", "server.address"),
        silent=("operation_name", "workflow_name"),
    ),
)
