"""Which names tell content: what goes where a project keeps none."""

from typing import Any

from analytics.ingest.span import NormalSpan
from analytics.ingest.vocabularies.rows import EventRow, IndexedRow, OpenRow, Row
from analytics.ingest.vocabularies.table import NAMED, ROWS

# Facts that are input, output, messages or arguments of tools.
_TOLD = frozenset({
    "input_messages", "output_messages", "input_plain", "output_plain", "instructions", "answer",
    "answer_calls", "answer_reasoning", "retrieval.input_documents",
    "retrieval.query", "retrieval.documents",
})  # fmt: skip
# Members that go; the numbers of a retrieval stay.
_MEMBERS = ("input_text", "output_text", "input_messages", "output_messages", "error_message")
_SOURCES = frozenset({*_MEMBERS, "retrieval.query", "retrieval.documents", "retrieval.input_documents"})
# Names without a member of their own that hold content all the same, and beginnings of such names.
_UNMAPPED = (
    "ai.embedding", "ai.ranking", "ai.response.files", "ai.response.object", "ai.response.reasoning", "db.query.",
    "db.search.", "embedding.embeddings.", "exception.message", "exception.stacktrace", "gcp.vertex.agent.data",
    "gen_ai.event.content", "gen_ai.memory.", "gen_ai.serialized.", "gen_ai.guardrail.content",
    "gen_ai.guardrail.match", "input.", "llm.function_call", "llm.prompt_template.", "logfire.msg",
    "mcp.request.argument", "mcp.response.value", "message", "output.", "pydantic_ai.all_messages", "reranker.",
    "traceloop.prompt.template",
)  # fmt: skip
_NAMES = frozenset(
    name for row in ROWS if isinstance(row, (Row, EventRow)) and row.member in _TOLD for name in row.names
)
_PREFIXES = (
    *(f"{row.prefix}." for row in ROWS if isinstance(row, (IndexedRow, OpenRow)) and row.member in _TOLD),
    *_UNMAPPED,
)


def is_content(name: str) -> bool:
    """Whether an attribute or an event of this name holds content."""
    return name in _NAMES or (name not in NAMED and name.startswith(_PREFIXES))


def drop_content(span: NormalSpan) -> None:
    """Take input, output, messages, arguments of tools and texts of errors out of `span`, wherever they were told."""
    for member in _MEMBERS:
        setattr(span, member, None)
    if span.retrieval:
        span.retrieval = {
            key: value for key, value in span.retrieval.items() if f"retrieval.{key}" not in _TOLD
        } or None
    span.attributes = _without_content(span.attributes)
    span.events = [
        {**event, "attributes": _without_content(event["attributes"])}
        for event in span.events
        if not is_content(event["name"])
    ]
    span.mapping_sources = {key: name for key, name in span.mapping_sources.items() if key not in _SOURCES}


def _without_content(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if not is_content(name)}
