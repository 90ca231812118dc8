from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.queries.tree import Place, TreeSpan, places_of

MS = 1000


def span(name, parent=None, *, start=0, duration=100, tokens=0, cost=None, counted=False):
    return TreeSpan(
        span_id=name.encode(),
        parent_span_id=parent.encode() if parent else None,
        start_us=start * MS,
        duration_us=duration * MS,
        counted=counted,
        tokens=tokens,
        cost_nanousd=cost,
    )


def told(*spans, member):
    return {name.decode(): getattr(place, member) for name, place in places_of(spans).items()}


def test_a_span_alone_is_the_whole_tree():
    assert places_of([span("a", counted=True, tokens=7, cost=1_500_000_000)]) == {
        b"a": Place(depth=0, self_time_ms=100, subtree_cost_usd=Decimal("1.5"), subtree_tokens=7, on_critical_path=True)
    }


def test_depth_counts_from_the_roots_and_an_orphan_is_one():
    spans = [span("a"), span("b", "a"), span("c", "b"), span("o", "gone"), span("p", "o")]
    assert told(*spans, member="depth") == {"a": 0, "b": 1, "c": 2, "o": 0, "p": 1}


def test_self_time_is_without_the_union_of_the_children():
    spans = [span("a"), span("b", "a", start=10, duration=30), span("c", "a", start=20, duration=40)]
    assert told(*spans, member="self_time_ms")["a"] == 50


def test_of_a_child_beyond_its_parent_only_what_lies_within_counts():
    spans = [span("a", start=50), span("b", "a", start=0, duration=70), span("c", "a", start=140, duration=500)]
    assert told(*spans, member="self_time_ms") == {"a": 70, "b": 70, "c": 500}


def test_cost_and_tokens_of_counted_spans_are_rolled_up_once():
    spans = [
        span("a", tokens=30, cost=9, counted=False),
        span("b", "a", tokens=10, cost=3_000_000_000, counted=True),
        span("c", "a", tokens=20, cost=None, counted=True),
    ]
    assert told(*spans, member="subtree_tokens") == {"a": 30, "b": 10, "c": 20}
    assert told(*spans, member="subtree_cost_usd") == {"a": Decimal(3), "b": Decimal(3), "c": None}


def test_the_critical_path_is_what_the_end_waited_for():
    spans = [
        span("a", duration=100),
        span("early", "a", start=0, duration=30),
        span("beside", "a", start=10, duration=50),
        span("late", "a", start=60, duration=40),
        span("inner", "late", start=70, duration=10),
    ]
    assert {name for name, on in told(*spans, member="on_critical_path").items() if on} == {
        "a",
        "beside",
        "late",
        "inner",
    }


def test_a_child_that_outlives_its_parent_is_taken_to_end_with_it():
    spans = [span("a", duration=100), span("b", "a", start=50, duration=900)]
    assert told(*spans, member="on_critical_path") == {"a": True, "b": True}


@pytest.mark.parametrize("spans", [[("a", "b"), ("b", "a")], [("a", "a")], [("a", "c"), ("b", "a"), ("c", "b")]])
def test_a_circle_is_opened_at_its_earliest_span(spans):
    depths = told(*(span(name, parent, start=place) for place, (name, parent) in enumerate(spans)), member="depth")
    assert (len(depths), depths["a"]) == (len(spans), 0)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 100), st.integers(0, 100)), max_size=30))
def test_any_trace_has_a_place_for_every_span_and_nothing_is_lost(drawn):
    spans = [
        TreeSpan(span_id=bytes([place]), parent_span_id=bytes([parent]), start_us=start, duration_us=duration,
                 counted=True, tokens=1)
        for place, (parent, start, duration) in enumerate(drawn)
    ]  # fmt: skip
    places = places_of(spans)
    assert len(places) == len(spans)
    assert sum(place.subtree_tokens for place in places.values() if place.depth == 0) == len(spans)
    assert all(place.self_time_ms >= 0 for place in places.values())


def test_a_deep_trace_needs_no_stack():
    spans = [span(f"{depth:05}", f"{depth - 1:05}" if depth else None, start=depth, duration=10_000 - depth)
             for depth in range(5000)]  # fmt: skip
    assert max(told(*spans, member="depth").values()) == 4999
