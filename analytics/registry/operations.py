"""Kinds of operation that a span can be."""

# Operations that are model calls: they enter request and latency figures unless a descendant is one too.
CALL_OPERATIONS = frozenset({"chat", "generate_content", "text_completion", "embeddings", "rerank"})


def is_model_call(operation_name: str | None, *, has_usage: bool) -> bool:
    """Whether a span is a model call by its own account; one without an operation is when it carries usage."""
    return has_usage if operation_name is None else operation_name in CALL_OPERATIONS
