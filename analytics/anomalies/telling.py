"""What is told of an anomaly: an event to whoever listens, a message to the organisation's channels when it begins."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from analytics.alerts.channels import announce
from analytics.events import publish
from analytics.models import Anomaly
from analytics.registry.anomalies import WATCHED
from errors.json import plain_decimal

KIND = "anomaly"


def shown(anomaly: Anomaly, *, project: UUID) -> dict[str, Any]:
    """Return an anomaly as clients see it, `project` being the name that they know its project by."""
    return {
        "id": str(anomaly.id),
        "project_id": str(project),
        "metric": anomaly.metric,
        "provider": anomaly.provider,
        "model": anomaly.model,
        "started_at": anomaly.started_at,
        "ended_at": anomaly.ended_at,
        "severity": anomaly.severity,
        "expected": in_unit(anomaly.metric, anomaly.expected),
        "observed": in_unit(anomaly.metric, anomaly.observed),
        "score": anomaly.score,
        "direction": anomaly.direction,
        "explanation": [
            {
                "dimension": part["dimension"],
                "value": part["value"],
                **{name: in_unit(anomaly.metric, Decimal(part[name]), more=True) for name in ("expected", "observed")},
                **{name: Decimal(part[name]) for name in ("share_pct", "usual_share_pct")},
            }
            for part in anomaly.explanation
        ],
        "status": anomaly.status,
    }


def in_unit(metric: str, value: Decimal, *, more: bool = False) -> Decimal:
    """Return a value of a metric with its decimals, a part of one with three `more` where it has few."""
    decimals = WATCHED[metric].decimals
    return value.quantize(Decimal(1).scaleb(-max(decimals, 3) if more else -decimals), ROUND_HALF_UP)


def tell_event(anomaly: Anomaly) -> None:
    """Tell listeners that an anomaly began or ended, when the transaction commits."""
    publish(
        event_type=KIND,
        organisation_id=anomaly.organisation_id,
        project_ids=[anomaly.project_id],
        data={
            "anomaly_id": str(anomaly.id),
            "metric_name": anomaly.metric,
            "provider": anomaly.provider,
            "model": anomaly.model,
            "direction": anomaly.direction,
            "severity": anomaly.severity,
            "expected": in_unit(anomaly.metric, anomaly.expected),
            "observed": in_unit(anomaly.metric, anomaly.observed),
            "status": anomaly.status,
            "timestamp": anomaly.ended_at or anomaly.started_at,
        },
    )


def tell_channels(anomaly: Anomaly, *, project: UUID, name: str) -> None:
    """Write the message of an anomaly for the organisation's channels; part of the caller's transaction."""
    watched = WATCHED[anomaly.metric]
    of = f"{anomaly.model or 'no model'} of {anomaly.provider or 'no provider'}"
    subject = "the whole project" if anomaly.provider is None and anomaly.model is None else of
    expected, observed = (in_unit(anomaly.metric, one) for one in (anomaly.expected, anomaly.observed))
    said = (
        f"{watched.key} of {subject} in {name}: {plain_decimal(observed)} {watched.unit} where"
        f" {plain_decimal(expected)} was to be expected, from {anomaly.started_at:%Y-%m-%d %H:%M} UTC on."
    )
    parts = [
        f"- {one['dimension']} {one['value']}: {one['share_pct']} % of the change (usually {one['usual_share_pct']} %)"
        for one in anomaly.explanation
    ]
    announce(
        organisation_id=anomaly.organisation_id,
        kind=KIND,
        key=f"{KIND} {anomaly.id}",
        subject=f"{anomaly.severity}: {watched.key} of {subject} is {anomaly.direction} in {name}",
        text="\n".join([said, *parts]),
        data=shown(anomaly, project=project),
    )
