"""Processor time of each step from the bytes of a request to the text that is copied into the tables."""

import time
from typing import Any

from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.prices import current_price_book
from analytics.ingest.records import priced, record
from analytics.ingest.span import NormalSpan
from analytics.ingest.wire import decode
from analytics.storage.rows import CONTENT_COLUMNS, SPAN_COLUMNS, copy_blocks
from analytics.storage.spans import Tenant, TraceSpan
from benchmarks.figures import Figure, cpu_microseconds
from benchmarks.requests import bodies

MOST_SPANS = 5000  # figures are per span: more of them say nothing new
STEP_NS = 1_000_000
TARGETS = {"parse_normalise_price_protobuf": 60.0, "parse_normalise_price_json": 60.0}


def measure(spans: int) -> list[Figure]:
    """Return microseconds per span of each step, and of decoding, normalising and pricing together."""
    rows = min(spans, MOST_SPANS)
    return [
        Figure(figure=f"ingest.cpu.{name}", value=value, unit="us/span", rows=rows, target=TARGETS.get(name))
        for name, value in _costs(rows).items()
    ]


def _costs(spans: int) -> dict[str, float]:
    now_ns, tenant = time.time_ns(), Tenant(organisation_id=1, project_id=1)
    limits, book = Limits(), current_price_book(tenant.organisation_id)
    requests = bodies(spans=spans, end_ns=now_ns, step_ns=STEP_NS)

    def normalised(span: Any) -> Any:
        return normalise(span, limits=limits, now_ns=now_ns)

    def recorded(span: NormalSpan) -> dict[str, Any]:
        return record(tenant, span, _mark(span), book, now_ns)

    raw = [span for request in requests for span in decode(request.protobuf, json=False).spans]
    normal = [span for span in map(normalised, raw) if isinstance(span, NormalSpan)]
    records = [recorded(span) for span in normal]
    costs = {
        "decode_protobuf": cpu_microseconds(lambda one: decode(one.protobuf, json=False), requests, rows=spans),
        "decode_json": cpu_microseconds(lambda one: decode(one.json, json=True), requests, rows=spans),
        "normalise": cpu_microseconds(normalised, raw, rows=spans),
        "price": cpu_microseconds(lambda span: priced(span, book), normal, rows=spans),
        "record_and_price": cpu_microseconds(recorded, normal, rows=spans),
        "copy_text": cpu_microseconds(_copy_text, [records], rows=spans),
    }
    for encoding in ("protobuf", "json"):
        parts = (f"decode_{encoding}", "normalise", "price")
        costs[f"parse_normalise_price_{encoding}"] = sum(costs[part] for part in parts)
    return costs


def _mark(span: NormalSpan) -> TraceSpan:
    return TraceSpan(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        start_ns=span.start_ns,
        has_usage=True,
        is_call=True,
        usage_counted=True,
        call_counted=True,
    )


def _copy_text(records: list[dict[str, Any]]) -> int:
    return sum(len(block) for columns in (SPAN_COLUMNS, CONTENT_COLUMNS) for block in copy_blocks(columns, records))
