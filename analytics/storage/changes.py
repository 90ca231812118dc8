"""The log of changes: what a transaction touched, and so which rollups are behind and what a range's version is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, connection

from analytics.registry.rollups import BY_TABLE, GRAIN_WIDTHS
from analytics.storage.prepared import Prepared, as_array, instant
from analytics.storage.reading import alias
from analytics.storage.slices import MADE
from analytics.storage.spans import Tenant

# Writers mark these; a day is marked when one of its hours is refreshed.
MARKED_GRAINS = ("1min", "5min", "1hour")
_NS = 1_000_000_000
_MADE_SLICE = "made slice"  # not a grain: workers of an older version mark a `slice`


def floor(instant: datetime, width: timedelta) -> datetime:
    """Return the start of the bucket of `width` that holds `instant`; buckets are aligned to UTC."""
    seconds = int(width.total_seconds())
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, tz=UTC)


def mark_changed(tenant: Tenant, starts_ns: Collection[int]) -> None:
    """Append one row for each minute and hour in which a changed span starts; part of the caller's transaction."""
    if not starts_ns:
        return
    rows: list[tuple[str, int]] = []
    buckets: Collection[int] = starts_ns
    for grain in MARKED_GRAINS:  # finer ones first: the next is made of their few
        width = int(GRAIN_WIDTHS[grain].total_seconds()) * _NS
        buckets = {start // width * width for start in buckets}
        rows += [(grain, bucket) for bucket in sorted(buckets)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
            SELECT %(organisation)s, %(project)s, given.grain, given.bucket
            FROM unnest(%(grains)s::text[], %(buckets)s::timestamptz[]) AS given (grain, bucket)
            """,
            {
                "organisation": tenant.organisation_id,
                "project": tenant.project_id,
                "grains": [grain for grain, _ in rows],
                "buckets": [datetime.fromtimestamp(start // _NS, tz=UTC) for _, start in rows],
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The buckets of a range that its rollups are behind on, by grain, and when the newest change of the range was.

    `slices` are those that say what spans do, in the hours that are behind and at the ends of the range.
    """

    marked: Mapping[str, frozenset[datetime]]
    slices: frozenset[datetime]
    newest: datetime | None


_MARKS = """
    SELECT grain, (extract(epoch FROM bucket) * 1000000)::bigint, (extract(epoch FROM
        max(changed_at) FILTER (
            WHERE grain = '1hour' AND bucket >= %(first)s::timestamptz AND bucket < %(last)s::timestamptz
        )) * 1000000)::bigint
    FROM bucket_change
    WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
        AND bucket >= %(start)s::timestamptz AND bucket < %(end)s::timestamptz
    GROUP BY grain, bucket
    UNION ALL
    SELECT NULL, NULL, (extract(epoch FROM max(changed_at)) * 1000000)::bigint FROM data_version
    WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
        AND hour >= %(first)s::timestamptz AND hour < %(last)s::timestamptz"""
# Of several projects those whose spans are all in slices: one of them may have too few to have any.
_MADE = f"""
    UNION ALL
    SELECT '{_MADE_SLICE}', (extract(epoch FROM made.bucket) * 1000000)::bigint, NULL FROM (
        SELECT bucket AS hour FROM bucket_change
        WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
            AND grain = '1hour' AND bucket >= %(first)s::timestamptz AND bucket < %(last)s::timestamptz
        UNION SELECT %(first)s::timestamptz UNION SELECT date_trunc('hour', %(last)s::timestamptz, 'UTC')
    ) AS hours CROSS JOIN LATERAL (
        SELECT d.bucket, count(*) AS projects FROM {MADE}
        WHERE d.organisation_id = ANY(%(organisations)s::int[]) AND d.project_id = ANY(%(projects)s::int[])
            AND d.bucket >= hours.hour AND d.bucket < hours.hour + interval '1 hour'
        GROUP BY d.bucket
    ) AS made WHERE cardinality(%(projects)s::int[]) = 1 OR made.projects = (
        SELECT count(*) FROM {BY_TABLE["llm_metrics_1min"].table}
        WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
            AND bucket = made.bucket
    )"""
_CHANGES = Prepared(_MARKS + _MADE)
_CHANGES_IN_STANDBY = Prepared(_MARKS)  # no log is written for slices, so there they are not


def changes_of(tenant: Mapping[str, list[int]], start: datetime, end: datetime) -> Changes:
    """Return the changes of a tenant (aligned lists of organisations and projects) between `start` and `end`.

    Whole days are looked at: a day counts as changed with any of its hours. The newest change is that of the range's
    own hours, which its version counts too.
    """
    widest = GRAIN_WIDTHS["1day"]
    given = {
        **{name: as_array(numbers) for name, numbers in tenant.items()},
        "start": floor(start, widest).isoformat(),
        "end": (floor(end, widest) + widest).isoformat(),
        "first": floor(start, GRAIN_WIDTHS["1hour"]).isoformat(),
        "last": end.isoformat(),
    }
    buckets: dict[str, set[datetime]] = {grain: set() for grain in (*GRAIN_WIDTHS, _MADE_SLICE)}
    moments = []
    for grain, bucket, moment in (_CHANGES if alias() == DEFAULT_DB_ALIAS else _CHANGES_IN_STANDBY).rows(given):
        if grain in buckets and bucket is not None:
            buckets[grain].add(instant(bucket))
        if moment is not None:
            moments.append(instant(moment))
    return Changes(
        marked={grain: frozenset(buckets[grain]) for grain in GRAIN_WIDTHS},
        slices=frozenset(buckets[_MADE_SLICE] - buckets["1min"]),
        newest=max(moments, default=None),
    )
