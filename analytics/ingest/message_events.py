"""Messages that were told by events: one message each, or several where one key of the event held all of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analytics.ingest.messages import Conversation, Message, converse
from analytics.ingest.readers import parsed, says_nothing
from analytics.ingest.shapes import listed

Event = Mapping[str, Any]
_CHOICE = "gen_ai.choice"
_BODY = "gen_ai.event.content"
# What a message is made of where its keys are attributes of the event, and those of them that alone make none.
_SAID = ("content", "parts", "tool_calls")
_OF_A_MESSAGE = ("role", "name", "tool_call_id", "finish_reason", "index", *_SAID)
# What an item of a list says of itself besides.
_OF_AN_ITEM = frozenset({"event.name", "gen_ai.message.index", "gen_ai.system"})


class EventMessages:
    """Reads events that are one message each: event name -> role.

    The message is the event's attributes, or what their `inner` key holds.
    """

    __slots__ = ("_ending", "_inner", "_role_of")

    def __init__(self, role_of: Mapping[str, str], *, inner: str | None = None) -> None:
        self._role_of, self._inner = role_of, inner
        self._ending = set(role_of.values()) == {"assistant"}  # what was asked did not end

    def __call__(self, events: Sequence[Event], _start_ns: int) -> Conversation | None:
        """Return the conversation; `None` when there is none in them."""
        given = [message for event in events for message in self._messages(event)]
        return converse(given, role="user", ending=self._ending)

    def left(self, event: Event) -> dict[str, Any]:
        """Return the attributes of an event that no message was made of: all of them when there was none."""
        attributes = event["attributes"]
        body = _BODY if not says_nothing(attributes.get(_BODY)) else ""
        read = {body, self._inner, *_SAID} & attributes.keys()
        if all(says_nothing(attributes[name]) for name in read):
            return dict(attributes)
        known = {*read, *_OF_A_MESSAGE}
        return {name: value for name, value in attributes.items() if name not in known}

    def _messages(self, event: Event) -> Sequence[Mapping[str, Any]]:
        role = self._role_of[event["name"]]
        held = parsed(event["attributes"].get(self._inner)) if self._inner else None
        if isinstance(held, list) and (found := listed(held)) and all("role" in one for one in found):
            return found
        return [_message(event, role, self._inner)]


def _message(event: Event, role: str, inner: str | None) -> Message:
    attributes = event["attributes"]
    # An event carries other attributes too; only a message's own keys may make one.
    told = {key: attributes[key] for key in (*_OF_A_MESSAGE, inner) if key in attributes}
    body = parsed(attributes.get(_BODY))
    if isinstance(body, dict):
        told |= body
    elif not says_nothing(body):
        told.setdefault("content", body)
    if inner and inner in told:
        held = parsed(told.pop(inner))
        message = {**told, **(held if isinstance(held, dict) else {"content": held})}
    elif isinstance(said := parsed(told.get("content")), dict) and "parts" in said:
        message = {**told, "content": None, **said}
    else:
        message = told
    return {"role": role, **message}


def listed_events(*, answers: bool) -> Callable[[Any], Conversation | None]:
    """Return a reader of a list of events that are one message each: the answers among them, or what was asked."""

    def read(value: Any) -> Conversation | None:
        found = parsed(value)
        if not isinstance(found, list) or not all(isinstance(item, dict) and "event.name" in item for item in found):
            return None
        given = [_listed(item) for item in found if (item["event.name"] == _CHOICE) is answers]
        return converse(given, role="assistant" if answers else "user", ending=answers)

    return read


def _listed(item: Mapping[str, Any]) -> Message:
    message = _message({"attributes": item}, _role(item), "message")
    return {**message, **{key: item[key] for key in item.keys() - message.keys() - _OF_AN_ITEM - {"message", _BODY}}}


def _role(event: Event) -> str:
    """Return the role in `gen_ai.<role>.message`."""
    name = str(event["event.name"])
    return "assistant" if name == _CHOICE else name.removeprefix("gen_ai.").removesuffix(".message")
