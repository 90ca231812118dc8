"""What the walk of the benchmark of traces counts."""

import pytest

from benchmarks.traces import differing


@pytest.mark.parametrize(
    ("seen", "count"),
    [("abcd", 0), ("abd", 1), ("abccd", 1), ("abdd", 2), ("abdc", 2), ("abcx", 2), ("", 4)],
)
def test_rows_that_were_skipped_repeated_or_out_of_order_are_counted(seen, count):
    assert differing(seen, "abcd") == count
