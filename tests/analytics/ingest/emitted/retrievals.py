"""Looking up passages about the Elbe."""

import json
from typing import Any

from tests.analytics.ingest.emitted import Payload

_FOUND = [{"id": "d1", "score": 0.9}, {"id": "d2", "score": 0.7}]
ROW: dict[str, Any] = {"operation_name": "retrieval", "retrieval": {"query": "Elbe", "documents": _FOUND}}

PAYLOADS = (
    Payload(
        emitter="semconv 1.39 (retrieval)",
        attributes={
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Elbe",
            "gen_ai.retrieval.documents": json.dumps(_FOUND),
        },
    ),
    Payload(
        emitter="openinference-instrumentation-llama-index 4.3 (retriever)",
        attributes={
            "openinference.span.kind": "RETRIEVER",
            "input.value": "Elbe",
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.score": 0.9,
            "retrieval.documents.1.document.id": "d2",
            "retrieval.documents.1.document.score": 0.7,
        },
        instead={"retrieval": {"documents": _FOUND}, "input_type": "text", "input_text": "Elbe"},
    ),
    Payload(
        emitter="openinference-instrumentation-llama-index 4.3 (reranker)",
        attributes={
            "openinference.span.kind": "RERANKER",
            "reranker.query": "Elbe",
            "reranker.top_k": 2,
            "reranker.model_name": "rerank-3.5",
            "reranker.input_documents.0.document.id": "d1",
            "reranker.output_documents.0.document.id": "d1",
            "reranker.output_documents.0.document.score": 0.9,
            "reranker.output_documents.1.document.id": "d2",
            "reranker.output_documents.1.document.score": 0.7,
        },
        instead={
            "operation_name": "rerank",
            "model": "rerank-3.5",
            "retrieval": {"query": "Elbe", "top_k": 2, "input_documents": [{"id": "d1"}], "documents": _FOUND},
        },
    ),
)
