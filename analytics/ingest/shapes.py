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
    for key in _LISTS:
        if (held := value.get(key)) is not None:
            found = listed([held] if isinstance(held, dict) else held, depth - 1)
            return found and _with_instructions(value, found)
    if "role" in value and ("content" in value or "parts" in value):
        return [unwrapped(value)]
    if isinstance(content := value.get("content"), dict):  # Gemini's answer in the form of ADK
        return listed([{**content, "finish_reason": value.get("finish_reason")}], depth - 1)
    return None


_LISTS = ("messages", "choices", "generations", "candidates", "contents", "message")
_INSTRUCTIONS = ("system", "system_instruction", "systemInstruction", "instructions")


def _with_instructions(document: Object, found: list[Any]) -> list[Any]:
    if (path := _instructions(document)) is None:
        return found
    *holder, key = path
    said = (document[holder[0]] if holder else document)[key]
    said = said.get("parts", said) if isinstance(said, dict) else said
    return [{"role": "system", "content": said}, *found]


def _instructions(document: Object) -> tuple[str, ...] | None:
    config = document.get("config")
    holders: tuple[tuple[tuple[str, ...], Object], ...] = (
        ((), document),
        (("config",), config if isinstance(config, dict) else {}),
    )
    return next(((*path, key) for path, holder in holders for key in _INSTRUCTIONS if holder.get(key)), None)


def taken(document: Object) -> Sequence[tuple[str, ...]]:
    """Return the paths in a document of what `listed` returns; fields of a message are in the message."""
    if listed(document) is None:
        return ()
    for key in _LISTS:
        if document.get(key) is not None:
            path = _instructions(document)
            return ((key,),) if path is None else ((key,), path)
    if isinstance(document.get("content"), dict) and "role" not in document:
        return (("content",), ("finish_reason",))
    return [(key,) for key in document]


_WRAPPINGS = frozenset({"message", "kwargs", "data", "finishReason", "stop_reason", "type"})


def unwrapped(message: Object) -> Object:
    """Return the message inside a choice, a candidate, a generation or LangChain's constructor, with their fields."""
    if "role" in message and _WRAPPINGS.isdisjoint(message):  # as nearly all are
        return message
    ended = next(
        (key for key in ("finish_reason", "finishReason", "stop_reason") if isinstance(message.get(key), str)), ""
    )
    inner: Object = message
    around: dict[str, Any] = {}
    for key in ("message", "kwargs", "data"):
        if isinstance(held := inner.get(key), dict):
            around |= _around(inner, key)
            inner = held
    content = inner.get("content")
    if isinstance(content, dict) and "parts" in content:
        around |= _around(inner, "content")
        inner = content
    elif inner is message and "text" in message and "content" not in message and "role" not in message:
        around = _around(message, "text")
        inner = {"content": message["text"]}
    kept = {**around, **inner}
    if isinstance(kind := inner.get("type"), str) and (kind == "message" or "role" not in inner):
        del kept["type"]
        kept.setdefault("role", kind) if kind != "message" else None
    if ended:
        kept.pop(ended, None)
        kept["finish_reason"] = message[ended]
    if "text" in around and around["text"] == inner.get("content"):
        del kept["text"]  # LangChain's generation repeats its message
    return kept


def _around(holder: Object, key: str) -> dict[str, Any]:
    """Return the fields beside `key`, but for those that say what the form is."""
    return {
        name: value
        for name, value in holder.items()
        if name not in {key, "type", "lc"} and not (name == "id" and isinstance(value, list))
    }


def _beside(part: Object, *known: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in known}


def _thought(part: Object) -> Object:
    kind = "reasoning" if part.get("thought") is True else "text"
    return {**_beside(part, "text", "thought"), "type": kind, "content": part["text"]}


def _reasoning(part: Object) -> Object:
    key = "reasoningContent" if "reasoningContent" in part else "reasoning"
    held = part[key]
    inner = held.get("reasoningText", held) if isinstance(held, dict) else held
    beside = _beside(part, key) | (_beside(held, "reasoningText", "text") if isinstance(held, dict) else {})
    if not isinstance(inner, dict):
        return {**beside, "type": "reasoning", "content": inner}
    return {**beside, **_beside(inner, "text"), "type": "reasoning", "content": inner.get("text")}


def _call(key: str) -> Callable[[Object], Object]:
    def read(part: Object) -> Object:
        held = part[key] if isinstance(part[key], dict) else {"name": part[key]}
        return {
            **_beside(part, key),
            **_beside(held, *_IDS, *_ARGUMENTS),
            "type": "tool_call",
            "id": _first(held, _IDS),
            "arguments": _first(held, _ARGUMENTS),
        }

    return read


def _result(key: str) -> Callable[[Object], Object]:
    def read(part: Object) -> Object:
        held = part[key] if isinstance(part[key], dict) else {"response": part[key]}
        return {
            **_beside(part, key),
            **_beside(held, *_IDS, *_RESULTS),
            "type": "tool_call_response",
            "id": _first(held, _IDS),
            "response": _plain(_first(held, _RESULTS)),
        }

    return read


_IDS = ("id", "toolUseId", "ref")
_ARGUMENTS = ("args", "input", "arguments")
_RESULTS = ("response", "output", "content")


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
