"""Storing spans: price them, decide who is counted, write everything in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from django.conf import settings

from analytics.ingest.counting import settle
from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.prices import current_price_book
from analytics.ingest.span import NormalSpan, Rejection
from analytics.ingest.wire import RawSpan
from analytics.pricing.arithmetic import Cost, cost
from analytics.pricing.book import DEFAULT_TIER, PriceBook
from analytics.pricing.money import dollars
from analytics.pricing.usage import PARTS
from analytics.scope import Scope
from analytics.storage.changes import mark_changed
from analytics.storage.partitions import ensure_days, forget_days
from analytics.storage.spans import Tenant, TraceSpan, insert_spans, spans_of, take_traces, update_marks
from analytics.storage.transactions import DEADLOCK, NO_PARTITION, SERIALISATION_FAILURE, retried

Key = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of spans: how many were stored, how many had been stored before, which were set aside."""

    stored: int
    duplicates: int
    rejected: Sequence[Rejection]


def receive(*, scope: Scope, spans: Iterable[RawSpan], received_at: datetime) -> Received:
    """Normalise and store spans of the scope's one project; when this returns the good ones are committed.

    Spans already stored under (project, trace id, span id) are dropped, whatever their start. Raises Django's
    database errors; nothing is stored then.
    """
    limits, now_ns = _limits(), _nanoseconds(received_at)
    results = [normalise(span, limits=limits, now_ns=now_ns) for span in spans]
    good = [one for one in results if isinstance(one, NormalSpan)]
    stored = _store(_tenant(scope), good, received_at)
    rejected = [one for one in results if isinstance(one, Rejection)]
    return Received(stored=stored, duplicates=len(good) - stored, rejected=rejected)


def _store(tenant: Tenant, spans: Sequence[NormalSpan], received_at: datetime) -> int:
    fresh = _first_of_each(spans)
    if not fresh:
        return 0
    days = {_day(span.start_ns) for span in fresh.values()}
    return retried(
        partial(_write, tenant, fresh, received_at),
        states=frozenset({SERIALISATION_FAILURE, DEADLOCK, NO_PARTITION}),
        before=partial(_partitions_for, days),
    )


def _limits() -> Limits:
    return Limits(
        span_bytes=settings.INGEST_MAX_SPAN_BYTES,
        attributes=settings.INGEST_MAX_ATTRIBUTES,
        text_chars=settings.INGEST_MAX_TEXT_CHARS,
        future_seconds=settings.INGEST_MAX_FUTURE_SECONDS,
        past_days=settings.RETENTION_SPANS_DAYS,
        exclusive_scopes=frozenset(settings.USAGE_EXCLUSIVE_SCOPES),
    )


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


def _write(tenant: Tenant, given: Mapping[Key, NormalSpan], received_at: datetime) -> int:
    known_traces = take_traces(tenant, _ranges(given.values()))
    stored = {(span.trace_id, span.span_id): span for span in spans_of(tenant, known_traces)} if known_traces else {}
    fresh = {key: span for key, span in given.items() if key not in stored}
    marks = settle([*stored.values(), *(_trace_span(span) for span in fresh.values())])
    book = current_price_book()
    insert_spans([_row(tenant, span, marks[key], book, received_at) for key, span in fresh.items()])
    moved = [marks[key] for key, span in stored.items() if marks[key] != span]
    update_marks(tenant, moved)
    mark_changed(tenant, {span.start_ns for span in (*fresh.values(), *moved)})
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


# Members that go from the normal span into a column of the same name.
_SAME_NAME = (
    "trace_id", "span_id", "parent_span_id", "duration_ms", "reported_cost_nanousd", "ttft_ms", "streamed",
    "span_name", "span_kind", "status_code", "service_name", "operation_name", "provider", "model", "response_model",
    "environment", "user_id", "session_id", "team_id", "error_type", "finish_reason", "prompt_name", "tool_name",
    "agent_name", "workflow_name", "response_id", "input_type", "usage_rule", "error_message", "input_text",
    "output_text", "input_messages", "output_messages", "request_parameters", "tools", "retrieval", "mapping_sources",
)  # fmt: skip
# The same, stored only when there is something in it.
_UNLESS_EMPTY = ("tags", "notes", "attributes", "resource_attributes", "instrumentation_scope", "events", "links")


def _row(tenant: Tenant, span: NormalSpan, mark: TraceSpan, book: PriceBook, received_at: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(span, name) for name in _SAME_NAME}
    row |= {name: getattr(span, name) or None for name in _UNLESS_EMPTY}
    row |= {
        "organisation_id": tenant.organisation_id,
        "project_id": tenant.project_id,
        "ts": span.start_ns,
        "ingested_at": _nanoseconds(received_at),
        "usage_counted": mark.usage_counted,
        "call_counted": mark.call_counted,
    }
    if span.usage is not None:
        row |= {f"{part}_tokens": getattr(span.usage, part) for part in PARTS}
    return row | _priced(span, book)


def _priced(span: NormalSpan, book: PriceBook) -> dict[str, Any]:
    if span.usage is None:
        return {"unpriced_reason": "no_usage"} if span.is_call else {}
    price = book.find(
        provider=span.provider,
        models=(span.response_model, span.model),
        tier=span.service_tier or DEFAULT_TIER,
        at=datetime.fromtimestamp(span.start_ns / 1_000_000_000, tz=UTC),
        prompt_tokens=span.usage.prompt,
    )
    if price is None:
        return {"unpriced_reason": "no_price"}
    costed = cost(span.usage, price)
    if not isinstance(costed, Cost):
        return {"unpriced_reason": costed}
    return {
        "prompt_cost_nanousd": costed.prompt,
        "completion_cost_nanousd": costed.completion,
        "total_cost_nanousd": costed.total,
        "price_id": price.id,
        "cost_breakdown": {part: dollars(nanousd) for part, nanousd in costed.breakdown.items()},
    }


def _nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000) * 1000


def _day(nanoseconds: int) -> date:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, tz=UTC).date()
