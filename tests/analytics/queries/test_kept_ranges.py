"""Where an answer comes from when part of what it could be made of is gone."""

from datetime import UTC, datetime, timedelta

from analytics.queries.sources import Need, choose, earliest, fitting, widened
from analytics.queries.timerange import TimeRange
from analytics.registry.rollups import DAY, GRAIN_WIDTHS, HOUR, MINUTE
from analytics.storage.horizons import Horizons

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
NOTHING = {grain: frozenset() for grain in GRAIN_WIDTHS}
TOTALS = fitting(Need())
SPANS_GONE = Horizons(spans=MIDNIGHT, rollups={"minute": MIDNIGHT})


def told(where, marked=NOTHING, kept=SPANS_GONE):
    return [
        (one.rollup.table if one.rollup else "spans", one.start, one.end) for one in choose(where, TOTALS, marked, kept)
    ]


def test_ends_inside_what_is_kept_stay():
    where = TimeRange(start=MIDNIGHT + timedelta(seconds=5), end=MIDNIGHT + HOUR)
    assert widened(where, TOTALS, SPANS_GONE) == where


def test_ends_behind_the_spans_move_to_the_finest_rollup_that_reaches():
    where = TimeRange(start=MIDNIGHT - 3 * HOUR + MINUTE, end=MIDNIGHT - HOUR - MINUTE)
    assert widened(where, TOTALS, SPANS_GONE) == TimeRange(start=MIDNIGHT - 3 * HOUR, end=MIDNIGHT - HOUR)


def test_ends_behind_the_spans_do_not_move_to_slices_which_are_gone_by_then():
    by_service = fitting(Need(labels=frozenset({"service_name"})))
    where = TimeRange(start=MIDNIGHT - 3 * HOUR + MINUTE, end=MIDNIGHT - HOUR - MINUTE)
    assert widened(where, by_service, SPANS_GONE) == TimeRange(start=MIDNIGHT - 3 * HOUR, end=MIDNIGHT - HOUR)


def test_minutes_by_label_are_told_since_there_are_spans():
    by_minute = fitting(Need(labels=frozenset({"service_name"}), width=MINUTE))
    assert [one.table for one in by_minute] == ["llm_metrics_slice"]
    assert earliest(by_minute, SPANS_GONE) == MIDNIGHT
    where = TimeRange(start=MIDNIGHT - 3 * HOUR + timedelta(seconds=5), end=MIDNIGHT - MINUTE / 2)
    assert widened(where, by_minute, SPANS_GONE) == where


def test_ends_that_no_rollup_reaches_stay():
    where = TimeRange(start=MIDNIGHT - 3 * HOUR + MINUTE, end=MIDNIGHT)
    assert widened(where, [], SPANS_GONE) == where


def test_marks_behind_the_spans_mean_nothing():
    marked = NOTHING | {"1hour": frozenset({MIDNIGHT - HOUR}), "1day": frozenset({MIDNIGHT - DAY})}
    assert told(TimeRange(start=MIDNIGHT - DAY, end=MIDNIGHT), marked) == [
        ("llm_totals_1day", MIDNIGHT - DAY, MIDNIGHT)
    ]


def test_a_rollup_does_not_answer_for_rows_that_are_gone():
    kept = Horizons(rollups={"minute": MIDNIGHT})
    start, end = MIDNIGHT - 2 * MINUTE, MIDNIGHT + 2 * MINUTE
    assert told(TimeRange(start=start, end=end), kept=kept) == [
        ("spans", start, MIDNIGHT),
        ("llm_metrics_1min", MIDNIGHT, end),
    ]
