"""Facts of a span that follow from several names together."""

from typing import Any

from analytics.ingest.facts import Facts
from analytics.ingest.messages import Conversation, converse
from analytics.ingest.readers import maker, provider
from analytics.ingest.span import NormalSpan
from analytics.registry.operations import CALL_OPERATIONS

EXECUTE_TOOL = "execute_tool"
_NS_PER_MS = 1_000_000
CHAT, MULTIMODAL, PLAIN = "chat", "multimodal", "text"


def infer(span: NormalSpan, facts: Facts) -> None:
    """Set the provider that the model gives away and what the span's name says; put metadata among the attributes."""
    values, sources = facts.values, facts.sources
    if span.provider is None:
        for member in ("model", "response_model"):
            if (name := values.get(member)) and (vendor := maker(name)):
                span.provider, sources["provider"] = vendor, sources[member]
                break
    entity_source = sources.pop("entity_name", None)
    if entity_source:
        _read_entity(span, values["entity_name"], entity_source, sources)
    first_token_source = sources.pop("first_token_ns", None)
    if first_token_source:
        _read_wait(span, values, first_token_source, sources)
    if metadata := values.get("metadata"):
        span.attributes["metadata"] = metadata


def _read_wait(span: NormalSpan, values: dict[str, Any], source: str, sources: dict[str, str]) -> None:
    """Read how long the first token took, which is told as the instant of its arrival."""
    waited_ns = values["first_token_ns"] - span.start_ns
    if "ttft_ms" in values or waited_ns < 0:
        return
    values["ttft_ms"] = (waited_ns + _NS_PER_MS // 2) // _NS_PER_MS
    sources["ttft_ms"] = source
    span.attributes.pop(source, None)  # what an event told is in none


def _read_entity(span: NormalSpan, name: str, source: str, sources: dict[str, str]) -> None:
    """Read the name of what a span did, which means something else by the kind of span."""
    if span.operation_name in CALL_OPERATIONS:
        vendor, _, model = name.rpartition("/")
        if span.model is None and vendor:
            span.model, sources["model"] = model, source
            if span.provider is None:
                span.provider, sources["provider"] = provider(vendor), source
        return
    member = _ENTITIES.get(span.operation_name or "")
    if member and getattr(span, member) is None:
        setattr(span, member, name)
        sources[member] = source
        span.attributes.pop(source, None)  # what an event told is in none


_ENTITIES = {EXECUTE_TOOL: "tool_name", "invoke_agent": "agent_name", "invoke_workflow": "workflow_name"}


def set_content(span: NormalSpan, facts: Facts) -> None:
    """Set messages and texts of input and output: messages win over plain values."""
    sources = facts.sources
    given, source = _input(facts)
    plain_source = sources.pop("input_plain", "")
    sources.pop("instructions", None)
    if given is not None:
        span.input_messages, span.input_text = given.messages, given.text or None
        span.input_type = MULTIMODAL if given.multimodal else CHAT
        sources["input_messages"] = sources["input_text"] = source
    elif plain_source and (plain := facts.values.get("input_plain")) is not None:
        span.input_text, span.input_type = plain, PLAIN
        sources["input_text"] = plain_source
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
    answer_sources = (
        () if _ANSWER.keys().isdisjoint(sources) else [sources.pop(one) for one in _ANSWER if one in sources]
    )
    if (
        answered is None
        and answer_sources
        and (span.operation_name in CALL_OPERATIONS or "answer_calls" in values or "answer_reasoning" in values)
    ):
        answered = converse([{"role": "assistant", **_answer(values)}], role="assistant")
        sources["output_messages"] = answer_sources[0]
    plain_source = sources.pop("output_plain", "")
    if answered is None:
        answer_source = answer_sources[0] if answer_sources else ""
        for member, source in (("output_plain", plain_source), ("answer", answer_source)):
            if source and span.output_text is None and (plain := values.get(member)) is not None:
                span.output_text, sources["output_text"] = plain, source
        return
    span.output_messages, span.output_text = answered.messages, answered.text or None
    sources["output_text"] = sources["output_messages"]
    if span.finish_reason is None and answered.finish_reason:
        span.finish_reason, sources["finish_reason"] = answered.finish_reason, sources["output_messages"]


# An answer whose text, calls of tools and reasoning have a name each -> key of the message they are.
_ANSWER = {"answer": "content", "answer_calls": "tool_calls", "answer_reasoning": "reasoning_content"}


def _answer(values: dict[str, Any]) -> dict[str, Any]:
    return {key: values[member] for member, key in _ANSWER.items() if member in values}
