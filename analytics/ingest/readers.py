"""Reading one attribute: each reader returns the fact that a JSON value tells, or `None` when it tells none."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from analytics.ingest.text import embedded_json, encode_json

Reader = Callable[[Any], Any]

_NANO = Decimal("1e-9")
# A bigint of nano-dollars ends at 9.2e9 dollars.
_MOST_DOLLARS = Decimal(9_000_000_000)
_MILLISECONDS = 1000
_LONGEST_NUMBER = 40
# Kinds of span in words of other vocabularies -> OTel's operation.
_OPERATIONS = {
    "llm": "chat",
    "embedding": "embeddings",
    "reranker": "rerank",
    "retriever": "retrieval",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
    "chain": "invoke_workflow",
    "completion": "text_completion",
}
_PROVIDERS = {
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gemini": "google",
    "google_genai": "google",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
}
# Beginning of a model's name -> who makes it.
_MAKERS = (
    (("gpt-", "o1", "o3", "o4"), "openai"),
    (("claude-",), "anthropic"),
    (("gemini-",), "google"),
    (("mistral-", "mixtral-"), "mistral"),
)


def text(value: Any) -> str | None:
    """A non-empty text; a number is written out."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def any_text(value: Any) -> str | None:
    """Any value as text: what is not text is written as JSON."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else encode_json(value)


def operation(value: Any) -> str | None:
    """A kind of span in another vocabulary's word, as OTel's operation; unknown kinds in lower case."""
    if (kind := text(value)) is None:
        return None
    return _OPERATIONS.get(kind.lower(), kind.lower())


def provider(value: Any) -> str | None:
    """A provider under its one name."""
    if (name := text(value)) is None:
        return None
    return _PROVIDERS.get(name.lower(), name.lower())


def maker(model: str) -> str | None:
    """The provider that the name of a model alone gives away."""
    name = model.lower()
    return next((maker for beginnings, maker in _MAKERS if name.startswith(beginnings)), None)


def tokens(value: Any) -> int | None:
    """A count: a whole number, not negative, as number or digits."""
    if type(value) is int:
        return value if value >= 0 else None
    number = _decimal(value)
    if number is None or number < 0 or number != number.to_integral_value():
        return None
    return int(number)


def milliseconds(value: Any) -> int | None:
    """A span of time given in milliseconds, rounded to whole ones."""
    number = _decimal(value)
    return None if number is None or number < 0 else int(number.to_integral_value())


def seconds(value: Any) -> int | None:
    """A span of time given in seconds, in whole milliseconds."""
    number = _decimal(value)
    return None if number is None or number < 0 else int((number * _MILLISECONDS).to_integral_value())


def nano_dollars(value: Any) -> int | None:
    """An amount given in dollars, in nano-dollars, half-even; never through binary floating point."""
    number = _decimal(value)
    if number is None or not 0 <= number <= _MOST_DOLLARS:
        return None
    with localcontext(prec=60):
        return int(number.quantize(_NANO).scaleb(9))


def boolean(value: Any) -> bool | None:
    """True or false, also as text."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def present(value: Any) -> Any:
    """Whatever was sent, unless it is null or empty text."""
    return None if value == "" else value


def parsed(value: Any) -> Any:
    """The list or object that a JSON text holds, else the value itself."""
    found = embedded_json(value) if isinstance(value, str) else None
    return value if found is None else found


def json_object(value: Any) -> dict[str, Any] | None:
    """An object, also as JSON text; an empty one tells nothing."""
    found = parsed(value)
    return found if isinstance(found, dict) and found else None


def json_list(value: Any) -> list[Any] | None:
    """A list, also as JSON text, its items too; an empty one tells nothing."""
    found = parsed(value)
    if not isinstance(found, list) or not found:
        return None
    return [parsed(item) for item in found]


def texts(value: Any) -> list[str] | None:
    """A list of texts, also as JSON text or separated by commas."""
    found = value
    if isinstance(value, str):
        found = embedded_json(value) or [item.strip() for item in value.split(",")]
    if not isinstance(found, list):
        return None
    return [item for item in (any_text(item) for item in found) if item] or None


def first_text(value: Any) -> str | None:
    """The first text of a list, or the one text there is."""
    return found[0] if (found := texts(value)) else None


def inside(key: str, read: Reader, *, otherwise: Any = None) -> Reader:
    """Return a reader of one key of an object; `otherwise` is what an object without it tells."""

    def read_inside(value: Any) -> Any:
        found = json_object(value)
        if found is None:
            return None
        return read(found[key]) if found.get(key) is not None else otherwise

    return read_inside


def _decimal(value: Any) -> Decimal | None:
    """Return a finite number of sane size, from a number or its text."""
    if type(value) is int:
        return Decimal(value)
    if not isinstance(value, (float, str)) or len(written := str(value)) > _LONGEST_NUMBER:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _LONGEST_NUMBER else None
