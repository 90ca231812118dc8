"""What the service tells as it happens: the types of events, who may hear of each, and what each says."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One type: the permission of its hearers, the members of its data, of which `optional` ones may be null.

    `org_id` and `project_id` are written when an event is sent: the log knows organisations and projects by number.
    """

    key: str
    permission: str
    description: str
    members: tuple[str, ...]
    optional: frozenset[str] = frozenset()


_CALL = ("provider", "model", "environment")
_TRACE = (
    "trace_id", "span_id", "org_id", "project_id", *_CALL, "user_id", "cost_usd", "duration_ms", "status_code",
    "timestamp",
)  # fmt: skip
_TRACE_OPTIONAL = frozenset({*_CALL, "user_id", "cost_usd"})
CHANGES = ("feedback", "evaluation", "cost")
ALERTS = ("rollup_lag", "rate_limit_degraded", "unpriced_model")

EVENT_TYPES: Mapping[str, EventType] = MappingProxyType({
    one.key: one
    for one in (
        EventType(
            key="trace_created",
            permission="traces:read",
            description="A span was stored.",
            members=_TRACE,
            optional=_TRACE_OPTIONAL,
        ),
        EventType(
            key="trace_updated",
            permission="traces:read",
            description=f"Something was said of a stored span, or its cost changed; `change`: {', '.join(CHANGES)}.",
            members=(*_TRACE, "change"),
            optional=_TRACE_OPTIONAL,
        ),
        EventType(
            key="metric_threshold",
            permission="metrics:read",
            description="A threshold of the subscription was passed.",
            members=("metric_name", "threshold_value", "current_value", "org_id", *_CALL, "timestamp"),
            optional=frozenset(_CALL),
        ),
        EventType(
            key="cost_threshold",
            permission="costs:read",
            description="A budget passed one of its thresholds.",
            members=(
                "budget_id", "threshold_value", "current_value", "period", "severity", "org_id", "timestamp",
            ),
        ),
        EventType(
            key="anomaly",
            permission="metrics:read",
            description="A metric of a model, or of a whole project, began or ceased to be beyond what is usual.",
            members=(
                "anomaly_id", "org_id", "project_id", "metric_name", "provider", "model", "direction", "severity",
                "expected", "observed", "status", "timestamp",
            ),
            optional=frozenset({"provider", "model"}),
        ),
        EventType(
            key="export_job_status",
            permission="exports:read",
            description="An export went on, ended, failed or was cancelled.",
            members=("job_id", "org_id", "status", "progress_percent", "trace_count", "timestamp"),
            optional=frozenset({"trace_count"}),
        ),
        EventType(
            key="system_alert",
            permission="alerts:read",
            description=f"The service has something to say about itself; `kind`: {', '.join(ALERTS)}.",
            members=("kind", "message", "timestamp"),
        ),
    )
})  # fmt: skip
