from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.queries.cursors import GOOD_FOR, Cursor, binding, decode, encode
from errors.exceptions import ApiError

KEY = "a secret of the test"
BOUND = binding([1], [2], {"model": "gpt-4o"})
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
CURSOR = Cursor(
    ts=datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC),
    trace_id=b"t" * 16,
    span_id=b"s" * 8,
    start=START,
    end=END,
    clock=END,
)


@given(
    st.builds(
        Cursor,
        ts=st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  hypothesis adds the zone
        trace_id=st.binary(min_size=16, max_size=16),
        span_id=st.binary(min_size=8, max_size=8),
        start=st.just(START),
        end=st.just(END),
        clock=st.just(END),
        project=st.integers(0, 1000),
        value=st.none()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
    )
)
def test_a_cursor_comes_back_as_it_was(cursor):
    assert decode(encode(cursor, bound_to=BOUND, key=KEY), bound_to=BOUND, key=KEY, now=END) == cursor


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.hex()))
def test_anything_that_is_no_cursor_is_refused(text):
    with pytest.raises(ApiError) as raised:
        decode(text, bound_to=BOUND, key=KEY, now=END)
    assert (raised.value.spec.code, raised.value.field) == (1207, "cursor")


def test_every_damaged_character_is_noticed():
    text = encode(CURSOR, bound_to=BOUND, key=KEY)
    for place in range(len(text) - 1):
        damaged = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(ApiError):
            decode(damaged, bound_to=BOUND, key=KEY, now=END)


@pytest.mark.parametrize(
    ("bound_to", "key"), [(binding([1], [2], {"model": "gpt-4"}), KEY), (binding([1], [3], {}), KEY), (BOUND, "other")]
)
def test_a_cursor_is_refused_by_another_query_and_another_key(bound_to, key):
    with pytest.raises(ApiError):
        decode(encode(CURSOR, bound_to=BOUND, key=KEY), bound_to=bound_to, key=key, now=END)


def test_a_cursor_is_good_for_a_day():
    text = encode(CURSOR, bound_to=BOUND, key=KEY)
    assert decode(text, bound_to=BOUND, key=KEY, now=END + GOOD_FOR) == CURSOR
    with pytest.raises(ApiError) as raised:
        decode(text, bound_to=BOUND, key=KEY, now=END + GOOD_FOR + timedelta(seconds=1))
    assert (raised.value.spec.code, "expired" in raised.value.message) == (1207, True)
