"""JSON of providers and frameworks: where it holds messages, and what its parts without a type are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analytics.ingest.readers import text

Object = Mapping[str, Any]
_DEEPEST = 4
_OBJECT = frozenset({dict})
ROLES = {"model": "assistant", "ai": "assistant", "AIMessageChunk": "assistant", "human": "user"}


def role_of(message: Object, otherwise: str) -> str:
    """Return a message's role in the words of chat APIs."""
    name = message.get("role")
    if type(name) is not str:
        name = text(name)
    return ROLES.get(name, name) if name else otherwise


def listed(value: Any, depth: int = _DEEPEST) -> list[Any] | None:
    """Return the messages that a document holds, each an object; `None` when it is none of the known forms."""
    if isinstance(value, list):
        # One batch of LangChain is a list of lists of messages.
        inner = value[0] if len(value) == 1 and isinstance(value[0], list) else value
        return [unwrapped(item) for item in inner] if _OBJECT.issuperset(map(type, inner)) else None
    if not isinstance(value, dict) or depth == 0:
        return None
    for key in ("messages", "choices", "generations", "candidates", "contents", "message"):
        if (held := value.get(key)) is not None:
            found = listed([held] if isinstance(held, dict) else held, depth - 1)
            return found and _with_instructions(value, found)
    if "role" in value and ("content" in value or "parts" in value):
        return [unwrapped(value)]
    if isinstance(content := value.get("content"), dict):  # Gemini's answer in the form of ADK
        return listed([{**content, "finish_reason": value.get("finish_reason")}], depth - 1)
    return None


def _with_instructions(document: Object, found: list[Any]) -> list[Any]:
    config = document.get("config")
    holders = (document, config if isinstance(config, dict) else {})
    for holder in holders:
        for key in ("system", "system_instruction", "systemInstruction", "instructions"):
            if said := holder.get(key):
                said = said.get("parts", said) if isinstance(said, dict) else said
                return [{"role": "system", "content": said}, *found]
    return found


_WRAPPINGS = frozenset({"message", "kwargs", "data", "finishReason", "stop_reason", "type"})


def unwrapped(message: Object) -> Object:
    """Return the message inside a choice, a candidate, a generation or LangChain's constructor."""
    if "role" in message and _WRAPPINGS.isdisjoint(message):  # as nearly all are
        return message
    reason = next(
        (message[key] for key in ("finish_reason", "finishReason", "stop_reason") if isinstance(message.get(key), str)),
        None,
    )
    inner: Object = message
    for key in ("message", "kwargs", "data"):
        if isinstance(held := inner.get(key), dict):
            inner = held
    content = inner.get("content")
    if isinstance(content, dict) and "parts" in content:
        inner = content
    elif inner is message and "text" in message and "content" not in message and "role" not in message:
        inner = {"content": message["text"]}
    if inner is message and "type" not in message:
        return {**message, "finish_reason": reason} if reason else message
    kept = dict(inner)
    if "role" not in kept and isinstance(kind := kept.pop("type", None), str):
        kept["role"] = kind
    return {**kept, "finish_reason": reason} if reason else kept


def _thought(part: Object) -> Object:
    return {"type": "reasoning" if part.get("thought") is True else "text", "content": part["text"]}


def _reasoning(part: Object) -> Object:
    held = part.get("reasoningContent", part.get("reasoning"))
    inner = held.get("reasoningText", held) if isinstance(held, dict) else held
    return {"type": "reasoning", "content": inner.get("text") if isinstance(inner, dict) else inner}


def _call(key: str) -> Callable[[Object], Object]:
    def read(part: Object) -> Object:
        held = part[key] if isinstance(part[key], dict) else {"name": part[key]}
        return {
            "type": "tool_call",
            "id": _first(held, ("id", "toolUseId", "ref")),
            "name": held.get("name"),
            "arguments": _first(held, ("args", "input", "arguments")),
        }

    return read


def _result(key: str) -> Callable[[Object], Object]:
    def read(part: Object) -> Object:
        held = part[key] if isinstance(part[key], dict) else {"response": part[key]}
        return {
            "type": "tool_call_response",
            "id": _first(held, ("id", "toolUseId", "ref")),
            "response": _plain(_first(held, ("response", "output", "content"))),
        }

    return read


def _first(held: Object, keys: Sequence[str]) -> Any:
    return next((held[key] for key in keys if held.get(key) is not None), None)


def _plain(value: Any) -> Any:
    """Return the one text or value in Bedrock's list of results."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and len(value[0]) == 1:
        (kind, held) = next(iter(value[0].items()))
        return held if kind in {"text", "json"} else value
    return value


# A part without a type -> how it is read, by the key that gives it away (Gemini, Bedrock, Genkit).
_UNTYPED: tuple[tuple[str, Callable[[Object], Object]], ...] = (
    *((key, _call(key)) for key in ("function_call", "functionCall", "toolUse", "toolRequest")),
    *((key, _result(key)) for key in ("function_response", "functionResponse", "toolResult", "toolResponse")),
    *((key, _reasoning) for key in ("reasoningContent", "reasoning")),
    ("text", _thought),
)


def typed(part: Object) -> Object:
    """Return a part with a `type`; one that nothing gives away stays as it is."""
    for key, read in _UNTYPED:
        if key in part:
            return read(part)
    return part
