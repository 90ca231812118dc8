from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from analytics.ingest.counting import settle
from analytics.storage.spans import TraceSpan

TRACE = b"t" * 16


def span(name: int, parent: int | None = None, *, usage: bool = False, call: bool = False) -> TraceSpan:
    return TraceSpan(
        trace_id=TRACE,
        span_id=name.to_bytes(8),
        parent_span_id=None if parent is None else parent.to_bytes(8),
        start_ns=name,
        has_usage=usage,
        is_call=call,
    )


def marks(spans) -> dict[int, tuple[bool, bool]]:
    return {int.from_bytes(key[1]): one for key, one in settle(spans).items()}


def test_a_parent_whose_child_carries_usage_is_not_counted():
    assert marks([span(1, usage=True, call=True), span(2, 1, usage=True, call=True)]) == {
        1: (False, False),
        2: (True, True),
    }


def test_usage_and_calls_are_decided_apart():
    agent, tool, call = span(1, usage=True), span(2, 1), span(3, 2, call=True)
    assert marks([agent, tool, call]) == {1: (True, False), 2: (False, False), 3: (False, True)}


def test_a_span_between_two_is_passed_through():
    assert marks([span(1, usage=True), span(2, 1), span(3, 2, usage=True)])[1] == (False, False)


def test_a_missing_link_separates_until_it_arrives():
    root, leaf = span(1, usage=True), span(3, 2, usage=True)
    assert marks([root, leaf]) == {1: (True, False), 3: (True, False)}
    assert marks([root, leaf, span(2, 1)])[1] == (False, False)


def test_spans_of_another_trace_are_no_descendants():
    other = replace(span(2, 1, usage=True), trace_id=b"u" * 16)
    assert [usage for usage, _ in settle([span(1, usage=True), other]).values()] == [True, True]


def test_a_span_that_is_its_own_parent_is_counted():
    assert marks([span(1, 1, usage=True, call=True)]) == {1: (True, True)}


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6), st.booleans(), st.booleans()),
        max_size=5,
        unique_by=lambda row: row[0],
    )
)
def test_the_order_of_arrival_changes_nothing(rows):
    spans = [span(name, parent, usage=usage, call=call) for name, parent, usage, call in rows]
    assert len({frozenset(marks(order).items()) for order in permutations(spans)}) <= 1
