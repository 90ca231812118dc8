"""What is stored of one span: its normal form, its price and its marks as columns."""

from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from analytics.ingest.span import NormalSpan
from analytics.pricing.book import PriceBook
from analytics.pricing.ledger import entry
from analytics.storage.rows import BLANK, USAGE_PARTS
from analytics.storage.spans import Tenant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Members that go from the normal span into a column of the same name.
_SAME_NAME = (
    "trace_id", "span_id", "parent_span_id", "duration_ms", "reported_cost_nanousd", "ttft_ms", "streamed",
    "span_name", "span_kind", "status_code", "service_name", "operation_name", "provider", "model", "response_model",
    "environment", "user_id", "session_id", "team_id", "error_type", "finish_reason", "prompt_name", "tool_name",
    "agent_name", "workflow_name", "service_tier", "response_id", "input_type", "usage_rule", "error_message",
    "input_text", "output_text", "input_messages", "output_messages", "request_parameters", "tools", "retrieval",
    "mapping_sources",
)  # fmt: skip
# The same, stored only when there is something in it.
_UNLESS_EMPTY = (
    "tags", "notes", "attributes", "resource_attributes", "instrumentation_scope", "events", "links", "redactions",
)  # fmt: skip
_same, _unless_empty = attrgetter(*_SAME_NAME), attrgetter(*_UNLESS_EMPTY)
_parts = attrgetter(*(column.removesuffix("_tokens") for column in USAGE_PARTS))


def record(tenant: Tenant, span: NormalSpan, book: PriceBook, ingested_ns: int) -> dict[str, Any]:
    """Return the columns of a span in both relations but its marks, by name; `ingested_ns` is when it arrived."""
    row: dict[str, Any] = {**BLANK, **dict(zip(_SAME_NAME, _same(span), strict=True))}
    row.update((name, value) for name, value in zip(_UNLESS_EMPTY, _unless_empty(span), strict=True) if value)
    row["organisation_id"], row["project_id"] = tenant.organisation_id, tenant.project_id
    row["ts"], row["ingested_at"] = span.start_ns, ingested_ns
    if span.usage is not None:
        row.update(zip(USAGE_PARTS, _parts(span.usage), strict=True))
    row.update(priced(span, book))
    return row


def beside(tenant: Tenant, span: NormalSpan) -> dict[str, Any] | None:
    """Return what is kept of a span in relations of its own: its links and its evaluations; `None` without any."""
    if not span.links and not span.evaluations:
        return None
    return {
        "organisation_id": tenant.organisation_id,
        "project_id": tenant.project_id,
        "ts": span.start_ns,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "links": span.links,
        "evaluations": span.evaluations,
    }


def priced(span: NormalSpan, book: PriceBook) -> dict[str, Any]:
    """Return the columns of a span's cost by the price valid at its start, or why it has none."""
    made = entry(
        book,
        span.usage,
        is_call=span.is_call,
        provider=span.provider,
        models=(span.response_model, span.model),
        tier=span.service_tier,
        at=_EPOCH + timedelta(microseconds=span.start_ns // 1000),
    )
    if made.price_id is None:
        return {} if made.unpriced_reason is None else {"unpriced_reason": made.unpriced_reason}
    return {
        "prompt_cost_nanousd": made.prompt,
        "completion_cost_nanousd": made.completion,
        "total_cost_nanousd": made.total,
        "price_id": made.price_id,
        "cost_breakdown": made.breakdown,
    }
