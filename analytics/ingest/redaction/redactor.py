"""The one function through which every span passes on its way in: content that is not kept, then personal data."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from analytics.ingest.redaction.numbers import quoted
from analytics.ingest.redaction.texts import TextRedactor
from analytics.ingest.span import NormalSpan, Rejection
from analytics.ingest.vocabularies.content import drop_content
from analytics.ingest.wire import RawSpan
from analytics.registry.redaction import Redaction

# Exempt are ids, user, session, model and provider; kinds, states and rules are words of ours.
EXEMPT = (
    "trace_id", "span_id", "parent_span_id", "response_id", "user_id", "session_id", "provider", "model",
    "response_model",
)  # fmt: skip
_LABELS = (
    "span_name", "service_name", "operation_name", "service_tier", "environment", "team_id", "prompt_name",
    "tool_name", "agent_name", "workflow_name", "finish_reason", "error_type", "error_message",
)  # fmt: skip
_TREES = (
    "input_messages", "output_messages", "request_parameters", "tools", "retrieval", "tags", "attributes",
    "resource_attributes", "instrumentation_scope", "events", "evaluations", "mapping_sources",
)  # fmt: skip
# Text of messages -> the messages it is made of: what is found there is counted once.
_TEXTS = (("input_text", "input_messages"), ("output_text", "output_messages"))
_SHORTEST = 3


class Redactor:
    """Redacts spans of one request; `key` makes the hashes. Resource and scope of a request are looked at once."""

    def __init__(self, redaction: Redaction, *, key: bytes = b"", keeps_content: bool = True) -> None:
        self._texts = TextRedactor(redaction, key) if redaction.mode != "off" else None
        self._keeps_content = keeps_content
        self._shared: tuple[Any, Any, bool] = (None, None, False)

    def suspects(self, spans: Sequence[RawSpan]) -> list[bool]:
        """Return for each span whether there can be anything to redact: one search over all of them.

        It nearly always finds nothing, and lets other threads of the process run meanwhile.
        """
        if self._texts is None or self._texts.has_own:
            return [self._texts is not None] * len(spans)
        told = [_told(span) for span in spans]
        alarmed = self._texts.alarmed([octets or b"" for octets in told])
        return [
            octets is None or number in alarmed or self._are_shared_suspect(self._texts, span)
            for number, (span, octets) in enumerate(zip(spans, told, strict=True))
        ]

    def readable(self, raw: RawSpan) -> RawSpan:
        """Return a suspect span as it is to be read: what is a finding among the numbers of JSON in texts is text."""
        if self._texts is None:
            return raw
        tests = self._texts.finds, self._texts.is_numerous
        attributes, events = quoted(raw.attributes, *tests), quoted(raw.events, *tests)
        if attributes is raw.attributes and events is raw.events:
            return raw
        return replace(raw, attributes=attributes, events=events)

    def redact(self, span: NormalSpan, *, is_suspect: bool) -> None:
        """Take out of `span` what its project does not keep; `is_suspect` is what `suspects` said of it."""
        if not self._keeps_content:
            drop_content(span)
        if is_suspect and self._texts is not None:
            self._redact(self._texts, span)

    def _redact(self, texts: TextRedactor, span: NormalSpan) -> None:
        counts = texts.counts
        counts.clear()
        for member in _LABELS:
            if value := getattr(span, member):
                setattr(span, member, texts.redact(value))
        for member in _TREES:
            if value := getattr(span, member):
                setattr(span, member, self._tree(value))
        span.links = [{**link, "attributes": self._tree(link["attributes"])} for link in span.links]
        counted = dict(counts)
        for text, messages in _TEXTS:
            if value := getattr(span, text):
                setattr(span, text, texts.redact(value))
                if getattr(span, messages) is None:
                    counted = dict(counts)
                counts.clear()
                counts.update(counted)
        span.redactions = counted

    def rejected(self, rejection: Rejection) -> Rejection:
        """Return what is told about a span that was set aside, redacted too."""
        if self._texts is None:
            return rejection
        texts = self._texts
        return replace(
            rejection,
            span_name=rejection.span_name and texts.redact(rejection.span_name),
            service_name=rejection.service_name and texts.redact(rejection.service_name),
            scope_name=rejection.scope_name and texts.redact(rejection.scope_name),
        )

    def _are_shared_suspect(self, texts: TextRedactor, raw: RawSpan) -> bool:
        """Whether anything of a span's resource and scope can be a finding; spans of a request mostly share them."""
        resource, scope, is_suspect = self._shared
        if resource is not raw.resource or scope is not raw.scope:
            told = [raw.resource, raw.scope.name, raw.scope.version, raw.scope.attributes, raw.scope.schema_url]
            octets = _json(told)
            is_suspect = octets is None or bool(texts.alarmed([octets]))
            self._shared = (raw.resource, raw.scope, is_suspect)
        return is_suspect

    def _tree(self, value: Any) -> Any:
        assert self._texts is not None
        if isinstance(value, str):
            return self._texts.redact(value) if len(value) >= _SHORTEST else value
        if isinstance(value, list):
            return [self._tree(item) for item in value]
        if not isinstance(value, dict):
            return value
        kept: dict[str, Any] = {}
        for key, item in value.items():
            name = self._texts.redact(key) if len(key) >= _SHORTEST else key
            kept[_unlike(name, kept) if name in kept else name] = self._tree(item)
        return kept


def _told(raw: RawSpan) -> bytes | None:
    """Return all texts of a span below one another; `None` when there is one that has to be looked at by itself."""
    attributes = raw.attributes
    texts = [value for value in attributes.values() if value.__class__ is str]
    nested: list[Any] = [value for value in attributes.values() if value.__class__ is list or value.__class__ is dict]
    if raw.events or raw.links:
        nested += [[event["name"], event["attributes"]] for event in raw.events]
        nested += [link["attributes"] for link in raw.links]
    try:
        flat = "\n".join((raw.name, raw.status_message, *attributes, *texts)).encode()
    except UnicodeEncodeError:
        return None
    if not nested:
        return flat
    octets = _json(nested)
    return None if octets is None else flat + octets


def _json(told: Any) -> bytes | None:
    """Return JSON, or `None` where it cannot hold a whole number or a text."""
    try:
        return orjson.dumps(told)
    except (orjson.JSONEncodeError, RecursionError):
        return None


def _unlike(name: str, taken: dict[str, Any]) -> str:
    """Return `name`, numbered when another key became the same."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found


UNREDACTED = Redactor(Redaction(mode="off"))
