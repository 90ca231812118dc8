"""From a span as it was sent to the one normal span, whichever vocabulary told it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from analytics.ingest.cutting import Cutter
from analytics.ingest.facts import Facts, Shared, read_facts
from analytics.ingest.inference import infer, set_content
from analytics.ingest.redaction import UNREDACTED, Redactor
from analytics.ingest.span import NormalSpan, Rejection
from analytics.ingest.tokens import BOTH, USAGE_CLAMPED, Counts, split
from analytics.ingest.vocabularies.emitters import left_out
from analytics.ingest.vocabularies.events import moment
from analytics.ingest.wire import RawSpan

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_NS_PER_SECOND = 1_000_000_000
_NS_PER_HOUR, _NS_PER_DAY = 3600 * _NS_PER_SECOND, 86_400 * _NS_PER_SECOND
_MOST_MILLISECONDS = 2**31 - 1
_MOST_TOKENS = 200_000_000
_KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
_STATUSES = ("UNSET", "OK", "ERROR")
UNKNOWN_NAME = "unknown"
ATTRIBUTES_DROPPED = "attributes_dropped"
TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is taken from a sender, and the instrumentation scopes whose token totals leave out their parts.

    Spans are kept `past_days`, or `own_days` where the project keeps them for less; what began before `dropped_before`
    is gone already, whatever the limits say now.
    """

    span_bytes: int = 4_194_304
    attributes: int = 1000
    text_chars: int = 262_144
    label_chars: int = 512
    future_seconds: int = 600
    past_days: int = 90
    own_days: int | None = None
    dropped_before: datetime = _EPOCH
    exclusive_scopes: frozenset[str] = frozenset()
    dropped_before_ns: int = field(init=False)  # since 1970

    def __post_init__(self) -> None:
        object.__setattr__(self, "dropped_before_ns", int(self.dropped_before.timestamp()) * _NS_PER_SECOND)


def normalise(
    raw: RawSpan,
    *,
    limits: Limits,
    now_ns: int,
    redactor: Redactor = UNREDACTED,
    shared: Shared | None = None,
    is_suspect: bool | None = None,
) -> NormalSpan | Rejection:
    """Return the normal form of a span, or why it is set aside, both redacted; never raises, whatever was sent.

    `shared` remembers what the span has in common with the one before it; `is_suspect` is what the redactor said of it.
    """
    if not _is_fine(raw, limits, now_ns):
        for reason, is_met, sentence in _REJECTIONS:
            if is_met(raw, limits, now_ns):
                return redactor.rejected(_rejection(raw, reason, sentence.format(limits=limits), limits))
    if is_suspect is None:
        (is_suspect,) = redactor.suspects([raw])
    span = _normal(redactor.readable(raw) if is_suspect else raw, limits, Shared() if shared is None else shared)
    redactor.redact(span, is_suspect=is_suspect)
    _cut(span, raw, limits)
    if raw.dropped_attributes:
        span.notes.append(ATTRIBUTES_DROPPED)
    return span


_NO_TRACE_ID, _NO_SPAN_ID = bytes(_TRACE_ID_BYTES), bytes(_SPAN_ID_BYTES)


def _is_trace_id(octets: bytes) -> bool:
    return len(octets) == _TRACE_ID_BYTES and octets != _NO_TRACE_ID


def _is_span_id(octets: bytes) -> bool:
    return len(octets) == _SPAN_ID_BYTES and octets != _NO_SPAN_ID


def _is_fine(raw: RawSpan, limits: Limits, now_ns: int) -> bool:
    """Whether no reason below is met, told at once for what has just ended, as nearly every span has."""
    start_ns = raw.start_ns
    return (
        now_ns - _NS_PER_HOUR < start_ns <= raw.end_ns <= now_ns
        and limits.dropped_before_ns < start_ns
        and raw.encoded_size <= limits.span_bytes
        and len(raw.attributes) <= limits.attributes
        and _is_trace_id(raw.trace_id)
        and _is_span_id(raw.span_id)
    )


# Reason, test, what the sender can do about it. The first that is met counts.
_REJECTIONS: tuple[tuple[str, Callable[[RawSpan, Limits, int], bool], str], ...] = (
    (
        "invalid_trace_id",
        lambda raw, _limits, _now_ns: not _is_trace_id(raw.trace_id),
        "The trace id is not 16 bytes, or all zero: send 16 random bytes (32 hex digits in JSON).",
    ),
    (
        "invalid_span_id",
        lambda raw, _limits, _now_ns: not _is_span_id(raw.span_id),
        "The span id is not 8 bytes, or all zero: send 8 random bytes (16 hex digits in JSON).",
    ),
    (
        "missing_start_time",
        lambda raw, _limits, _now_ns: raw.start_ns == 0,
        "The span has no start: set start_time_unix_nano.",
    ),
    (
        "end_before_start",
        lambda raw, _limits, _now_ns: raw.end_ns < raw.start_ns,
        "The span has no end or ends before it starts: export spans after they ended, with end_time_unix_nano.",
    ),
    (
        "too_old",
        lambda raw, limits, now_ns: raw.start_ns < now_ns - limits.past_days * _NS_PER_DAY,
        "The span started more than {limits.past_days} days ago, longer than spans are kept: do not send it again.",
    ),
    (
        "too_old",
        lambda raw, limits, now_ns: (
            limits.own_days is not None and raw.start_ns < now_ns - limits.own_days * _NS_PER_DAY
        ),
        (
            "The span started more than {limits.own_days} days ago, longer than its project keeps spans:"
            " do not send it again."
        ),
    ),
    (
        # Nothing is made of what is behind a horizon: the span would be stored and never counted.
        "too_old",
        lambda raw, limits, _now_ns: raw.start_ns < limits.dropped_before_ns,
        (
            "The span started before {limits.dropped_before:%Y-%m-%d}, and older ones were dropped already:"
            " do not send it again."
        ),
    ),
    (
        "in_future",
        lambda raw, limits, now_ns: raw.start_ns > now_ns + limits.future_seconds * _NS_PER_SECOND,
        "The span starts more than {limits.future_seconds} seconds from now: set the sender's clock.",
    ),
    (
        "too_large",
        lambda raw, limits, _now_ns: raw.encoded_size > limits.span_bytes,
        (
            "The span is larger than {limits.span_bytes} bytes, or of 100,000 parts: limit the length of attributes,"
            " and the number of events and links."
        ),
    ),
    (
        "too_many_attributes",
        lambda raw, limits, _now_ns: len(raw.attributes) > limits.attributes,
        "The span has more than {limits.attributes} attributes: set OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT.",
    ),
)


def _rejection(raw: RawSpan, reason: str, message: str, limits: Limits) -> Rejection:
    service_name = raw.resource.get("service.name")
    most = limits.label_chars
    return Rejection(
        reason=reason,
        message=message,
        trace_id=raw.trace_id if len(raw.trace_id) == _TRACE_ID_BYTES else None,
        span_id=raw.span_id if len(raw.span_id) == _SPAN_ID_BYTES else None,
        span_name=raw.name[:most] or None,
        service_name=service_name[:most] or None if isinstance(service_name, str) else None,
        scope_name=raw.scope.name[:most] or None,
    )


def _normal(raw: RawSpan, limits: Limits, shared: Shared) -> NormalSpan:
    facts = read_facts(raw, shared)
    kind, status, parent = raw.kind, raw.status_code, raw.parent_span_id
    # Most members are what was read, as it is; those that are not come after it.
    span = NormalSpan.of({
        "tags": [],
        "evaluations": [],
        **facts.values,
        "input_messages": None,
        "output_messages": None,
        "trace_id": raw.trace_id,
        "span_id": raw.span_id,
        "parent_span_id": parent if parent and _is_span_id(parent) else None,
        "start_ns": raw.start_ns,
        "end_ns": raw.end_ns,
        "span_name": raw.name or UNKNOWN_NAME,
        "span_kind": _KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
        "status_code": _STATUSES[status] if 0 <= status < len(_STATUSES) else _STATUSES[0],
        "attributes": facts.attributes,
        "resource_attributes": facts.resource_attributes,
        "instrumentation_scope": shared.scope(raw.scope),
        "events": [_event(event) for event in facts.events] if facts.events else [],
        "links": raw.links,
        "mapping_sources": facts.sources,
        "redactions": {},
        "notes": [],
    })  # fmt: skip
    if raw.status_message:
        span.error_message, facts.sources["error_message"] = raw.status_message, "status message"
    infer(span, facts)
    set_content(span, facts)
    _set_usage(span, raw, facts, exclusive=raw.scope.name in limits.exclusive_scopes)
    return span


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {"name": event["name"], "ts": moment(event["time_ns"]), "attributes": event["attributes"]}


def _set_usage(span: NormalSpan, raw: RawSpan, facts: Facts, *, exclusive: bool) -> None:
    values = facts.values
    told = _counted(values)
    is_clamped = bool(facts.unreadable)
    if told is not None and max(filter(None, told), default=0) > _MOST_TOKENS:
        # A number that no call can have says nothing: cut to what fits, it would still be priced.
        told = Counts(*(None if count is not None and count > _MOST_TOKENS else count for count in told))
        is_clamped = True
    if told is not None and told.said:
        apart = BOTH if exclusive else left_out(raw.scope.name, span.provider, raw.attributes)
        span.usage, span.usage_rule, notes = split(told, exclusive=apart)
        is_clamped |= USAGE_CLAMPED in notes
    if (waited := values.get("ttft_ms")) is not None:
        span.ttft_ms = min(waited, _MOST_MILLISECONDS)
        is_clamped |= waited > _MOST_MILLISECONDS
    if is_clamped:
        span.notes.append(USAGE_CLAMPED)


def _counted(values: dict[str, Any]) -> Counts | None:
    """Return the counts among `values`, `None` without any, as most spans that are no calls have."""
    if _COUNTS.isdisjoint(values):
        return None
    told = values.get
    return Counts(
        told("prompt_tokens"),
        told("completion_tokens"),
        told("total_tokens"),
        told("cache_read_tokens"),
        told("cache_write_5m_tokens"),  # writes without a split are told, like 5-minute writes, as their total
        told("cache_write_1h_tokens"),
        told("audio_input_tokens"),
        told("audio_output_tokens"),
        told("reasoning_tokens"),
    )


_COUNTS = frozenset({
    "prompt_tokens", "completion_tokens", "total_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "audio_input_tokens", "audio_output_tokens", "reasoning_tokens",
})  # fmt: skip
_LABELS = (
    "span_name", "service_name", "operation_name", "provider", "model", "response_model", "response_id",
    "service_tier", "environment", "user_id", "session_id", "team_id", "prompt_name", "tool_name", "agent_name",
    "workflow_name", "finish_reason", "error_type",
)  # fmt: skip
_labels = attrgetter(*_LABELS)
_TEXTS = (
    "error_message", "input_text", "output_text", "input_messages", "output_messages", "request_parameters", "tools",
    "retrieval", "attributes", "resource_attributes", "instrumentation_scope", "events", "links", "evaluations",
)  # fmt: skip
# No text in JSON inside JSON is longer than this many times its bytes on the wire (a control character: \\u0001).
_WORST_GROWTH = 6


def _cut(span: NormalSpan, raw: RawSpan, limits: Limits) -> None:
    has_cut = False
    if len("".join(filter(None, _labels(span)))) > limits.label_chars or span.tags:  # or none of them is longer
        has_cut = _cut_members(span, (*_LABELS, "tags"), limits.label_chars)
    # Walking every text of every span is dear; a span that is shorter than the limit as a whole holds no longer text.
    if not raw.encoded_size or (raw.encoded_size + raw.shared_size) * _WORST_GROWTH > limits.text_chars:
        has_cut |= _cut_members(span, _TEXTS, limits.text_chars)
    if has_cut:
        span.notes.append(TRUNCATED)


def _cut_members(span: NormalSpan, members: Iterable[str], most: int) -> bool:
    """Cut every text of `members` to `most` characters; return whether there was a longer one."""
    cutter = Cutter(most)
    for member in members:
        if value := getattr(span, member):
            setattr(span, member, cutter.cut(value))
    return cutter.has_cut
