"""Storing spans: price them, decide who is counted, write everything in one transaction."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from analytics.ingest import metrics
from analytics.ingest.counting import moved, settle
from analytics.ingest.facts import Shared
from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.prices import current_price_book
from analytics.ingest.records import Recorder, beside
from analytics.ingest.redaction import Redactor, redaction_key
from analytics.ingest.span import NormalSpan, Rejection
from analytics.ingest.wire import RawSpan
from analytics.scope import IngestPolicy, Scope
from analytics.storage.changes import mark_changed
from analytics.storage.evaluations import insert_evaluations
from analytics.storage.links import insert_links
from analytics.storage.partitions import ensure_days, forget_days
from analytics.storage.positions import written
from analytics.storage.rejected import RejectedSpan, insert_rejected
from analytics.storage.retention import LEAST_DAYS, spans_kept
from analytics.storage.rows import SpanText
from analytics.storage.spans import Tenant, TraceSpan, insert_spans, spans_of, take_traces, update_marks
from analytics.storage.transactions import DEADLOCK, NO_PARTITION, SERIALISATION_FAILURE, retried
from analytics.telling import labels_told, tell_created
from errors.catalog import TOO_MUCH_TO_WRITE
from errors.exceptions import ApiError

Key = tuple[bytes, bytes]
_PORTION_SPANS, _PORTION_BYTES = 100, 262_144
# What is held of a request until it is stored: lines, and about as much beside them for each span, link and evaluation.
_HELD_BYTES, _BESIDE_BYTES = 192 * 1_048_576, 1024
_EVENT_BYTES, _WIDEST_CHARACTER = 512, 4
_NS_PER_DAY = 86_400_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sent a request, as the list of rejected spans tells it."""

    request_id: str = ""
    key_prefix: str | None = None


_UNKNOWN = Sender()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of spans: how many were stored, how many had been stored before, which were set aside.

    `position` is where the database's log stands once they are committed.
    """

    stored: int
    duplicates: int
    rejected: Sequence[Rejection]
    position: int


class _Ready(NamedTuple):
    """A span as far as it can be made ready before its trace is known: its lines without the marks."""

    of: TraceSpan
    text: SpanText
    unpriced_reason: str | None
    beside: dict[str, Any] | None
    told: tuple[Any, ...]


def receive(*, scope: Scope, spans: Iterable[RawSpan], received_at: datetime, sender: Sender = _UNKNOWN) -> Received:
    """Normalise and store spans of the scope's one project; when this returns the good ones are committed.

    Spans already stored under (project, trace id, span id) are dropped, whatever their start; bad ones are listed
    beside the good ones, in the same transaction. Raises Django's database errors, and 413/1209 when more would have
    to be held until it is stored than a request may take; nothing is stored then. `spans` are taken in small portions
    and kept as the lines that are stored, which is the least that can be held of them.
    """
    ((_, project),) = scope.projects.items()
    tenant, policy, now_ns = _tenant(scope), project.policy, _nanoseconds(received_at)
    limits_at = _limits(policy, tenant, now_ns)
    recorder, shared = Recorder(tenant, current_price_book(tenant.organisation_id), now_ns), Shared()
    redactor = Redactor(
        policy.redaction,
        key=redaction_key(settings.SECRET_KEY, project.organisation_id),
        keeps_content=policy.keeps_content,
    )
    ready: dict[Key, _Ready] = {}
    rejected: list[Rejection] = []
    good = held = 0
    for portion in _portions(spans):
        held += len(portion) * _BESIDE_BYTES
        fresh: dict[Key, NormalSpan] = {}
        for raw, is_suspect in zip(portion, redactor.suspects(portion), strict=True):
            limits = limits_at(raw.start_ns)
            span = normalise(raw, limits=limits, now_ns=now_ns, redactor=redactor, shared=shared, is_suspect=is_suspect)
            if isinstance(span, Rejection):
                # Of a flood the first are listed, and no more is needed of the others than what they are counted by.
                is_listed = len(rejected) < settings.REJECTED_MAX_PER_PROJECT
                rejected.append(span if is_listed else Rejection(reason=span.reason, message=span.message))
                continue
            good += 1
            key = (span.trace_id, span.span_id)
            if key not in ready:
                fresh.setdefault(key, span)
        normal = list(fresh.values())
        for (key, span), (text, made) in zip(fresh.items(), recorder.record(normal), strict=True):
            told = (span.trace_id, span.span_id, span.start_ns, made.total, *labels_told(span))
            kept = beside(tenant, span)
            ready[key] = _Ready(_trace_span(span), text, made.unpriced_reason, kept, told)
            held += len(text.narrow) + len(text.content) + _size(kept)
            if held > _HELD_BYTES:
                raise ApiError(TOO_MUCH_TO_WRITE, limit=_HELD_BYTES)
    stored = _store(tenant, ready, _entries(rejected, received_at, sender))
    return Received(stored=stored, duplicates=good - stored, rejected=rejected, position=written())


def _size(kept: Mapping[str, Any] | None) -> int:
    """Return about how many bytes links and evaluations take."""
    if kept is None:
        return 0
    texts = (value for told in kept["evaluations"] for value in told.values() if isinstance(value, str))
    number = len(kept["links"]) + len(kept["evaluations"])
    return number * _BESIDE_BYTES + _WIDEST_CHARACTER * sum(map(len, texts))


def _portions(spans: Iterable[RawSpan]) -> Iterator[list[RawSpan]]:
    """Yield spans in portions that are worth a step of their own and hold little memory."""
    portion: list[RawSpan] = []
    size = 0
    for span in spans:
        portion.append(span)
        size += span.encoded_size + _EVENT_BYTES * (len(span.events) + len(span.links))
        if len(portion) >= _PORTION_SPANS or size > _PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def refuse(*, scope: Scope, rejection: Rejection, received_at: datetime, sender: Sender) -> None:
    """List a request of which nothing is stored. Raises Django's database errors."""
    _store(_tenant(scope), {}, _entries([rejection], received_at, sender))


def _entries(rejected: Sequence[Rejection], received_at: datetime, sender: Sender) -> list[RejectedSpan]:
    """Return what is listed of `rejected`: of a flood the first, as many as are kept."""
    known = {**asdict(sender), "received_at": _nanoseconds(received_at)}
    return [RejectedSpan(**known, **asdict(one)) for one in rejected[: settings.REJECTED_MAX_PER_PROJECT]]


def _store(tenant: Tenant, given: Mapping[Key, _Ready], rejected: Sequence[RejectedSpan]) -> int:
    if not given and not rejected:
        return 0
    return retried(
        partial(_write, tenant, given, rejected),
        states=frozenset({SERIALISATION_FAILURE, DEADLOCK, NO_PARTITION}),
        before=partial(_partitions_for, {_day(one.of.start_ns) for one in given.values()}),
    )


def _limits(policy: IngestPolicy, tenant: Tenant, now_ns: int) -> Callable[[int], Limits]:
    """Return the function that tells the limits for a span by its start."""
    young = Limits(
        span_bytes=settings.INGEST_MAX_SPAN_BYTES,
        attributes=settings.INGEST_MAX_ATTRIBUTES,
        text_chars=settings.INGEST_MAX_TEXT_CHARS,
        future_seconds=settings.INGEST_MAX_FUTURE_SECONDS,
        past_days=settings.RETENTION_SPANS_DAYS,
        exclusive_scopes=policy.exclusive_scopes | frozenset(settings.USAGE_EXCLUSIVE_SCOPES),
    )
    # No limit and no horizon is nearer than this, so nearly every request is spared the look at them.
    old_before_ns = now_ns - LEAST_DAYS * _NS_PER_DAY

    @cache
    def old() -> Limits:
        kept = spans_kept(tenant)
        return replace(young, past_days=kept.days, own_days=kept.own_days, dropped_before=kept.dropped_before)

    return lambda start_ns: young if start_ns >= old_before_ns else old()


def _tenant(scope: Scope) -> Tenant:
    ((project_id, project),) = scope.projects.items()
    return Tenant(organisation_id=project.organisation_id, project_id=project_id)


def _partitions_for(days: set[date], attempt: int) -> None:
    if attempt > 1:
        forget_days()
    ensure_days(days)


def _write(tenant: Tenant, given: Mapping[Key, _Ready], rejected: Sequence[RejectedSpan]) -> int:
    insert_rejected(tenant, rejected)
    return _write_spans(tenant, given) if given else 0


def _write_spans(tenant: Tenant, given: Mapping[Key, _Ready]) -> int:
    known_traces = take_traces(tenant, _ranges(given.values()))
    stored = {(span.trace_id, span.span_id): span for span in spans_of(tenant, known_traces)} if known_traces else {}
    fresh = {key: one for key, one in given.items() if key not in stored} if stored else given
    marks = settle([*stored.values(), *(one.of for one in fresh.values())])
    if not fresh:
        return 0  # all of them were stored before, and changed nothing
    insert_spans([(one.text, marks[key]) for key, one in fresh.items()])
    kept = [one.beside for one in fresh.values() if one.beside]
    insert_links(kept)
    insert_evaluations(kept)
    _count_unpriced(fresh.values())
    tell_created(tenant, [one.told for one in fresh.values()])
    changed = moved(stored.values(), marks)
    update_marks(tenant, changed)
    mark_changed(tenant, {one.of.start_ns for one in fresh.values()} | {span.start_ns for span in changed})
    return len(fresh)


def _count_unpriced(spans: Iterable[_Ready]) -> None:
    """Count the spans without a cost once they are committed."""
    if counts := Counter(one.unpriced_reason for one in spans if one.unpriced_reason):

        def count() -> None:
            for reason, number in counts.items():
                metrics.UNPRICED.labels(reason).inc(number)

        transaction.on_commit(count)


def _ranges(spans: Iterable[_Ready]) -> dict[bytes, tuple[int, int]]:
    ranges: dict[bytes, tuple[int, int]] = {}
    for span in spans:
        start, trace = span.of.start_ns, span.of.trace_id
        first, last = ranges.get(trace, (start, start))
        ranges[trace] = (min(first, start), max(last, start))
    return ranges


def _trace_span(span: NormalSpan) -> TraceSpan:
    return TraceSpan(
        span.trace_id, span.span_id, span.parent_span_id, span.start_ns, span.usage is not None, span.is_call
    )


def _nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000) * 1000


def _day(nanoseconds: int) -> date:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, tz=UTC).date()
