"""Who is counted: a span's usage and its call count once, however many ancestors repeat them.

A span's usage is counted when it has usage and no descendant has; a call is counted when the span is a model call and
no descendant is. The result depends on the set of spans alone, so the order of arrival never changes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from analytics.storage.spans import Marks, TraceSpan


def settle(spans: Iterable[TraceSpan]) -> dict[tuple[bytes, bytes], Marks]:
    """Return the marks that the spans of whole traces must have, by (trace id, span id)."""
    by_key = {(span.trace_id, span.span_id): span for span in spans}
    over_usage: set[tuple[bytes, bytes]] = set()
    over_calls: set[tuple[bytes, bytes]] = set()
    for span in by_key.values():
        if span.has_usage:
            _mark_ancestors(span, by_key, over_usage)
        if span.is_call:
            _mark_ancestors(span, by_key, over_calls)
    return {
        key: (span.has_usage and key not in over_usage, span.is_call and key not in over_calls)
        for key, span in by_key.items()
    }


def moved(stored: Iterable[TraceSpan], marks: Mapping[tuple[bytes, bytes], Marks]) -> list[TraceSpan]:
    """Return those of `stored` whose marks are others now, with the new ones."""
    found = []
    for span in stored:
        usage, call = marks[span.trace_id, span.span_id]
        if (usage, call) != (span.usage_counted, span.call_counted):
            found.append(replace(span, usage_counted=usage, call_counted=call))
    return found


def _mark_ancestors(
    span: TraceSpan, by_key: dict[tuple[bytes, bytes], TraceSpan], marked: set[tuple[bytes, bytes]]
) -> None:
    # Whatever is marked has all its ancestors marked, so a walk ends at the first mark it meets, and in circles too.
    parent = _parent(span)
    while parent is not None and (key := (span.trace_id, parent)) in by_key and key not in marked:
        marked.add(key)
        parent = _parent(by_key[key])


def _parent(span: TraceSpan) -> bytes | None:
    return None if span.parent_span_id == span.span_id else span.parent_span_id
