"""Anomalies that a caller sees."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Extract

from analytics.anomalies.telling import shown
from analytics.models import Anomaly
from analytics.queries.shapes import Kind, Tree, leaf
from analytics.queries.timerange import TimeRange
from analytics.scope import Scope
from analytics.storage.versions import RangeVersion

_OF_METRIC = "In the unit of the metric."
ANOMALIES = Tree(
    members={
        "items": Tree(
            members={
                "id": leaf(Kind.TEXT),
                "project_id": leaf(Kind.TEXT),
                "metric": leaf(Kind.TEXT),
                "provider": leaf(Kind.TEXT, "Null when the whole project deviates.", nullable=True),
                "model": leaf(Kind.TEXT, nullable=True),
                "started_at": leaf(Kind.TIME, "Start of the first hour that deviates."),
                "ended_at": leaf(Kind.TIME, "End of the last one, once an hour was quiet.", nullable=True),
                "severity": leaf(Kind.TEXT, "info, warning or critical, by the score."),
                "expected": leaf(Kind.NUMBER, f"In the hour that deviates most. {_OF_METRIC}"),
                "observed": leaf(Kind.NUMBER, "In that hour."),
                "score": leaf(Kind.NUMBER, "Times the usual deviation of hours like that; at least 5.5."),
                "direction": leaf(Kind.TEXT, "up or down."),
                "explanation": Tree(
                    members={
                        "dimension": leaf(Kind.TEXT),
                        "value": leaf(Kind.TEXT),
                        "expected": leaf(Kind.NUMBER, f"Its part of the metric, or of the mean. {_OF_METRIC}"),
                        "observed": leaf(Kind.NUMBER),
                        "share_pct": leaf(Kind.PERCENT, "Its share of the change."),
                        "usual_share_pct": leaf(Kind.PERCENT, "Its share of what is usual."),
                    },
                    many=True,
                    description="The values of dimensions with the largest shares of the change, at most 5.",
                ),
                "status": leaf(Kind.TEXT, "open or closed."),
            },
            many=True,
            description="Newest first.",
        )
    }
)
METADATA = Tree(
    members={
        "start_time": leaf(Kind.TIME, "Start of the range that was answered."),
        "end_time": leaf(Kind.TIME, "Its end, exclusive."),
        "as_of": leaf(Kind.TIME, "When the newest of the anomalies was written.", nullable=True),
        "data_source": leaf(Kind.TEXT, "rollup"),
        "has_more": leaf(Kind.BOOLEAN, "Whether there are more than the limit."),
    }
)


def anomalies(
    *,
    scope: Scope,
    where: TimeRange,
    narrowed: Mapping[str, str],
    limit: int,
    wanted: Tree = ANOMALIES,
) -> dict[str, Any]:
    """Return the newest anomalies that reach into the range; `narrowed` are equalities of their members."""
    found = _in(scope, where).filter(**narrowed).order_by("-started_at", "-score", "id")
    rows: Sequence[Anomaly] = list(found[: limit + 1])
    body = {
        "items": [shown(one, project=scope.projects[one.project_id].public_id) for one in rows[:limit]],
    }
    return {
        **wanted.cut(body),
        "metadata": {
            "start_time": where.start,
            "end_time": where.end,
            "as_of": max((one.updated_at for one in rows[:limit]), default=None),
            "data_source": "rollup",
            "has_more": len(rows) > limit,
        },
    }


def version_of_anomalies(scope: Scope, where: TimeRange) -> RangeVersion:
    """Return what has to be equal for the anomalies of a range to be the same: what was found, and no spans."""
    # Each writing of a row moves the sum, in whatever order transactions of several workers commit.
    found = _in(scope, where).aggregate(
        newest=Max("updated_at"), written=Sum(Extract("updated_at", "epoch")), count=Count("id")
    )
    return RangeVersion(text=f"{found['count']}.{found['written']}", newest=found["newest"])


def _in(scope: Scope, where: TimeRange) -> QuerySet[Anomaly]:
    tenant = scope.tenant
    return Anomaly.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=where.start),
        organisation_id__in=tenant["organisations"],
        project_id__in=tenant["projects"],
        started_at__lt=where.end,
    )
