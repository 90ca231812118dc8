"""Processor time of each step from the bytes of a request to the text that is copied into the tables."""

import gc
import time
from collections.abc import Sequence
from typing import Any

from analytics.ingest.facts import Shared
from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.prices import current_price_book
from analytics.ingest.records import Recorder, priced
from analytics.ingest.redaction import Redactor
from analytics.ingest.span import NormalSpan
from analytics.ingest.wire import decode
from analytics.registry.redaction import Redaction
from analytics.storage.rows import blocks
from analytics.storage.spans import Tenant
from benchmarks.figures import Figure, cpu_microseconds
from benchmarks.requests import bodies
from observatory.garbage import look_rarely_for_circles

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

    def normalised(spans: Sequence[Any]) -> list[Any]:
        shared = Shared()  # as at the service: one for the spans of a request
        return [normalise(span, limits=limits, now_ns=now_ns, shared=shared) for span in spans]

    def redacted(pairs: list[Any]) -> None:
        redactor = Redactor(Redaction())
        for (_, span), is_suspect in zip(pairs, redactor.suspects([raw for raw, _ in pairs]), strict=True):
            redactor.redact(span, is_suspect=is_suspect)

    def recorded(spans: Sequence[NormalSpan]) -> int:
        recorder = Recorder(tenant, book, now_ns)
        texts = [text for text, _ in recorder.record(spans)]
        narrow, content = (text.marked((True, True)) for text in texts), (text.content for text in texts)
        return sum(len(block) for lines in (narrow, content) for block in blocks(lines))

    raw = [[*decode(request.protobuf, json=False).spans] for request in requests]
    normal = [[span for span in normalised(spans) if isinstance(span, NormalSpan)] for spans in raw]
    before = gc.get_threshold()
    look_rarely_for_circles()  # as at the service; what is kept here between steps is no garbage of any of them
    costs = {
        "decode_protobuf": cpu_microseconds(
            lambda one: [*decode(one.protobuf, json=False).spans], requests, rows=spans
        ),
        "decode_json": cpu_microseconds(lambda one: [*decode(one.json, json=True).spans], requests, rows=spans),
        "normalise": cpu_microseconds(normalised, raw, rows=spans),
        "redact": cpu_microseconds(
            redacted, [list(zip(*of, strict=True)) for of in zip(raw, normal, strict=True)], rows=spans
        ),
        "price": cpu_microseconds(lambda spans: [priced(span, book) for span in spans], normal, rows=spans),
        "price_and_write": cpu_microseconds(recorded, normal, rows=spans),
    }
    gc.set_threshold(*before)
    gc.unfreeze()
    for encoding in ("protobuf", "json"):
        parts = (f"decode_{encoding}", "normalise", "price")
        costs[f"parse_normalise_price_{encoding}"] = sum(costs[part] for part in parts)
    return costs
