"""Lists that are spread over names, one name for each field of an item."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from analytics.ingest.messages import Conversation, Message, converse
from analytics.ingest.readers import text

# Index of an item. Longer ones are no index; lists are never allocated by index.
INDEX = r"[0-9]{1,9}"
_PART_OF_LIST = re.compile(rf"(contents|tool_calls)\.({INDEX})\.(?:message_content\.|tool_call\.)?(.+)")
_REPEATED = re.compile(r"^(image|audio|video|document)\.\1\.")


def spread_messages(role: str) -> Callable[[Sequence[Mapping[str, Any]]], Conversation | None]:
    """Return a reader of messages whose fields are spread over names, with or without `message.` before each."""

    def read(items: Sequence[Mapping[str, Any]]) -> Conversation | None:
        return converse([_gathered(item) for item in items], role=role, ending=role == "assistant")

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


def spread_texts(name: str) -> Callable[[Sequence[Mapping[str, Any]]], str | None]:
    """Return a reader that joins the field `name` of all items by newlines."""

    def read(items: Sequence[Mapping[str, Any]]) -> str | None:
        return "\n".join(said for item in items if (said := text(item.get(name)))) or None

    return read


def left_beside(name: str) -> Callable[[Mapping[str, Any]], Iterable[str]]:
    """Return what tells the fields of an item that `spread_texts` does not read."""

    def left(item: Mapping[str, Any]) -> Iterable[str]:
        return [field for field, value in item.items() if field != name or text(value) is None]

    return left
