"""Messages of a conversation, in whatever form they were sent, as `{role, content, name, tool_calls, ...}`.

`content` is a text, or the list of parts when some are not text, or `None`. A newline joins texts of one message.
Fields that have no place in this form stay in the message under their own names, those of a part in `part_fields`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.ingest.documents import Document, DocumentReader, Path
from analytics.ingest.readers import any_text, finish, json_list, parsed, says_nothing, text
from analytics.ingest.shapes import ROLES, listed, role_of, taken, typed
from analytics.ingest.text import embedded_json

Message = dict[str, Any]


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
    part_fields: list[dict[str, Any]] = field(default_factory=list)
    part: int = 0  # the one that is being read

    def has_said(self) -> bool:
        """Whether anything was read that is a message's own."""
        return bool(self.parts or self.tool_calls or self.extras)

    def keep(self, part: Mapping[str, Any], *known: str) -> None:
        """Keep the fields of the part that none of its readers know."""
        if kept := _unlike(part, ("type", *known)):
            self.part_fields.append({"part": self.part, **kept})

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
        if self.part_fields:
            message["part_fields"] = self.part_fields
        return message | self.extras


def _unlike(given: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in known and not says_nothing(value)}


def converse(values: Iterable[Any], *, role: str, ending: bool = False) -> Conversation | None:
    """Return the conversation that `values` (messages, or bare texts of `role`) tell; `None` when they tell none.

    With `ending` it ended for the first reason that one of them tells; another one stays in its message.
    """
    messages: list[Message] = []
    conversation = Conversation(messages, "")
    texts: list[str] = []
    has_said = False
    for place, value in enumerate(values):
        given = value if type(value) is dict else {"content": value}
        reason = finish(said) if (said := given.get("finish_reason")) else None
        if ending and reason and conversation.finish_reason in {None, reason}:
            conversation.finish_reason, reason = reason, None
        if reason is None and (content := _only_text(given)) is not None:
            messages.append({"role": role_of(given, role), "content": content})
            texts.append(content)
            has_said = True
            continue
        draft = _draft(given)
        has_said |= draft.has_said()
        draft.extras |= _unlike(given, _OF_A_MESSAGE if given.get("index") != place else {*_OF_A_MESSAGE, "index"})
        if reason:
            draft.extras["finish_reason"] = reason
        if not says_nothing(name := given.get("name")) and text(name) is None:
            draft.extras["name"] = name
        if not (draft.has_said() or draft.part_fields):
            continue
        messages.append(draft.finished(role_of(given, role), name=text(given.get("name"))))
        texts.extend(draft.texts)
        conversation.multimodal |= draft.multimodal
    if not has_said:
        return None
    conversation.text = "\n".join(texts)
    return conversation


# What a message's own fields are called; `type` says that it is one.
_OF_A_MESSAGE = frozenset({
    "role", "content", "parts", "name", "tool_calls", "function_call", "tool_call_id", "reasoning_content",
    "reasoning", "finish_reason",
})  # fmt: skip


def _plainly(found: Iterable[Any], finishing: bool) -> Conversation | None:
    """Return what `converse` would of messages in the form that nearly all come in; `None` leaves them to it.

    Each is an object with a role and nothing but one text; with `finishing` the first reason to end is theirs.
    """
    messages: list[Message] = []
    texts: list[str] = []
    reason: str | None = None
    known = _OF_A_TEXT if finishing else _OF_A_QUESTION
    for item in found:
        if item.__class__ is not dict or not known.issuperset(item):
            return None
        role = item.get("role")
        content = item.get("parts") or item.get("content")
        if content.__class__ is list and len(content) == 1:
            part = content[0]
            if part.__class__ is not dict or len(part) != _MEMBERS_OF_A_TEXT or part.get("type") != "text":
                return None
            content = part.get("content") or part.get("text")
        if role.__class__ is not str or not role or content.__class__ is not str or not content or content[0] == "[":
            return None
        messages.append({"role": ROLES.get(role, role), "content": content})
        texts.append(content)
        if finishing and (said := item.get("finish_reason")):
            if reason is not None:
                return None  # it may have to stay in its message
            reason = finish(said)
    return Conversation(messages, "\n".join(texts), False, reason) if messages else None


def _draft(given: Message) -> _Draft:
    draft = _Draft()
    _read_content(draft, given.get("parts") or given.get("content"))
    if calls := given.get("tool_calls"):
        one_call = parsed(calls)
        listed_calls = json_list(calls) or ([] if says_nothing(one_call) else [one_call])
        told = [_tool_call(call, place) for place, call in enumerate(listed_calls)]
        # Among the parts they stand in their order, and some emitters tell them in both ways.
        draft.tool_calls.extend(call for call in told if "id" not in call or call not in draft.tool_calls)
    if isinstance(call := given.get("function_call"), dict):
        draft.tool_calls.append(_tool_call(call))
    if call_id := text(given.get("tool_call_id")):
        draft.extras.setdefault("tool_call_id", call_id)
    _add_reasoning(draft, given.get("reasoning_content") or given.get("reasoning"))
    return draft


# Keys of a message that is nothing but a text somebody said; why it ended is not part of it.
_OF_A_TEXT = frozenset({"role", "content", "parts", "finish_reason"})
_OF_A_QUESTION = _OF_A_TEXT - {"finish_reason"}
_MEMBERS_OF_A_TEXT = 2  # of a part that says `type` and its text, under whichever name, and nothing else


def _only_text(message: Message) -> str | None:
    """Return the text of a message that has nothing else, as nearly all have: it needs no further reading."""
    if not _OF_A_TEXT.issuperset(message):
        return None
    content = message.get("parts") or message.get("content")
    if type(content) is list and len(content) == 1 and type(part := content[0]) is dict and part.get("type") == "text":
        if len(part) != _MEMBERS_OF_A_TEXT:
            return None
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
    for draft.part, part in enumerate(content):
        if isinstance(part, dict):
            part = part if "type" in part else typed(part)  # noqa: PLW2901  the same part in the form that is read
            _PARTS.get(str(part.get("type")), _other)(draft, part)
        else:
            draft.add_text(part)


def _text_part(draft: _Draft, part: Mapping[str, Any]) -> None:
    key = _first_key(part, ("content", "text", "refusal"))
    draft.add_text(part.get(key))
    draft.keep(part, key)


def _reasoning(draft: _Draft, part: Mapping[str, Any]) -> None:
    key = _first_key(part, ("content", "text", "thinking"))
    _add_reasoning(draft, part.get(key))
    draft.keep(part, key)


def _add_reasoning(draft: _Draft, told: Any) -> None:
    if said := any_text(told):
        before = draft.extras.get("reasoning")
        draft.extras["reasoning"] = f"{before}\n{said}" if before else said


def _call_part(draft: _Draft, part: Mapping[str, Any]) -> None:
    draft.tool_calls.append(_tool_call(part))


def _result(draft: _Draft, part: Mapping[str, Any]) -> None:
    key = _first_key(part, ("response", "result", "content", "output"))
    told = part.get(key)
    # The AI SDK wraps a result: `{"type": "json", "value": ...}`.
    draft.add_text(told["value"] if isinstance(told, dict) and told.keys() == {"type", "value"} else told)
    of_call = _first_key(part, ("id", "tool_use_id", "toolCallId", "call_id"))
    if call_id := part.get(of_call):
        draft.extras["tool_call_id"] = any_text(call_id)
    named = _first_key(part, ("name", "toolName"))
    if name := text(part.get(named)):
        draft.extras.setdefault("name", name)
    draft.keep(part, key, of_call, named)


def _first_key(given: Mapping[str, Any], keys: Iterable[str]) -> str:
    return next((key for key in keys if given.get(key)), "")


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
_CALLS = frozenset({"function", *(kind for kind, read in _PARTS.items() if read is _call_part)})


_OF_A_CALL = frozenset({"id", "name", "arguments"})


def _tool_call(call: Any, place: int | None = None) -> dict[str, Any]:
    """Return a call as `{id, name, arguments}`, whichever API's form it has; arguments in JSON text are parsed.

    Other fields stay beside these, unless they only say that it is a call, or its `place`.
    """
    if not isinstance(call, dict):
        return {"name": any_text(call)}
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    arguments = next((key for key in _ARGUMENTS if inner.get(key) is not None), "")
    of_call, name = _first_key(call, ("id", "toolCallId", "call_id")), _first_key(inner, ("name", "toolName"))
    told = {"id": call.get(of_call), "name": inner.get(name), "arguments": parsed(inner.get(arguments))}
    known = {of_call, name, arguments, *_OF_A_CALL}
    if inner is not call:
        known.add("function")
    if str(call.get("type")) in _CALLS:
        known.add("type")
    if place is not None and call.get("index") == place:
        known.add("index")
    return {key: value for key, value in told.items() if value is not None} | _unlike({**inner, **call}, known)


class Messages(DocumentReader):
    """Reads a list of messages or an object with one, also as JSON text."""

    __slots__ = ("_ending", "_role")

    def __init__(self, role: str) -> None:
        self._role, self._ending = role, role == "assistant"  # what was asked did not end

    def __call__(self, value: Any) -> Conversation | None:
        said = parsed(value)
        if said.__class__ is list and (plain := _plainly(said, self._ending)) is not None:
            return plain
        found = listed(said)
        return None if found is None else converse(found, role=self._role, ending=self._ending)

    def takes(self, document: Document) -> Iterable[Path]:
        return taken(document)


def messages(role: str) -> Messages:
    """Return a reader of messages, of `role` unless they tell another."""
    return Messages(role)


class Prompt(DocumentReader):
    """Reads the AI SDK's prompt: an object with instructions, and a text or messages."""

    __slots__ = ()

    def __call__(self, value: Any) -> Conversation | None:
        found = parsed(value)
        if not isinstance(found, dict):
            return None
        asked = found.get("messages")
        if not isinstance(asked, list):
            asked = asked_for if isinstance(asked_for := found.get("prompt"), list) else [{"content": asked_for}]
        system = found.get("system") or found.get("instructions")
        return converse([*([{"role": "system", "content": system}] if system else ()), *asked], role="user")

    def takes(self, document: Document) -> Iterable[Path]:
        asked = "messages" if isinstance(document.get("messages"), list) else "prompt"
        return ((asked,), (_first_key(document, ("system", "instructions")),))


prompt = Prompt()


def calls(value: Any) -> list[dict[str, Any]] | None:
    """Read the calls of tools in an answer."""
    found = json_list(value)
    return [_tool_call(call) for call in found] if found else None


def instructions(value: Any) -> Conversation | None:
    """Read system instructions: a text, or parts of one message."""
    return converse([{"content": parsed(value)}], role="system")
