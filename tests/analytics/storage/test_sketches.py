"""Sketches keep their word: percentiles within 2.5 % from 1 ms to 1 h, different values within 2 %."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from analytics.registry.measures import MEASURES, Figure
from analytics.registry.sketches import DISTINCT_ERROR, ERROR, LAST_BIN, distinct_values, estimate
from tests.analytics.storage.test_rollups import DAY, ask, raw, refresh_all, scope, send

__all__ = ["scope"]  # fixture
HOUR_MS = 3_600_000
# Every small value; above them so densely that each bin has dozens, with the first and the last of many.
SAMPLE = [*range(1, 1001), *range(1001, 20_000, 7), *range(20_000, HOUR_MS, 331), HOUR_MS]
DURATION = next(one for one in MEASURES if one.key == "duration")
SHOWN = [Figure(key=key, measure=DURATION, aggregation=key) for key in ("p50", "p90", "count")]


def binned(values):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT observatory_bin(value) FROM unnest(%s::bigint[]) WITH ORDINALITY AS v (value, n) ORDER BY n",
            [values],
        )
        return [number for (number,) in cursor]


def far_off(values, read):
    return [(value, found) for value, found in zip(values, read, strict=True) if abs(found - value) > ERROR * value]


def test_every_value_from_1_ms_to_1_h_is_read_within_the_error_from_the_bin_that_the_server_gives_it(db):
    read = [estimate(number, least=0, greatest=10 * HOUR_MS) for number in binned(SAMPLE)]

    assert (ERROR, far_off(SAMPLE, read)) == (Decimal("0.025"), [])


def test_the_bounds_of_every_bin_are_read_within_the_error(db):
    numbers = binned([*range(1, 60_000), *SAMPLE])
    values = [*range(1, 60_000), *SAMPLE]
    bounds = {}
    for value, number in zip(values, numbers, strict=True):
        least, greatest = bounds.get(number, (value, value))
        bounds[number] = (min(least, value), max(greatest, value))
    ends = [
        (value, estimate(number, least=0, greatest=10 * HOUR_MS)) for number, both in bounds.items() for value in both
    ]

    assert [one for one in ends if far_off([one[0]], [one[1]])] == []


def test_a_value_of_few_milliseconds_is_read_as_itself(db):
    values = list(range(1, 26))

    assert [estimate(number, least=0, greatest=HOUR_MS) for number in binned(values)] == values


def test_what_is_read_has_no_more_decimals_than_the_error_allows():
    read = [estimate(number, least=0, greatest=HOUR_MS) for number in range(LAST_BIN)]

    assert {one for one in read if isinstance(one, Decimal) and one == one.to_integral_value()} == set()
    assert sum(isinstance(one, int) for one in read) > len(read) * 8 // 10


def test_what_lies_outside_is_counted_and_read_as_the_least_and_the_greatest(scope):
    durations = [0, 0, 0, *[2 * HOUR_MS] * 3, 3 * HOUR_MS]
    send(scope, *(raw(number, duration=duration) for number, duration in enumerate(durations, 1)))
    refresh_all()
    found = ask(scope, DAY, DAY + timedelta(days=1), figures=SHOWN)

    assert (found.source, found.totals) == ("rollup", {"p50": 3 * HOUR_MS, "p90": 3 * HOUR_MS, "count": 7})


def test_every_value_of_a_second_comes_out_of_its_rollup_within_the_error(scope):
    values = list(range(1, 1001))
    # The value stands between the least and the greatest, which are known exactly.
    spans = [
        raw(3 * value + place, offset=60 * value, duration=duration)
        for value in values
        for place, duration in enumerate((1, value, HOUR_MS))
    ]
    send(scope, *spans)
    while refresh_all()["1min"]:  # 500 minutes at a time
        pass
    found = ask(scope, DAY, DAY + timedelta(days=1), grain="1min", figures=SHOWN)

    assert (found.source, {one["count"] for one in found.series}) == ("rollup", {3})
    assert far_off(values, [one["p50"] for one in found.series]) == []


SIZES = [
    1,
    2,
    5,
    10,
    30,
    100,
    300,
    1000,
    3000,
    5000,
    8000,
    12_000,
    20_000,
    30_000,
    40_000,
    55_000,
    70_000,
    90_000,
    120_000,
    150_000,
]


def ranks_of(sets):
    """Return how many registers have each rank, of the values of several sets together, as a rollup keeps and merges them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rank, count(*) FROM (
                SELECT register / 64 AS number, max(register %% 64) AS rank
                FROM unnest(%(names)s::text[], %(sizes)s::int[]) AS one (name, size)
                CROSS JOIN LATERAL generate_series(1, size) AS number
                CROSS JOIN LATERAL observatory_register(name || number) AS register
                GROUP BY 1
            ) AS registers GROUP BY 1
            """,
            {"names": [name for name, _ in sets], "sizes": [size for _, size in sets]},
        )
        return dict(cursor)


@pytest.mark.parametrize("size", SIZES)
def test_different_values_are_counted_within_the_error_that_is_told(db, size):
    counted = distinct_values(ranks_of([(f"user-{size}-", size)]))

    assert abs(counted - size) <= DISTINCT_ERROR * size


def test_the_error_of_different_values_is_about_the_one_that_the_number_of_registers_gives(db):
    errors = [distinct_values(ranks_of([(f"s{number}-", 20_000)])) / 20_000 - 1 for number in range(20)]
    deviation = (sum(error**2 for error in errors) / len(errors)) ** 0.5

    assert 0.002 < deviation < 0.01  # 0.57 %; a bound of 2 % is three and a half of it


def test_sets_that_are_merged_are_counted_as_one(db):
    merged = ranks_of([("a", 30_000), ("a", 20_000), ("b", 10_000)])

    assert abs(distinct_values(merged) - 40_000) <= DISTINCT_ERROR * 40_000
