"""Reading one attribute: each reader returns the fact that a JSON value tells, or `None` when it tells none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any

from analytics.ingest.text import decode_json, embedded_json, encode_json, scrub

Reader = Callable[[Any], Any]

_NANO = Decimal("1e-9")
# A bigint of nano-dollars ends at 9.2e9 dollars.
_MOST_DOLLARS = Decimal(9_000_000_000)
_MILLISECONDS = 1000
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_LONGEST_NUMBER = 40
# Kinds of span in words of other vocabularies -> OTel's operation.
_OPERATIONS = {
    "llm": "chat",
    "chat_model": "chat",
    "generation": "chat",
    "model": "chat",
    "embedding": "embeddings",
    "embedder": "embeddings",
    "reranker": "rerank",
    "retriever": "retrieval",
    "tool": "execute_tool",
    "tool.v2": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
    "flow": "invoke_workflow",
    "chain": "invoke_workflow",
    "completion": "text_completion",
    # What the AI SDK does: the outer span of a call is its agent's, each question to a model a span inside.
    "ai.generatetext": "invoke_agent",
    "ai.streamtext": "invoke_agent",
    "ai.generateobject": "invoke_agent",
    "ai.streamobject": "invoke_agent",
    "ai.generatetext.dogenerate": "chat",
    "ai.streamtext.dostream": "chat",
    "ai.generateobject.dogenerate": "chat",
    "ai.streamobject.dostream": "chat",
    "ai.embed": "embeddings",
    "ai.embed.doembed": "embeddings",
    "ai.embedmany": "embeddings",
    "ai.embedmany.doembed": "embeddings",
    "ai.rerank": "rerank",
    "ai.rerank.dorerank": "rerank",
    "ai.toolcall": "execute_tool",
    # LiteLLM says which of its functions was called.
    "acompletion": "chat",
    "anthropic_messages": "chat",
    "aresponses": "chat",
    "responses": "chat",
    "atext_completion": "text_completion",
    "aembedding": "embeddings",
    "arerank": "rerank",
}
# Other words that emitters put into OTel's own name.
_OTEL_OPERATIONS = {
    "chat.completions": "chat",
    "chat_completion": "chat",
    "text.completions": "text_completion",
    "completion": "text_completion",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "workflow": "invoke_workflow",
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
    # As SDKs and frameworks name them.
    "aws": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "azure-openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "azure_ai": "azure.ai.inference",
    "gcp.vertex.agent": "gcp.vertex_ai",
    "google-gla": "google",
    "google-genai": "google",
    "google_ai_studio": "google",
    "google ai studio": "google",  # as OpenRouter names who answered
    "google vertex": "gcp.vertex_ai",
    "amazon bedrock": "aws.bedrock",
    "google_generativeai": "google",
    "google_gemini": "google",
    "googleai": "google",
    "google-vertex": "gcp.vertex_ai",
    "google_vertexai": "gcp.vertex_ai",
    "google.vertex": "gcp.vertex_ai",
    "google.vertex.anthropic": "gcp.vertex_ai",
    "vertex.anthropic": "gcp.vertex_ai",
    "google_ai": "google",
    "google-ai-studio": "google",
    "google-ai": "google",
    "vertex": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "azure_ai_inference": "azure.ai.inference",
    "text-completion-openai": "openai",
    "cohere_chat": "cohere",
    "x-ai": "x_ai",
    "xai": "x_ai",
    "togetherai": "together",
    "together-ai": "together",
    "together ai": "together",
    "fireworks_ai": "fireworks",
    "fireworks-ai": "fireworks",
    "fireworksai": "fireworks",
    "moonshot_ai": "moonshotai",
    "moonshot-ai": "moonshotai",
    "voyage": "voyageai",
    "voyage_ai": "voyageai",
    "mistral-ai": "mistral",
}
# The AI SDK says which API of a provider was called.
_PROVIDER_APIS = (
    ".chat", ".responses", ".completion", ".messages", ".embedding", ".textembedding", ".image", ".speech",
    ".transcription", ".generative-ai", ".reranking",
)  # fmt: skip
# Names are few; what a hostile sender makes up is forgotten again.
_KNOWN_PROVIDERS = 256
# Frameworks that put their own name where the provider's belongs.
_NO_PROVIDERS = frozenset({
    "_other", "autogen", "crewai", "langchain", "langgraph", "litellm", "llamaindex", "microsoft.agent_framework",
    "openai_agents", "pydantic_ai", "pydantic-ai", "semantic_kernel", "strands-agents", "unknown",
})  # fmt: skip
# Beginning of a model's name -> who makes it.
_MAKERS = (
    (("gpt-", "o1", "o3", "o4", "ft:gpt-"), "openai"),
    (("claude-",), "anthropic"),
    (("gemini-",), "google"),
    (("mistral-", "mixtral-"), "mistral"),
)
# Google's own API writes `models/gemini-2.5-pro`.
_GEMINI_API = ("models", "google")


def says_nothing(value: Any) -> bool:
    """Whether a JSON value is null or empty."""
    return value in _NOTHING


_NOTHING: tuple[Any, ...] = (None, "", [], {})


def text(value: Any) -> str | None:
    """A non-empty text; a number is written out."""
    if type(value) is str:
        return value or None
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def any_text(value: Any) -> str | None:
    """Any value as text: what is not text is written as JSON."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else encode_json(value)


def _unquoted_text(value: Any) -> str | None:
    said: str | None = unquoted(any_text)(value)
    return said


def joined(value: Any) -> str | None:
    """A text, or the texts of a list one below the other, each without the quotes of JSON."""
    found = embedded_json(value) if isinstance(value, str) and value.startswith("[") else value
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return _unquoted_text(value)
    said = [text for item in found if (text := _unquoted_text(item))]
    return "\n".join(said) or None


def operation(value: Any) -> str | None:
    """A kind of span in another vocabulary's word, as OTel's operation; unknown kinds in lower case."""
    if (kind := text(value)) is None:
        return None
    return _OPERATIONS.get(kind.lower(), kind.lower())


def otel_operation(value: Any) -> str | None:
    """An operation as sent, unless it is a known one in another word."""
    return None if (name := text(value)) is None else _OTEL_OPERATIONS.get(name, name)


def provider(value: Any) -> str | None:
    """A provider under its one name; a framework's name tells none."""
    return None if (name := text(value)) is None else _provider(name)


@lru_cache(maxsize=_KNOWN_PROVIDERS)
def _provider(said: str) -> str | None:
    if (name := said.lower()) in _NO_PROVIDERS:
        return None
    for api in _PROVIDER_APIS:
        name = name.removesuffix(api)
    return _PROVIDERS.get(name, name)


def maker(model: str) -> str | None:
    """The provider that the name of a model alone gives away, also where a router wrote the provider before it."""
    vendor, _, name = model.lower().rpartition("/")
    found = next((maker for beginnings, maker in _MAKERS if name.startswith(beginnings)), None)
    return found if not vendor or found == _provider(vendor) or (vendor, found) == _GEMINI_API else None


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


def seconds_or_milliseconds(value: Any) -> int | None:
    """A span of time in whole milliseconds, given so, or in seconds with a fraction."""
    return (
        seconds(value) if isinstance(value, float) or (isinstance(value, str) and "." in value) else milliseconds(value)
    )


def nanoseconds(value: Any) -> int | None:
    """An instant in ISO 8601, UTC where it names no other zone, in nanoseconds since 1970."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
        since = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - _EPOCH
    except (ValueError, OverflowError):
        return None
    return since // _MICROSECOND * _MILLISECONDS


def number(value: Any) -> float | None:
    """A finite number, also as text."""
    found = _decimal(value)
    return None if found is None else float(found)


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


def finish(value: Any) -> str | None:
    """Why an answer ended, the first reason of several, in one spelling: `STOP`, `tool-calls` and enum names alike."""
    if type(value) is str and value.isalpha():  # one word
        return value.lower()
    found = value if type(value) is list and value and type(value[0]) is str and value[0] else texts(value)
    return found[0].rpartition("FinishReason.")[2].lower().replace("-", "_") if found else None


def first_item(read: Reader) -> Reader:
    """Return a reader of the first item of a list."""

    def read_first(value: Any) -> Any:
        found = json_list(value)
        return read(found[0]) if found else None

    return read_first


def unquoted(read: Reader) -> Reader:
    """Return a reader of a value that is written as JSON, also when it is a text or a number."""

    def read_unquoted(value: Any) -> Any:
        if isinstance(value, str) and value[:1] == '"' == value[-1:]:
            try:
                return read(scrub(decode_json(value)))
            except ValueError:
                return read(value)
        return read(value)

    return read_unquoted


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
