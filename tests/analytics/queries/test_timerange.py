from datetime import UTC, datetime, timedelta

import pytest

from analytics.queries.timerange import TimeRange, Window, check_length, parse_time, resolve, round_up
from errors.exceptions import ApiError

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)  # a Wednesday
WINDOW = Window(default=timedelta(hours=24), longest=timedelta(days=90), grid=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01t10:00:00.25z", datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-03-01T10:00:00+02:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("now", NOW),
        ("now-7d", NOW - timedelta(days=7)),
        ("now-1d+2h-30m", NOW - timedelta(days=1) + timedelta(hours=1, minutes=30)),
        ("now/m", NOW),
        ("now/h", datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("now/d", datetime(2026, 3, 4, tzinfo=UTC)),
        ("now-1d/d", datetime(2026, 3, 3, tzinfo=UTC)),
        ("now/w", datetime(2026, 3, 2, tzinfo=UTC)),
        ("now/M", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_time_expression_names_an_instant(text, expected):
    assert parse_time(text, field="start_time", now=NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-03-01T10:00:00",
        "2026-02-30",
        "2026-13-01T00:00:00Z",
        "20260301",
        "2026-03-01T25:00:00Z",
        "now-7",
        "now-7y",
        "now-123456d",
        "now-1d-1d-1d-1d",
        "now/y",
        "now - 1d",
        "1767225600",
        "2026-03-01T10:00:00Z; DROP TABLE llm_traces",
        "now-99999w",
        "٢٠٢٦-٠٣-٠١",
    ],
)
def test_anything_else_is_refused_with_the_field_named(text):
    with pytest.raises(ApiError) as raised:
        parse_time(text, field="start_time", now=NOW)
    assert (raised.value.spec.code, raised.value.field) == (1203, "start_time")


def test_now_is_rounded_up_to_the_grid():
    assert round_up(datetime(2026, 3, 4, 10, 29, 0, 1, tzinfo=UTC), grid=60) == NOW
    assert round_up(NOW, grid=60) == NOW


def test_a_range_without_bounds_is_the_default_window_up_to_now():
    assert resolve(None, None, window=WINDOW, clock=NOW) == TimeRange(start=NOW - timedelta(hours=24), end=NOW)


def test_with_only_a_start_the_end_is_now():
    assert resolve("now-2h", None, window=WINDOW, clock=NOW) == TimeRange(start=NOW - timedelta(hours=2), end=NOW)


def test_with_only_an_end_the_start_is_one_window_before():
    end = datetime(2026, 3, 1, tzinfo=UTC)
    assert resolve(None, "2026-03-01", window=WINDOW, clock=NOW) == TimeRange(start=end - timedelta(hours=24), end=end)


@pytest.mark.parametrize(("start", "end"), [("now", "now"), ("now", "now-1h"), ("now-91d", "now")])
def test_a_reversed_or_too_long_range_is_refused(start, end):
    with pytest.raises(ApiError) as raised:
        resolve(start, end, window=WINDOW, clock=NOW)
    assert raised.value.spec.code == 1204


def test_a_range_of_exactly_the_longest_length_passes():
    check_length(TimeRange(start=NOW - timedelta(days=90), end=NOW), longest=timedelta(days=90))


def test_a_time_range_refuses_to_be_empty():
    with pytest.raises(ValueError, match="before"):
        TimeRange(start=NOW, end=NOW)
