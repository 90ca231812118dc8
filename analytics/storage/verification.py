"""Comparing rollups with their spans, and making them anew: both only where the spans are all there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection

from analytics.registry.rollups import DAY, GRAIN_WIDTHS, ROLLUPS, Rollup
from analytics.storage.buckets import GIVEN, Bucket
from analytics.storage.changes import floor
from analytics.storage.exclusive import RefusedError, exclusively
from analytics.storage.horizons import horizons_of
from analytics.storage.making import insertion
from analytics.storage.remaking import Window, batches, buckets_with_data, due_buckets, remake
from analytics.storage.retention import limits_read
from analytics.storage.sizes import span_days
from analytics.storage.transactions import retried

Done = Callable[[int], None]
Planned = Callable[[int], Done]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A column of a row that is not what its spans say; a row that is missing has `None` in every column."""

    table: str
    organisation_id: int
    project_id: int
    bucket: datetime
    labels: dict[str, str]
    column: str
    stored: Any
    expected: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Buckets that were compared and those that wait for their refresh, by table, and what was found."""

    compared: dict[str, int]
    waiting: dict[str, int]
    differences: Sequence[Difference]


def window_checked(
    *,
    start: datetime | None,
    end: datetime | None,
    projects: Sequence[int] | None,
    now: datetime,
    from_spans: bool,
) -> Window:
    """Return the window of whole days or less that was asked for; raise `RefusedError` with what is wrong with it.

    With `from_spans` every span of it must still be kept.
    """
    if start is not None and end is not None and start >= end:
        raise RefusedError(f"The range is reversed: {start.isoformat()} is not before {end.isoformat()}.")
    days = span_days()
    if (start or end) and days is None:
        raise RefusedError("The range is outside the data: there are no spans.")
    first, last = days or (now, now)
    if (start is not None and start >= last) or (end is not None and end <= first):
        raise RefusedError(f"The range is outside the data, which go from {first:%Y-%m-%d} to {last:%Y-%m-%d}.")
    kept = max(horizons_of(projects or ()).spans, limits_read().cutoff("spans", now=now))
    if from_spans and start is not None and start < kept:
        raise RefusedError(
            f"Spans are kept since {kept:%Y-%m-%dT%H:%MZ}, and older rollups stay as they are: choose a later --from."
        )
    return Window(start=start or min(first, kept), end=min(end or now, now), projects=projects)


def _grains(grain: str | None) -> list[str]:
    return [grain] if grain else list(GRAIN_WIDTHS)


def aggregates_refresh(*, grain: str | None, window: Window, dry_run: bool, planned: Planned) -> dict[str, int]:
    """Refresh the marked buckets of a window now; return how many of each grain, or how many would be."""
    done: dict[str, int] = {}
    if dry_run:
        return {one: len(due_buckets(one, window)) for one in _grains(grain)}
    with exclusively("aggregates"):
        for one in _grains(grain):
            buckets = due_buckets(one, window)
            _remake_all(one, buckets, planned(len(buckets)), corrects=False)
            done[one] = len(buckets)
    return done


def aggregates_rebuild(
    *, grain: str | None, window: Window, now: datetime, dry_run: bool, planned: Planned
) -> dict[str, int]:
    """Make every bucket of a window anew, marked or not; return how many of each grain, or how many would be.

    Days are made of hours: with days their hours are made anew, and with hours the days that they are in.
    """
    hours = grain in {None, "1hour", "1day"}
    days = Window(start=floor(window.start, DAY), end=min(_whole_day(window.end), now), projects=window.projects)
    of_hours = days if grain == "1day" else window
    plan = {one: window for one in ("1min", "5min") if grain in {None, one}}
    plan |= {"1hour": of_hours, "1day": days} if hours else {}
    found = {one: buckets_with_data(one, where) for one, where in plan.items()}
    if not dry_run:
        with exclusively("aggregates"):
            done = planned(sum(len(buckets) for buckets in found.values()))
            for one, buckets in found.items():
                # Days whose hours wait for a refresh are left to it: made now they would be behind at once.
                ready = buckets if one != "1day" else _settled(buckets, days)
                _remake_all(one, ready, done, corrects=True)
                found[one] = ready
    return {one: len(buckets) for one, buckets in found.items()}


def _whole_day(instant: datetime) -> datetime:
    start = floor(instant, DAY)
    return start if start == instant else start + DAY


def _settled(buckets: list[Bucket], days: Window) -> list[Bucket]:
    due = set(due_buckets("1day", days))
    return [one for one in buckets if one in due]


def _remake_all(grain: str, buckets: Sequence[Bucket], done: Done, *, corrects: bool) -> None:
    for batch in batches(grain, buckets):
        remake(grain, batch, corrects=corrects)
        done(len(batch))


def aggregates_verify(*, grain: str | None, window: Window, planned: Planned) -> Verified:
    """Compare each bucket of a window that is not marked with its spans, a day of each rollup in one snapshot."""
    compared, waiting, differences = {}, {}, []
    for rollup in ROLLUPS:
        if grain not in {None, rollup.grain}:
            continue
        days = list(_days(window))
        done = planned(len(days))
        counts = [0, 0]
        for day in days:
            same, skipped, found = retried(partial(_verify_day, rollup, day), snapshot=True)
            counts = [counts[0] + same, counts[1] + skipped]
            differences += found
            done(1)
        compared[rollup.table], waiting[rollup.table] = counts
    return Verified(compared=compared, waiting=waiting, differences=differences)


def _days(window: Window) -> Iterator[Window]:
    start = window.start
    while start < window.end:
        end = min(floor(start, DAY) + timedelta(days=1), window.end)
        yield replace(window, start=start, end=end)
        start = end


def _verify_day(rollup: Rollup, window: Window) -> tuple[int, int, list[Difference]]:
    kept = horizons_of(()).of(rollup)
    buckets = [one for one in buckets_with_data(rollup.grain, window) if one[-1] >= kept]
    marked = _marked(rollup, window)
    ready = [one for one in buckets if one not in marked]
    if not ready:
        return 0, len(buckets), []
    sql, given = insertion(replace(rollup, table="pg_temp.expected_rows", source=None), ready)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.expected_rows")
        cursor.execute(f"CREATE TEMPORARY TABLE expected_rows (LIKE {rollup.table}) ON COMMIT DROP")
        cursor.execute(sql, given)
    return len(ready), len(buckets) - len(ready), _differences(rollup, given)


def _marked(rollup: Rollup, window: Window) -> set[Bucket]:
    given: dict[str, Any] = {
        "width": rollup.width,
        # A day is behind with any of its hours.
        "grains": [rollup.grain, *(["1hour"] if rollup.grain == "1day" else [])],
        "start": window.start,
        "end": window.end,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT organisation_id, project_id, date_bin(%(width)s, bucket, TIMESTAMPTZ '1970-01-01 00:00Z')
            FROM bucket_change
            WHERE grain = ANY(%(grains)s) AND bucket >= %(start)s AND bucket < %(end)s
            """,
            given,
        )
        return set(cursor.fetchall())


def _differences(rollup: Rollup, given: dict[str, Any]) -> list[Difference]:
    values, keys = list(rollup.columns), ", ".join(rollup.keys)
    both = "".join(f", stored.{name}, expected.{name}" for name in values)
    facts = "".join(f", {rollup.value(fact.key, 'r')} AS {fact.key}" for fact in rollup.facts)
    told = f"{', '.join(f'r.{key}' for key in rollup.keys)}{facts}"
    told += "".join(f", r.{name}" for name in values[len(rollup.facts) :])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH stored AS (
                SELECT {told} FROM {rollup.table} AS r JOIN {GIVEN} USING (organisation_id, project_id, bucket)
                WHERE r.bucket >= %(first)s AND r.bucket < %(last)s
            ), expected AS (SELECT {told} FROM pg_temp.expected_rows AS r)
            SELECT {keys}{both}
            FROM stored FULL JOIN expected USING ({keys})
            WHERE ({", ".join(f"stored.{name}" for name in values)})
                IS DISTINCT FROM ({", ".join(f"expected.{name}" for name in values)})
            ORDER BY {keys}
            """,
            given,
        )
        rows = cursor.fetchall()
    width = len(rollup.keys)
    return [
        Difference(
            table=rollup.table,
            organisation_id=row[0],
            project_id=row[1],
            bucket=row[2],
            labels=dict(zip(rollup.labels, row[3:width], strict=True)),
            column=name,
            stored=row[width + 2 * place],
            expected=row[width + 2 * place + 1],
        )
        for row in rows
        for place, name in enumerate(values)
        if row[width + 2 * place] != row[width + 2 * place + 1]
    ]
