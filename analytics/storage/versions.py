"""The version of a range: what has to be equal for an answer over it to be still the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from analytics.storage.changes import floor
from analytics.storage.prepared import Prepared, as_array, instant

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeVersion:
    """`text` differs whenever an answer over the range may differ; `newest` is when its newest change was made."""

    text: str
    newest: datetime | None

    def as_bytes(self) -> bytes:
        """Return the version in the form that `read` takes."""
        return f"{self.text} {'' if self.newest is None else (self.newest - _EPOCH) // _MICROSECOND}".encode()

    @classmethod
    def read(cls, told: bytes) -> "RangeVersion":
        """Return the version that `as_bytes` told."""
        text, _, micros = told.decode().partition(" ")
        return cls(text=text, newest=instant(micros) if micros else None)


_VERSION = Prepared(
    """
    SELECT coalesce(sum(changes), 0)::bigint, (extract(epoch FROM max(changed_at)) * 1000000)::bigint, (
        SELECT coalesce(string_agg(kind || extract(epoch FROM kept_since)::bigint, '_' ORDER BY kind), '')
        FROM (
            SELECT kind, max(kept_since) AS kept_since FROM retention_horizons
            WHERE (project_id = 0 OR project_id = ANY(%(projects)s::int[])) AND kept_since > %(start)s::timestamptz
            GROUP BY kind
        ) AS behind
    ) FROM (
        SELECT count(*) AS changes, max(changed_at) AS changed_at FROM bucket_change
        WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
            AND grain = '1hour' AND bucket >= %(first)s::timestamptz AND bucket < %(end)s::timestamptz
        UNION ALL
        SELECT sum(changes), max(changed_at) FROM data_version
        WHERE organisation_id = ANY(%(organisations)s::int[]) AND project_id = ANY(%(projects)s::int[])
            AND hour >= %(first)s::timestamptz AND hour < %(end)s::timestamptz
    ) AS counted
    """
)


def version_of(tenant: Mapping[str, list[int]], start: datetime, end: datetime) -> RangeVersion:
    """Return the version of a tenant's data in the UTC hours of `[start, end)`, in one statement.

    It is the number of changes of those hours, folded and not, when the newest was, and the horizons of retention that
    lie inside the range, since an answer behind one is made of coarser buckets.
    """
    changes, moment, horizons = _VERSION.row(
        {
            **{name: as_array(numbers) for name, numbers in tenant.items()},
            "start": start.isoformat(),
            "first": floor(start, _HOUR).isoformat(),
            "end": end.isoformat(),
        }
    )
    # The time is part of it: a count that lost marks of dropped spans and grew again is another one.
    newest = None if moment is None else instant(moment)
    return RangeVersion(text=f"{changes}.{moment or ''}.{horizons}", newest=newest)


def newest_hours(tenant: Mapping[str, list[int]]) -> dict[int, datetime]:
    """Return the newest UTC hour in which anything of each project of a tenant was written, by the project's number."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT given.project, greatest(
                (SELECT max(hour) FROM data_version
                    WHERE organisation_id = given.organisation AND project_id = given.project),
                (SELECT max(bucket) FROM bucket_change
                    WHERE organisation_id = given.organisation AND project_id = given.project AND grain = '1hour')
            ) FROM unnest(%(organisations)s::int[], %(projects)s::int[]) AS given (organisation, project)
            """,
            dict(tenant),
        )
        return {project: hour for project, hour in cursor if hour is not None}
