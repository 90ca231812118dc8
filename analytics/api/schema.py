"""Reply shapes of the OpenAPI document, derived from the registry."""

from collections.abc import Iterable, Mapping
from typing import Any

from analytics.queries.spans import TRACE_FIGURES
from analytics.registry.fields import SPAN_FIELDS, FieldType, SpanField
from analytics.registry.measures import BY_KEY as MEASURES
from analytics.registry.measures import Measure, Unit
from analytics.registry.rejections import REASONS

_TYPES: Mapping[FieldType, dict[str, Any]] = {
    FieldType.ID: {"type": "string"},
    FieldType.LABEL: {"type": "string"},
    FieldType.CONTENT: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.MONEY: {"type": "number", "description": "US dollars with at most 9 decimals."},
    FieldType.TIME: {"type": "string", "format": "date-time"},
    FieldType.LIST: {"type": "array", "items": {"type": "string"}},
    FieldType.JSON: {},
    FieldType.BOOLEAN: {"type": "boolean"},
}
_UNITS: Mapping[Unit, dict[str, Any]] = {
    Unit.COUNT: {"type": "integer"},
    Unit.MILLISECONDS: {"type": "number"},
    Unit.RATE: {"type": "number", "minimum": 0, "maximum": 1},
    Unit.PER_SECOND: {"type": "number"},
}
_TIME = {"type": "string", "format": "date-time"}
_FIGURES: Mapping[str, dict[str, Any]] = {
    "start_time": _TIME,
    "end_time": _TIME,
    "trace_duration_ms": {"type": "integer"},
    "span_count": {"type": "integer"},
    "error_count": {"type": "integer"},
    "trace_status": {"type": "string", "enum": ["OK", "ERROR"]},
    "trace_cost_usd": {"type": ["number", "null"]},
    "trace_tokens": {"type": "integer"},
    "unpriced_requests": {"type": "integer"},
}


def ref(component: str) -> dict[str, str]:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{component}"}


def nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` that also admits null."""
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else dict(schema)


def _member(field: SpanField) -> dict[str, Any]:
    return {"description": field.description, **nullable(_TYPES[field.type])}


def _measure(measure: Measure) -> dict[str, Any]:
    schema = _UNITS[measure.unit]
    return {"description": measure.description, **(nullable(schema) if measure.nullable else schema)}


_SPAN: dict[str, Any] = {"type": "object", "properties": {field.key: _member(field) for field in SPAN_FIELDS}}
_TRACE: dict[str, Any] = {
    "type": "object",
    "properties": {
        **_SPAN["properties"],
        **{name: _FIGURES[name] for name in TRACE_FIGURES},
        "spans": {"type": "array", "items": ref("Span")},
        "spans_truncated": {"type": "boolean"},
    },
}
_META: dict[str, Any] = {
    "type": "object",
    "required": ["timestamp", "execution_time_ms", "cached", "version", "request_id"],
    "properties": {
        "timestamp": _TIME,
        "execution_time_ms": {"type": "integer"},
        "cached": {"type": "boolean"},
        "version": {"type": "string", "const": "1.0"},
        "request_id": {"type": "string"},
    },
}
_PAGINATION = {
    "type": "object",
    "required": ["has_more", "limit"],
    "properties": {
        "cursor": {"type": "string"},
        "has_more": {"type": "boolean"},
        "limit": {"type": "integer"},
        "total": {"type": "integer"},
    },
}
_TEXT = {"type": "string"}
_REJECTED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "received_at": _TIME,
        "project_id": {"type": "string", "format": "uuid"},
        "trace_id": nullable(_TEXT),
        "span_id": nullable(_TEXT),
        "span_name": nullable(_TEXT),
        "service_name": nullable(_TEXT),
        "scope_name": nullable(_TEXT),
        "reason": {"type": "string", "enum": list(REASONS)},
        "message": _TEXT,
        "key_prefix": nullable(_TEXT),
        "request_id": _TEXT,
    },
}


COMPONENTS: dict[str, Any] = {
    "Span": _SPAN,
    "Trace": _TRACE,
    "RejectedSpan": _REJECTED,
    "Meta": _META,
    "Pagination": _PAGINATION,
}


def enveloped(data: Mapping[str, Any], *, paged: bool = False) -> dict[str, Any]:
    """Return the shape of an enveloped reply around `data`."""
    members: dict[str, Any] = {"status": {"type": "string", "const": "success"}, "data": data}
    if paged:
        members["pagination"] = ref("Pagination")
    return {"type": "object", "required": [*members, "meta"], "properties": {**members, "meta": ref("Meta")}}


def performance(series: Iterable[str]) -> dict[str, Any]:
    """Return the shape of a reply with every measure, and `series` in each bucket."""
    bucket = {
        "type": "object",
        "properties": {"timestamp": _TIME, **{key: _measure(MEASURES[key]) for key in series}},
    }
    metadata = {
        "type": "object",
        "properties": {
            "start_time": _TIME,
            "end_time": _TIME,
            "granularity": {"type": "string"},
            "as_of": nullable(_TIME),
            "data_source": {"type": "string", "enum": ["rollup", "spans", "mixed"]},
        },
    }
    return {
        "type": "object",
        "required": ["metadata"],
        "properties": {
            **{measure.key: _measure(measure) for measure in MEASURES.values()},
            "time_series": {"type": "array", "items": bucket},
            "metadata": metadata,
        },
    }
