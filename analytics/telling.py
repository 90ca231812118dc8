"""What listeners are told of spans: that they were stored, and that something about them changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal

import orjson
from django.conf import settings

from analytics.events import publish_all
from analytics.pricing.money import dollars_text
from analytics.storage.opinions import Subject
from analytics.storage.rows import instant
from analytics.storage.spans import Tenant
from analytics.storage.telling import SpanKey, columns_of_spans, columns_of_subject

Change = Literal["feedback", "evaluation", "cost"]
_LABELS = ("provider", "model", "environment", "user_id", "duration_ms", "status_code")
TOLD = ("trace_id", "span_id", "ts", "total_cost_nanousd", *_LABELS)
labels_told = attrgetter(*_LABELS)
"""Return the labels that are told of a normal span: the end of its row of `TOLD`, which is held until the commit."""


def tell_created(tenant: Tenant, told: Iterable[tuple[Any, ...]]) -> None:
    """Tell of spans that were stored, when the transaction commits."""
    _publish("trace_created", tenant, [_data(*one) for one in told])


def tell_opinion(subject: Subject, change: Change) -> None:
    """Tell that something was said of a span, or of a trace: then of its root, else of its first span."""
    _tell_updated(subject.tenant, columns_of_subject(subject, TOLD), change)


def tell_repriced(tenant: Tenant, spans: Sequence[SpanKey]) -> None:
    """Tell that spans have other costs; of more than a stream holds only the last are told."""
    latest = spans[-settings.STREAM_QUEUE_EVENTS :]
    if latest:
        _tell_updated(tenant, columns_of_spans(tenant, latest, TOLD), "cost")


def _tell_updated(tenant: Tenant, rows: Iterable[tuple[Any, ...]], change: Change) -> None:
    _publish("trace_updated", tenant, [{**_data(*row), "change": change} for row in rows])


def _publish(event_type: str, tenant: Tenant, data: Sequence[Mapping[str, Any]]) -> None:
    publish_all(
        event_type=event_type, organisation_id=tenant.organisation_id, project_ids=[tenant.project_id], data=data
    )


def _rfc3339(nanoseconds: int) -> str:
    told = instant(nanoseconds).removesuffix("+00").removesuffix(".000000")
    return f"{told.replace(' ', 'T')}Z"


def _data(trace_id: bytes, span_id: bytes, ts: int | datetime, cost: int | None, *labels: Any) -> Mapping[str, Any]:
    return {
        "trace_id": trace_id.hex(),
        "span_id": span_id.hex(),
        **dict(zip(_LABELS, labels, strict=True)),
        "cost_usd": None if cost is None else orjson.Fragment(dollars_text(cost)),
        "timestamp": ts if isinstance(ts, datetime) else _rfc3339(ts),
    }
