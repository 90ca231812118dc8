"""What is stored of one span: its normal form and its price as lines; the marks come when its trace is known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from analytics.ingest.span import NormalSpan
from analytics.pricing.book import PriceBook
from analytics.pricing.ledger import Entry, entry
from analytics.pricing.usage import PARTS, parts_of
from analytics.storage.links import SPAN_DIGITS, TRACE_DIGITS
from analytics.storage.rows import COSTS, NARROW_COLUMNS, USAGE_PARTS, WIDE_COLUMNS, SpanRow, SpanText, SpanWriter
from analytics.storage.spans import Tenant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_USAGE: tuple[None, ...] = (None,) * len(PARTS)
# Columns are members of the normal span by the same name, but for usage, costs and why there are none.
_NARROW, _WIDE = ([column.name for column in columns] for columns in (NARROW_COLUMNS, WIDE_COLUMNS))
_USAGE, _LABELS = _NARROW.index(USAGE_PARTS[0]), _NARROW.index(COSTS[-1]) + 1
_LISTS, _BREAKDOWN, _GATHERED = (_WIDE.index(name) for name in ("tags", "cost_breakdown", "attributes"))
_numbers, _labels = attrgetter(*_NARROW[:_USAGE]), attrgetter(*_NARROW[_LABELS:-1])
_texts, _lists = attrgetter(*_WIDE[:_LISTS]), attrgetter(*_WIDE[_LISTS:_BREAKDOWN])
_documents, _gathered = attrgetter(*_WIDE[_BREAKDOWN + 1 : _GATHERED]), attrgetter(*_WIDE[_GATHERED:])


class Recorder:
    """Writes down spans of one project that arrived together."""

    def __init__(self, tenant: Tenant, book: PriceBook, ingested_ns: int) -> None:
        self._book = book
        self._writer = SpanWriter(
            organisation_id=tenant.organisation_id, project_id=tenant.project_id, ingested_at=ingested_ns
        )

    def record(self, spans: Sequence[NormalSpan]) -> list[tuple[SpanText, Entry]]:
        """Return the lines of spans in both relations, and what each is put down for."""
        entries = [priced(span, self._book) for span in spans]
        texts = self._writer.write([_row(span, made) for span, made in zip(spans, entries, strict=True)])
        return list(zip(texts, entries, strict=True))


def _row(span: NormalSpan, made: Entry) -> SpanRow:
    usage = _NO_USAGE if span.usage is None else parts_of(span.usage)
    costs = made.price_id, made.prompt, made.completion, made.total
    return SpanRow(
        span.start_ns,
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        (*_numbers(span), *usage, *costs, *_labels(span), made.unpriced_reason),
        # What is gathered from many places is stored only when there is something in it.
        (
            *_texts(span),
            *[value or None for value in _lists(span)],
            made.breakdown,
            *_documents(span),
            *[value or None for value in _gathered(span)],
        ),
    )


def beside(tenant: Tenant, span: NormalSpan) -> dict[str, Any] | None:
    """Return what is kept of a span in relations of its own: its links and its evaluations; `None` without any.

    It is held until the span is stored, so of a link only what it leads to is in it.
    """
    if not span.links and not span.evaluations:
        return None
    links = [
        {"trace_id": link["trace_id"], "span_id": link["span_id"]}
        for link in span.links
        if len(link["trace_id"]) == TRACE_DIGITS and len(link["span_id"]) == SPAN_DIGITS
    ]
    return {
        "organisation_id": tenant.organisation_id,
        "project_id": tenant.project_id,
        "ts": span.start_ns,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "links": links,
        "evaluations": span.evaluations,
    }


def priced(span: NormalSpan, book: PriceBook) -> Entry:
    """Return what a span is put down for: its cost by the price valid at its start, or why it has none."""
    return entry(
        book,
        span.usage,
        is_call=span.is_call,
        provider=span.provider,
        models=(span.response_model, span.model),
        tier=span.service_tier,
        at=_EPOCH + timedelta(microseconds=span.start_ns // 1000),
    )
