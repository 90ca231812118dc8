"""Facts of a span that follow from several names together."""

from analytics.ingest.facts import Facts
from analytics.ingest.messages import Conversation, converse
from analytics.ingest.readers import maker
from analytics.ingest.span import NormalSpan

EXECUTE_TOOL = "execute_tool"
CHAT, MULTIMODAL, PLAIN = "chat", "multimodal", "text"


def infer(span: NormalSpan, facts: Facts) -> None:
    """Set the provider that the model gives away and a tool's name; put metadata among the attributes."""
    values, sources = facts.values, facts.sources
    if span.provider is None:
        for member in ("model", "response_model"):
            if (name := values.get(member)) and (provider := maker(name)):
                span.provider, sources["provider"] = provider, sources[member]
                break
    entity_source = sources.pop("entity_name", None)
    if span.operation_name == EXECUTE_TOOL and span.tool_name is None and entity_source:
        span.tool_name, sources["tool_name"] = values["entity_name"], entity_source
        del span.attributes[entity_source]
    if metadata := values.get("metadata"):
        span.attributes["metadata"] = metadata


def set_content(span: NormalSpan, facts: Facts) -> None:
    """Set messages and texts of input and output: messages win over plain values."""
    given, source = _input(facts)
    plain_source = facts.sources.pop("input_plain", "")
    facts.sources.pop("instructions", None)
    if given is not None:
        span.input_messages, span.input_text = given.messages, given.text or None
        span.input_type = MULTIMODAL if given.multimodal else CHAT
        facts.sources["input_messages"] = facts.sources["input_text"] = source
    elif (plain := facts.values.get("input_plain")) is not None:
        span.input_text, span.input_type = plain, PLAIN
        facts.sources["input_text"] = plain_source
    _set_output(span, facts)


def _input(facts: Facts) -> tuple[Conversation | None, str]:
    """Return the conversation that went in: system instructions, when told apart, before the messages."""
    values, sources = facts.values, facts.sources
    asked: Conversation | None = values.get("input_messages")
    source = sources.get("input_messages", "")
    told: Conversation | None = values.get("instructions")
    if told is None:
        return asked, source
    if asked is None and (plain := values.get("input_plain")) is not None:
        asked, source = converse([plain], role="user"), sources["input_plain"]
    if asked is None:
        return told, sources["instructions"]
    if asked.messages[0] == told.messages[0]:
        return asked, source
    return Conversation(
        messages=told.messages + asked.messages,
        text="\n".join(text for text in (told.text, asked.text) if text),
        multimodal=told.multimodal or asked.multimodal,
    ), source


def _set_output(span: NormalSpan, facts: Facts) -> None:
    values, sources = facts.values, facts.sources
    answered: Conversation | None = values.get("output_messages")
    plain_source = sources.pop("output_plain", "")
    if answered is None:
        if (plain := values.get("output_plain")) is not None:
            span.output_text, sources["output_text"] = plain, plain_source
        return
    span.output_messages, span.output_text = answered.messages, answered.text or None
    sources["output_text"] = sources["output_messages"]
    if span.finish_reason is None and answered.finish_reason:
        span.finish_reason, sources["finish_reason"] = answered.finish_reason, sources["output_messages"]
