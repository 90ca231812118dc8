from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.queries.cursors import Cursor, binding, decode, encode
from errors.exceptions import ApiError

KEY = "a secret of the test"
BOUND = binding([1], [2], {"model": "gpt-4o"})
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
CURSOR = Cursor(
    ts=datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC), trace_id=b"t" * 16, span_id=b"s" * 8, start=START, end=END
)


@given(
    st.builds(
        Cursor,
        ts=st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  hypothesis adds the zone
        trace_id=st.binary(min_size=16, max_size=16),
        span_id=st.binary(min_size=8, max_size=8),
        start=st.just(START),
        end=st.just(END),
    )
)
def test_a_cursor_comes_back_as_it_was(cursor):
    assert decode(encode(cursor, bound_to=BOUND, key=KEY), bound_to=BOUND, key=KEY) == cursor


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.hex()))
def test_anything_that_is_no_cursor_is_refused(text):
    with pytest.raises(ApiError) as raised:
        decode(text, bound_to=BOUND, key=KEY)
    assert (raised.value.spec.code, raised.value.field) == (1207, "cursor")


def test_every_damaged_character_is_noticed():
    text = encode(CURSOR, bound_to=BOUND, key=KEY)
    for place in range(len(text) - 1):
        damaged = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(ApiError):
            decode(damaged, bound_to=BOUND, key=KEY)


@pytest.mark.parametrize(
    ("bound_to", "key"), [(binding([1], [2], {"model": "gpt-4"}), KEY), (binding([1], [3], {}), KEY), (BOUND, "other")]
)
def test_a_cursor_is_refused_by_another_query_and_another_key(bound_to, key):
    with pytest.raises(ApiError):
        decode(encode(CURSOR, bound_to=BOUND, key=KEY), bound_to=bound_to, key=key)
