from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.queries import sources
from analytics.queries.sources import Need, Segment, choose, fitting
from analytics.queries.timerange import TimeRange
from analytics.registry.facts import DISTINCTS_BY_KEY, FACTS_BY_KEY
from analytics.registry.rollups import BY_TABLE, DAY, FIVE, GRAIN_WIDTHS, HOUR, MINUTE
from analytics.storage.horizons import Horizons

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTHING = {grain: frozenset() for grain in GRAIN_WIDTHS}
TOTALS = fitting(Need())


def told(segments):
    return [(one.rollup.table if one.rollup else "spans", one.start, one.end) for one in segments]


def test_the_coarsest_rollups_come_first():
    assert [one.table for one in TOTALS] == ["llm_totals_1day", "llm_totals_1hour", "llm_metrics_1min"]


@pytest.mark.parametrize(
    ("need", "tables"),
    [
        (
            Need(labels=frozenset({"model", "error_type"})),
            ["llm_models_1day", "llm_metrics_1day", "llm_metrics_1hour", "llm_models_5min", "llm_metrics_slice"],
        ),
        (Need(labels=frozenset({"service_name"})), ["llm_metrics_1day", "llm_metrics_1hour", "llm_metrics_slice"]),
        (
            Need(labels=frozenset({"user_id"}), facts=frozenset({FACTS_BY_KEY["request_count"]})),
            ["llm_usage_1day", "llm_usage_1hour", "llm_usage_slice"],
        ),
        (Need(labels=frozenset({"user_id", "model"})), ["llm_usage_1day", "llm_usage_1hour", "llm_usage_slice"]),
        (Need(labels=frozenset({"user_id"}), facts=frozenset({FACTS_BY_KEY["last_ts"]})), []),
        (
            Need(distincts=frozenset({DISTINCTS_BY_KEY["users"]})),
            ["llm_distinct_1day", "llm_distinct_1hour", "llm_distinct_slice"],
        ),
        (
            Need(labels=frozenset({"unpriced_reason"}), facts=frozenset({FACTS_BY_KEY["unpriced_min"]})),
            ["llm_unpriced_1day", "llm_unpriced_1hour", "llm_unpriced_slice"],
        ),
    ],
)
def test_of_those_that_keep_what_is_needed_the_one_with_the_fewest_rows_comes_first(need, tables):
    assert [one.table for one in fitting(need)] == tables


def test_before_a_late_rollup_another_of_its_width_answers():
    models = fitting(Need(labels=frozenset({"model"})))
    midnight = NOON.replace(hour=0)
    kept = Horizons(rollups={"model_day": midnight + DAY, "recent": midnight + DAY})
    where = TimeRange(start=midnight - FIVE, end=midnight + 2 * DAY + FIVE)
    assert told(choose(where, models, NOTHING, kept)) == [
        ("spans", where.start, midnight),
        ("llm_metrics_1day", midnight, midnight + DAY),
        ("llm_models_1day", midnight + DAY, midnight + 2 * DAY),
        ("llm_models_5min", midnight + 2 * DAY, where.end),
    ]


@pytest.mark.parametrize(("width", "first"), [(MINUTE, "llm_metrics_1min"), (HOUR, "llm_totals_1hour")])
def test_no_rollup_is_wider_than_the_buckets_asked_for(width, first):
    assert fitting(Need(width=width))[0].table == first


def test_ragged_ends_are_answered_from_the_next_finer_source():
    start, end = NOON + timedelta(minutes=58, seconds=30), NOON + timedelta(hours=14, minutes=1, seconds=10)
    assert told(choose(TimeRange(start=start, end=end), TOTALS, NOTHING)) == [
        ("spans", start, NOON + timedelta(minutes=59)),
        ("llm_metrics_1min", NOON + timedelta(minutes=59), NOON + HOUR),
        ("llm_totals_1hour", NOON + HOUR, NOON + timedelta(hours=14)),
        ("llm_metrics_1min", NOON + timedelta(hours=14), NOON + timedelta(hours=14, minutes=1)),
        ("spans", NOON + timedelta(hours=14, minutes=1), end),
    ]


def test_a_marked_bucket_is_taken_from_what_is_finer():
    hours = [BY_TABLE["llm_totals_1hour"]]
    marked = NOTHING | {"1hour": frozenset({NOON + HOUR})}
    assert told(choose(TimeRange(start=NOON, end=NOON + 3 * HOUR), hours, marked)) == [
        ("llm_totals_1hour", NOON, NOON + HOUR),
        ("spans", NOON + HOUR, NOON + 2 * HOUR),
        ("llm_totals_1hour", NOON + 2 * HOUR, NOON + 3 * HOUR),
    ]


def test_each_hour_that_is_behind_finds_its_own_slices():
    by_service = fitting(Need(labels=frozenset({"service_name"})))
    marked = NOTHING | {"1hour": frozenset({NOON, NOON + 2 * HOUR})}
    slices = [NOON + timedelta(minutes=minute) for minute in (121, 60, 59, 120, 0)]
    assert told(choose(TimeRange(start=NOON, end=NOON + 3 * HOUR), by_service, marked, slices=slices)) == [
        ("llm_metrics_slice", NOON, NOON + MINUTE),
        ("spans", NOON + MINUTE, NOON + 59 * MINUTE),
        ("llm_metrics_slice", NOON + 59 * MINUTE, NOON + HOUR),
        ("llm_metrics_1hour", NOON + HOUR, NOON + 2 * HOUR),
        ("llm_metrics_slice", NOON + 2 * HOUR, NOON + 122 * MINUTE),
        ("spans", NOON + 122 * MINUTE, NOON + 3 * HOUR),
    ]


def test_a_day_is_behind_with_any_of_its_hours():
    midnight = NOON.replace(hour=0)
    marked = NOTHING | {"1hour": frozenset({NOON})}
    tables = {table for table, *_ in told(choose(TimeRange(start=midnight, end=midnight + 2 * DAY), TOTALS, marked))}
    assert tables == {"llm_totals_1day", "llm_totals_1hour", "llm_metrics_1min"}


@given(
    st.integers(0, 200_000),
    st.integers(1, 200_000),
    st.sets(st.integers(0, 4000), max_size=8),
    st.sets(st.integers(0, 66), max_size=4),
    st.integers(1, 30),
)
def test_segments_cover_the_range_once_and_never_a_marked_bucket(offset, length, minutes, hours, most):
    base = NOON.replace(hour=0)
    where = TimeRange(start=base + timedelta(seconds=offset), end=base + timedelta(seconds=offset + length))
    marked = NOTHING | {
        "1min": frozenset(base + minute * MINUTE for minute in minutes),
        "1hour": frozenset(base + hour * HOUR for hour in hours),
        "1day": frozenset(),
    }
    with patch.object(sources, "MOST_SEGMENTS", most):
        segments: list[Segment] = choose(where, TOTALS, marked)
    assert len(segments) <= most
    assert [segments[0].start, *(one.end for one in segments)] == [*(one.start for one in segments), where.end]
    for one in segments:
        if one.rollup is not None:
            behind = marked[one.rollup.grain] | (marked["1hour"] if one.rollup.width == DAY else frozenset())
            assert not any(one.start <= bucket < one.end for bucket in behind)


def test_after_a_backlog_spans_answer_for_what_is_short_too():
    minutes = frozenset(NOON + 3 * place * MINUTE for place in range(10_000))
    kept = Horizons(spans=NOON.replace(hour=0) + 10 * DAY)
    where = TimeRange(start=NOON, end=NOON + 30 * DAY)
    segments = choose(where, TOTALS, NOTHING | {"1min": minutes, "1hour": frozenset({*map(_hour, minutes)})}, kept)

    assert len(segments) <= sources.MOST_SEGMENTS
    assert {one.rollup for one in segments if one.start < kept.spans}.isdisjoint({None})
    assert ("spans", kept.spans) in {told([one])[0][:2] for one in segments}


def _hour(instant):
    return instant.replace(minute=0)
