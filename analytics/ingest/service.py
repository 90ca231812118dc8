"""Storing spans: price them, decide who is counted, write everything in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import partial

from django.conf import settings

from analytics.ingest.counting import settle
from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.prices import current_price_book
from analytics.ingest.records import record
from analytics.ingest.span import NormalSpan, Rejection
from analytics.ingest.wire import RawSpan
from analytics.scope import Scope
from analytics.storage.changes import mark_changed
from analytics.storage.partitions import ensure_days, forget_days
from analytics.storage.positions import written
from analytics.storage.rejected import RejectedSpan, insert_rejected
from analytics.storage.retention import LEAST_DAYS, spans_kept
from analytics.storage.spans import Tenant, TraceSpan, insert_spans, spans_of, take_traces, update_marks
from analytics.storage.transactions import DEADLOCK, NO_PARTITION, SERIALISATION_FAILURE, retried

Key = tuple[bytes, bytes]
_NS_PER_DAY = 86_400_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sent a request, as the list of rejected spans tells it."""

    request_id: str = ""
    key_prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of spans: how many were stored, how many had been stored before, which were set aside.

    `position` is where the database's log stands once they are committed.
    """

    stored: int
    duplicates: int
    rejected: Sequence[Rejection]
    position: int


def receive(*, scope: Scope, spans: Iterable[RawSpan], received_at: datetime, sender: Sender = Sender()) -> Received:
    """Normalise and store spans of the scope's one project; when this returns the good ones are committed.

    Spans already stored under (project, trace id, span id) are dropped, whatever their start; bad ones are listed
    beside the good ones, in the same transaction. Raises Django's database errors; nothing is stored then.
    """
    spans, tenant, now_ns = list(spans), _tenant(scope), _nanoseconds(received_at)
    limits = _limits(tenant, oldest_ns=min((span.start_ns for span in spans), default=now_ns), now_ns=now_ns)
    results = [normalise(span, limits=limits, now_ns=now_ns) for span in spans]
    good = [one for one in results if isinstance(one, NormalSpan)]
    rejected = [one for one in results if isinstance(one, Rejection)]
    stored = _store(tenant, good, _entries(rejected, received_at, sender), received_at)
    return Received(stored=stored, duplicates=len(good) - stored, rejected=rejected, position=written())


def refuse(*, scope: Scope, rejection: Rejection, received_at: datetime, sender: Sender) -> None:
    """List a request of which nothing is stored. Raises Django's database errors."""
    _store(_tenant(scope), [], _entries([rejection], received_at, sender), received_at)


def _entries(rejected: Sequence[Rejection], received_at: datetime, sender: Sender) -> list[RejectedSpan]:
    """Return what is listed of `rejected`: of a flood the first, as many as are kept."""
    known = {**asdict(sender), "received_at": _nanoseconds(received_at)}
    return [RejectedSpan(**known, **asdict(one)) for one in rejected[: settings.REJECTED_MAX_PER_PROJECT]]


def _store(tenant: Tenant, spans: Sequence[NormalSpan], rejected: Sequence[RejectedSpan], received_at: datetime) -> int:
    fresh = _first_of_each(spans)
    if not fresh and not rejected:
        return 0
    days = {_day(span.start_ns) for span in fresh.values()}
    return retried(
        partial(_write, tenant, fresh, rejected, received_at),
        states=frozenset({SERIALISATION_FAILURE, DEADLOCK, NO_PARTITION}),
        before=partial(_partitions_for, days),
    )


def _limits(tenant: Tenant, *, oldest_ns: int, now_ns: int) -> Limits:
    limits = Limits(
        span_bytes=settings.INGEST_MAX_SPAN_BYTES,
        attributes=settings.INGEST_MAX_ATTRIBUTES,
        text_chars=settings.INGEST_MAX_TEXT_CHARS,
        future_seconds=settings.INGEST_MAX_FUTURE_SECONDS,
        past_days=settings.RETENTION_SPANS_DAYS,
        exclusive_scopes=frozenset(settings.USAGE_EXCLUSIVE_SCOPES),
    )
    # No limit and no horizon is nearer than this, so nearly every request is spared the look at them.
    if oldest_ns >= now_ns - LEAST_DAYS * _NS_PER_DAY:
        return limits
    kept = spans_kept(tenant)
    return replace(limits, past_days=kept.days, own_days=kept.own_days, dropped_before=kept.dropped_before)


def _tenant(scope: Scope) -> Tenant:
    ((project_id, project),) = scope.projects.items()
    return Tenant(organisation_id=project.organisation_id, project_id=project_id)


def _first_of_each(spans: Iterable[NormalSpan]) -> dict[Key, NormalSpan]:
    first: dict[Key, NormalSpan] = {}
    for span in spans:
        first.setdefault((span.trace_id, span.span_id), span)
    return first


def _partitions_for(days: set[date], attempt: int) -> None:
    if attempt > 1:
        forget_days()
    ensure_days(days)


def _write(
    tenant: Tenant, given: Mapping[Key, NormalSpan], rejected: Sequence[RejectedSpan], received_at: datetime
) -> int:
    insert_rejected(tenant, rejected)
    return _write_spans(tenant, given, received_at) if given else 0


def _write_spans(tenant: Tenant, given: Mapping[Key, NormalSpan], received_at: datetime) -> int:
    known_traces = take_traces(tenant, _ranges(given.values()))
    stored = {(span.trace_id, span.span_id): span for span in spans_of(tenant, known_traces)} if known_traces else {}
    fresh = {key: span for key, span in given.items() if key not in stored}
    marks = settle([*stored.values(), *(_trace_span(span) for span in fresh.values())])
    book, ingested_ns = current_price_book(tenant.organisation_id), _nanoseconds(received_at)
    insert_spans([record(tenant, span, marks[key], book, ingested_ns) for key, span in fresh.items()])
    moved = [marks[key] for key, span in stored.items() if marks[key] != span]
    update_marks(tenant, moved)
    mark_changed(tenant, {span.start_ns for span in fresh.values()} | {span.start_ns for span in moved})
    return len(fresh)


def _ranges(spans: Iterable[NormalSpan]) -> dict[bytes, tuple[int, int]]:
    ranges: dict[bytes, tuple[int, int]] = {}
    for span in spans:
        first, last = ranges.get(span.trace_id, (span.start_ns, span.start_ns))
        ranges[span.trace_id] = (min(first, span.start_ns), max(last, span.start_ns))
    return ranges


def _trace_span(span: NormalSpan) -> TraceSpan:
    return TraceSpan(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        start_ns=span.start_ns,
        has_usage=span.usage is not None,
        is_call=span.is_call,
    )


def _nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000) * 1000


def _day(nanoseconds: int) -> date:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, tz=UTC).date()
