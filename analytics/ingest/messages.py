"""Messages of a conversation, in whatever form they were sent, as `{role, content, name, tool_calls, ...}`.

`content` is a text, or the list of parts when some are not text, or `None`. A newline joins texts of one message.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from analytics.ingest.readers import any_text, finish, json_list, parsed, text
from analytics.ingest.shapes import ROLES, listed, role_of, typed
from analytics.ingest.text import embedded_json

Message = dict[str, Any]
# Index of a list that is spread over names. Longer ones are no index; lists are never allocated by index.
INDEX = r"[0-9]{1,9}"
_PART_OF_LIST = re.compile(rf"(contents|tool_calls)\.({INDEX})\.(?:message_content\.|tool_call\.)?(.+)")

_REPEATED = re.compile(r"^(image|audio|video|document)\.\1\.")


@dataclass(slots=True)  # neither frozen nor by name only, which costs three times as much to make: two for every span
class Conversation:
    """Messages in order, their text, and whether any part is something other than text."""

    messages: list[Message]
    text: str
    multimodal: bool = False
    finish_reason: str | None = None


@dataclass(slots=True)
class _Draft:
    """One message while its parts are read."""

    texts: list[str] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    multimodal: bool = False
    extras: dict[str, Any] = field(default_factory=dict)

    def add_text(self, value: Any) -> None:
        if said := any_text(value):
            self.texts.append(said)
            self.parts.append({"type": "text", "text": said})

    def finished(self, role: str, *, name: str | None) -> Message:
        message: Message = {"role": role, "content": "\n".join(self.texts) if self.texts else None}
        if self.multimodal:
            message["content"] = self.parts
        if name:
            message["name"] = name
        if self.tool_calls:
            message["tool_calls"] = self.tool_calls
        return message | self.extras


def converse(values: Iterable[Any], *, role: str) -> Conversation | None:
    """Return the conversation that `values` (messages, or bare texts of `role`) tell; `None` when they tell none."""
    messages: list[Message] = []
    texts: list[str] = []
    multimodal = False
    for value in values:
        given = value if type(value) is dict else {"content": value}
        if (said := _only_text(given)) is not None:
            messages.append({"role": role_of(given, role), "content": said})
            texts.append(said)
            continue
        draft = _draft(given)
        if not (draft.parts or draft.tool_calls or draft.extras):
            continue
        messages.append(draft.finished(role_of(given, role), name=text(given.get("name"))))
        texts.extend(draft.texts)
        multimodal |= draft.multimodal
    if not messages:
        return None
    return Conversation(messages, "\n".join(texts), multimodal)


def _plainly(found: Iterable[Any], finishing: bool) -> Conversation | None:
    """Return what `converse` would of messages in the form that nearly all come in; `None` leaves them to it.

    Each is an object with a role and nothing but one text; with `finishing` the first reason to end is theirs.
    """
    messages: list[Message] = []
    texts: list[str] = []
    reason: str | None = None
    for item in found:
        if item.__class__ is not dict or not _OF_A_TEXT.issuperset(item):
            return None
        role = item.get("role")
        content = item.get("parts") or item.get("content")
        if content.__class__ is list and len(content) == 1:
            part = content[0]
            if part.__class__ is not dict or part.get("type") != "text":
                return None
            content = part.get("content") or part.get("text")
        if role.__class__ is not str or not role or content.__class__ is not str or not content or content[0] == "[":
            return None
        messages.append({"role": ROLES.get(role, role), "content": content})
        texts.append(content)
        if finishing and reason is None and (said := item.get("finish_reason")):
            reason = finish(said)
    return Conversation(messages, "\n".join(texts), False, reason) if messages else None


def _draft(given: Message) -> _Draft:
    draft = _Draft()
    _read_content(draft, given.get("parts") or given.get("content"))
    if calls := given.get("tool_calls"):
        draft.tool_calls.extend(_tool_call(call) for call in json_list(calls) or ())
    if isinstance(call := given.get("function_call"), dict):
        draft.tool_calls.append(_tool_call(call))
    if call_id := text(given.get("tool_call_id")):
        draft.extras.setdefault("tool_call_id", call_id)
    _reasoning(draft, {"content": given.get("reasoning_content") or given.get("reasoning")})
    return draft


# Keys of a message that is nothing but a text somebody said; why it ended is not part of it.
_OF_A_TEXT = frozenset({"role", "content", "parts", "finish_reason"})


def _only_text(message: Message) -> str | None:
    """Return the text of a message that has nothing else, as nearly all have: it needs no further reading."""
    if not _OF_A_TEXT.issuperset(message):
        return None
    content = message.get("parts") or message.get("content")
    if type(content) is list and len(content) == 1 and type(part := content[0]) is dict and part.get("type") == "text":
        content = part.get("content") or part.get("text")
    return content if type(content) is str and content and content[0] != "[" else None


def _read_content(draft: _Draft, content: Any) -> None:
    if isinstance(content, str) and content.startswith("["):
        # Several instrumentors write a list of parts as JSON; a text that merely looks like one stays a text.
        parts = embedded_json(content)
        if parts and all(isinstance(part, dict) and ("type" in part or typed(part) is not part) for part in parts):
            content = parts
    if not isinstance(content, list):
        draft.add_text(content)
        return
    for part in content:
        if isinstance(part, dict):
            part = part if "type" in part else typed(part)  # noqa: PLW2901  the same part in the form that is read
            _PARTS.get(str(part.get("type")), _other)(draft, part)
        else:
            draft.add_text(part)


def _text_part(draft: _Draft, part: Mapping[str, Any]) -> None:
    draft.add_text(part.get("content") or part.get("text") or part.get("refusal"))


def _reasoning(draft: _Draft, part: Mapping[str, Any]) -> None:
    if said := any_text(part.get("content") or part.get("text") or part.get("thinking")):
        before = draft.extras.get("reasoning")
        draft.extras["reasoning"] = f"{before}\n{said}" if before else said


def _call_part(draft: _Draft, part: Mapping[str, Any]) -> None:
    draft.tool_calls.append(_tool_call(part))


def _result(draft: _Draft, part: Mapping[str, Any]) -> None:
    told = next((part[key] for key in ("response", "result", "content", "output") if part.get(key)), None)
    # The AI SDK wraps a result: `{"type": "json", "value": ...}`.
    draft.add_text(told["value"] if isinstance(told, dict) and told.keys() == {"type", "value"} else told)
    call_id = next((part[key] for key in ("id", "tool_use_id", "toolCallId", "call_id") if part.get(key)), None)
    if call_id is not None:
        draft.extras["tool_call_id"] = any_text(call_id)


def _other(draft: _Draft, part: Mapping[str, Any]) -> None:
    draft.multimodal = True
    draft.parts.append(dict(part))


_PARTS: dict[str, Callable[[_Draft, Mapping[str, Any]], None]] = {
    **dict.fromkeys(("text", "input_text", "output_text", "refusal"), _text_part),
    **dict.fromkeys(("reasoning", "thinking"), _reasoning),
    **dict.fromkeys(("tool_call", "tool_use", "tool-call", "function_call"), _call_part),
    **dict.fromkeys(("tool_call_response", "tool_result", "tool-result", "function_call_output"), _result),
}
_ARGUMENTS = ("arguments", "input", "args")


def _tool_call(call: Any) -> dict[str, Any]:
    """Return a call as `{id, name, arguments}`, whichever API's form it has; arguments in JSON text are parsed."""
    if not isinstance(call, dict):
        return {"name": any_text(call)}
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    arguments = next((inner[key] for key in _ARGUMENTS if inner.get(key) is not None), None)
    told = {
        "id": next((call[key] for key in ("id", "toolCallId", "call_id") if call.get(key)), None),
        "name": inner.get("name") or inner.get("toolName"),
        "arguments": parsed(arguments),
    }
    return {key: value for key, value in told.items() if value is not None}


def messages(role: str) -> Callable[[Any], Conversation | None]:
    """Return a reader of a list of messages or an object with one, also as JSON text."""
    finishing = role == "assistant"  # what was asked did not end

    def read(value: Any) -> Conversation | None:
        said = parsed(value)
        if said.__class__ is list and (plain := _plainly(said, finishing)) is not None:
            return plain
        found = listed(said)
        if found is None:
            return None
        conversation = converse(found, role=role)
        return conversation and (_with_finish_reason(conversation, found) if finishing else conversation)

    return read


def _with_finish_reason(conversation: Conversation, found: Iterable[Any]) -> Conversation:
    for item in found:
        if (said := item.get("finish_reason")) and (reason := finish(said)):
            conversation.finish_reason = reason
            break
    return conversation


def prompt(value: Any) -> Conversation | None:
    """Read the AI SDK's prompt: an object with instructions, and a text or messages."""
    found = parsed(value)
    if not isinstance(found, dict):
        return None
    asked = found.get("messages")
    if not isinstance(asked, list):
        asked = asked_for if isinstance(asked_for := found.get("prompt"), list) else [{"content": asked_for}]
    system = found.get("system") or found.get("instructions")
    return converse([*([{"role": "system", "content": system}] if system else ()), *asked], role="user")


def calls(value: Any) -> list[dict[str, Any]] | None:
    """Read the calls of tools in an answer."""
    found = json_list(value)
    return [_tool_call(call) for call in found] if found else None


def listed_events(*, answers: bool) -> Callable[[Any], Conversation | None]:
    """Return a reader of a list of events that are one message each: the answers among them, or what was asked."""

    def read(value: Any) -> Conversation | None:
        found = parsed(value)
        if not isinstance(found, list) or not all(isinstance(item, dict) and "event.name" in item for item in found):
            return None
        given = [
            _event_message({"attributes": item}, _role_of_event(item), "message")
            for item in found
            if (item["event.name"] == _CHOICE) is answers
        ]
        conversation = converse(given, role="assistant" if answers else "user")
        return conversation and _with_finish_reason(conversation, given)

    return read


_CHOICE = "gen_ai.choice"


def _role_of_event(event: Mapping[str, Any]) -> str:
    """Return the role in `gen_ai.<role>.message`."""
    name = str(event["event.name"])
    return "assistant" if name == _CHOICE else name.removeprefix("gen_ai.").removesuffix(".message")


def instructions(value: Any) -> Conversation | None:
    """Read system instructions: a text, or parts of one message."""
    return converse([{"content": parsed(value)}], role="system")


def spread_messages(role: str) -> Callable[[Sequence[Mapping[str, Any]]], Conversation | None]:
    """Return a reader of messages whose fields are spread over names, with or without `message.` before each."""

    def read(items: Sequence[Mapping[str, Any]]) -> Conversation | None:
        return converse([_gathered(item) for item in items], role=role)

    return read


# Fields of OpenInference that say the same under another name.
_SAME = {
    "function_call_name": ("function_call", "name"),
    "function_call_arguments_json": ("function_call", "arguments"),
    "function_call.name": ("function_call", "name"),
    "function_call.arguments": ("function_call", "arguments"),
}
# A hostile sender can invent names without end; real ones are few.
_KNOWN_NAMES = 4096


@lru_cache(maxsize=_KNOWN_NAMES)
def _place(name: str) -> tuple[str, int, str]:
    """Return the list a field belongs to ("" for none, "-" for an object), its index there, and its own name."""
    short = name.removeprefix("message.")
    if short in _SAME:
        holder, key = _SAME[short]
        return holder, -1, key
    if spread := _PART_OF_LIST.fullmatch(short):
        return spread[1], int(spread[2]), _REPEATED.sub(r"\1.", spread[3].removeprefix("function."))
    return "", -1, short


def _gathered(fields: Mapping[str, Any]) -> Message:
    message: Message = {}
    lists: dict[str, dict[int, dict[str, Any]]] = {}
    for name, value in fields.items():
        holder, index, key = _place(name)
        if not holder:
            message[key] = value
        else:
            lists.setdefault(holder, {}).setdefault(index, {})[key] = value
    if "function_call" in lists:
        message["function_call"] = lists["function_call"][-1]
    if "tool_calls" in lists:
        message["tool_calls"] = _in_order(lists["tool_calls"])
    if "contents" in lists:
        # `contents` is the complete form; `content` beside it repeats its text.
        message["content"] = _in_order(lists["contents"])
    return message


def _in_order(items: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return [items[index] for index in sorted(items)]


def told_by_events(
    role_of: Mapping[str, str], *, inner: str | None = None
) -> Callable[[Sequence[Mapping[str, Any]], int], Conversation | None]:
    """Return a reader of events that are one message each: event name -> role.

    The message is the event's attributes, or what their `inner` key holds.
    """

    def read(events: Sequence[Mapping[str, Any]], _: int) -> Conversation | None:
        given = [message for event in events for message in _event_messages(event, role_of[event["name"]], inner)]
        conversation = converse(given, role="user")
        return conversation and _with_finish_reason(conversation, given)

    return read


def _event_messages(event: Mapping[str, Any], role: str, inner: str | None) -> Sequence[Mapping[str, Any]]:
    """Return the messages of one event: before each had an event of its own, `inner` held all of them."""
    held = parsed(event["attributes"].get(inner)) if inner else None
    if isinstance(held, list) and (found := listed(held)) and all("role" in one for one in found):
        return found
    return [_event_message(event, role, inner)]


def _event_message(event: Mapping[str, Any], role: str, inner: str | None) -> Message:
    attributes = event["attributes"]
    body = parsed(attributes.get("gen_ai.event.content"))
    told = {**attributes, **(body if isinstance(body, dict) else {})}
    message = told
    if inner and inner in told:
        held = parsed(told[inner])
        message = held if isinstance(held, dict) else {"content": held}
    elif isinstance(said := parsed(told.get("content")), dict) and "parts" in said:
        message = {**told, "content": None, **said}
    # An event carries other attributes too; only a message's own keys may make one.
    return {"role": role, **{key: message[key] for key in _EVENT_KEYS if key in message}} | (
        {"finish_reason": told["finish_reason"]} if "finish_reason" in told else {}
    )


_EVENT_KEYS = ("role", "content", "parts", "name", "tool_calls", "tool_call_id")


def spread_texts(name: str) -> Callable[[Sequence[Mapping[str, Any]]], str | None]:
    """Return a reader that joins the field `name` of all items by newlines."""

    def read(items: Sequence[Mapping[str, Any]]) -> str | None:
        return "\n".join(said for item in items if (said := text(item.get(name)))) or None

    return read
