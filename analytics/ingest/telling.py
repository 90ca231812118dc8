"""What listeners are told of spans that were stored."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

import orjson

from analytics.events import publish_all
from analytics.pricing.money import dollars_text
from analytics.storage.rows import instant
from analytics.storage.spans import Tenant

_LABELS = ("provider", "model", "environment", "user_id", "duration_ms", "status_code")
told_of = itemgetter("trace_id", "span_id", "ts", "total_cost_nanousd", *_LABELS)
"""Return of a row what is told of its span: the least that has to be held until the commit."""


def tell_created(tenant: Tenant, told: Iterable[tuple[Any, ...]]) -> None:
    """Tell of spans that were stored, when the transaction commits."""
    publish_all(
        event_type="trace_created",
        organisation_id=tenant.organisation_id,
        project_id=tenant.project_id,
        data=[_data(*one) for one in told],
    )


def _data(trace_id: bytes, span_id: bytes, ts: int, cost: int | None, *labels: Any) -> Mapping[str, Any]:
    return {
        "trace_id": trace_id.hex(),
        "span_id": span_id.hex(),
        **dict(zip(_LABELS, labels, strict=True)),
        "cost_usd": None if cost is None else orjson.Fragment(dollars_text(cost)),
        "timestamp": instant(ts).replace("+00:00", "Z"),
    }
