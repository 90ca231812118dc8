"""Reply shapes of the OpenAPI document, derived from the registry."""

from collections.abc import Mapping
from typing import Any

from analytics.api.budget_shapes import COMPONENTS as BUDGETS
from analytics.api.channel_shapes import COMPONENTS as CHANNELS
from analytics.api.export_shapes import COMPONENTS as EXPORTS
from analytics.api.json_schema import DAY, INSTANT, TEXT, UUID, nullable
from analytics.pricing.book import RATES
from analytics.queries.shapes import Kind, Node, Tree
from analytics.queries.statistics import STATISTICS
from analytics.queries.traces import LINKS, MOST_LINKS, TRACE_FIGURES, truncated
from analytics.queries.tree import PLACE
from analytics.registry.fields import SPAN_FIELDS, FieldType, SpanField
from analytics.registry.measures import Figure, Unit
from analytics.registry.operators import OPERATORS
from analytics.registry.rejections import REASONS

_TYPES: Mapping[FieldType, dict[str, Any]] = {
    FieldType.ID: {"type": "string"},
    FieldType.LABEL: {"type": "string"},
    FieldType.CONTENT: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.MONEY: {"type": "number", "description": "US dollars with at most 9 decimals."},
    FieldType.TIME: INSTANT,
    FieldType.LIST: {"type": "array", "items": {"type": "string"}},
    FieldType.JSON: {},
    FieldType.KEY: {},
    FieldType.BOOLEAN: {"type": "boolean"},
}
_UNITS: Mapping[Unit, dict[str, Any]] = {
    Unit.COUNT: {"type": "integer"},
    Unit.TOKENS: {"type": "integer"},
    Unit.DOLLARS: {"type": "number"},
    Unit.MILLISECONDS: {"type": "number"},
    Unit.RATE: {"type": "number", "minimum": 0, "maximum": 1},
    Unit.PER_SECOND: {"type": "number"},
    Unit.TIME: INSTANT,
    Unit.TEXT: {"type": "string"},
}
_KINDS: Mapping[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.TIME: INSTANT,
    Kind.DATE: DAY,
    Kind.COUNT: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.MONEY: {"type": "number"},
    Kind.RATE: {"type": "number", "minimum": 0, "maximum": 1},
    Kind.PERCENT: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.OBJECT: {"type": "object"},
}
_FIGURES: Mapping[str, dict[str, Any]] = {
    "start_time": INSTANT,
    "end_time": INSTANT,
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


def _member(field: SpanField) -> dict[str, Any]:
    return {"description": field.description, **nullable(_TYPES[field.type])}


def _figure(figure: Figure) -> dict[str, Any]:
    plain = _UNITS[figure.unit]
    kind = {"type": "number"} if figure.aggregation == "avg" and plain["type"] == "integer" else plain
    described = {"description": f"{figure.measure.description} ({figure.aggregation}, {figure.unit})"}
    return described | (nullable(kind) if figure.nullable else kind)


def _node(node: Node) -> dict[str, Any]:
    if isinstance(node, Tree):
        shown: dict[str, Any] = shape(node)
    elif node.figure is not None:
        shown = _figure(node.figure)
    else:
        assert node.kind is not None
        shown = _KINDS[node.kind]
    if node.many:
        shown = {"type": "array", "items": shown}
    if node.nullable and not isinstance(shown["type"], list):
        shown = nullable(shown)
    return {**shown, **({"description": node.description} if node.description else {})}


def shape(tree: Tree) -> dict[str, Any]:
    """Return the schema of an object of this shape; what is selected decides which members there are."""
    return {"type": "object", "properties": {name: _node(node) for name, node in tree.members.items()}}


def bare(tree: Tree, metadata: Tree, *, explained: bool = True) -> dict[str, Any]:
    """Return the shape of a reply whose members stand at its top, with its metadata; `explained`: on wish, its plan."""
    body = shape(tree)
    if not explained:
        return {**body, "properties": {**body["properties"], "metadata": shape(metadata)}}
    plan = {"type": "array", "items": {"type": "object"}, "description": "Instead of all else, with explain=true."}
    return {**body, "properties": {**body["properties"], "metadata": shape(metadata), "plan": plan}}


_PLACE: Mapping[str, dict[str, Any]] = {
    "depth": {"type": "integer", "description": "0 for roots."},
    "self_time_ms": {"type": "integer", "description": "Duration without the time in which a child ran."},
    "subtree_cost_usd": {"type": ["number", "null"], "description": "Cost of the counted spans of the subtree."},
    "subtree_tokens": {"type": "integer", "description": "Tokens of the counted spans of the subtree."},
    "on_critical_path": {"type": "boolean", "description": "Whether the end of the trace waited for this span."},
}
_STATISTICS: Mapping[str, dict[str, Any]] = {
    "total_count": {"type": "integer"},
    "trace_count": {"type": "integer"},
    "total_cost_usd": {"type": ["number", "null"]},
    "unpriced_requests": {"type": "integer"},
    "total_tokens": {"type": "integer"},
    "avg_duration_ms": {"type": ["number", "null"]},
    "min_duration_ms": {"type": ["integer", "null"]},
    "max_duration_ms": {"type": ["integer", "null"]},
    "success_count": {"type": "integer"},
    "error_count": {"type": "integer"},
    "success_rate": {"type": "number", "minimum": 0, "maximum": 1},
}
_FEEDBACK: dict[str, Any] = {
    "type": "object",
    "required": ["id", "trace_id", "created_at", "score"],
    "properties": {
        "id": UUID,
        "trace_id": TEXT,
        "span_id": {"type": ["string", "null"], "description": "null where the whole trace is meant."},
        "created_at": INSTANT,
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "resolved": {"type": ["boolean", "null"]},
        "comment": {"type": ["string", "null"]},
        "user_id": {"type": ["string", "null"]},
        "labels": {"type": ["array", "null"], "items": {"type": "string"}},
    },
}
_EVALUATION: dict[str, Any] = {
    "type": "object",
    "required": ["id", "trace_id", "timestamp", "evaluator_name"],
    "properties": {
        "id": UUID,
        "trace_id": TEXT,
        "span_id": {"type": ["string", "null"], "description": "null where the whole trace is meant."},
        "timestamp": INSTANT,
        "evaluator_name": {"type": "string"},
        "score": {"type": ["number", "null"]},
        "passed": {"type": ["boolean", "null"]},
        "label": {"type": ["string", "null"]},
        "explanation": {"type": ["string", "null"]},
    },
}
_LINK: dict[str, Any] = {
    "type": "object",
    "properties": {"trace_id": TEXT, "span_id": TEXT, "linked_trace_id": TEXT, "linked_span_id": TEXT},
}
_MARKED = {"type": "array", "items": {"type": "string"}, "maxItems": 3}
_MEMBERS: dict[str, Any] = {field.key: _member(field) for field in SPAN_FIELDS}
_OPINIONS: dict[str, Any] = {
    "evaluations": {"type": "array", "items": ref("Evaluation")},
    "feedback": {"type": "array", "items": ref("Feedback")},
}
_INLINE: dict[str, Any] = {"spans_truncated": {"type": "boolean"}}
_SPAN: dict[str, Any] = {
    "type": "object",
    "properties": {
        **_MEMBERS,
        **_OPINIONS,
        **_INLINE,
        "spans": {"type": "array", "items": ref("Span"), "description": "Direct children."},
        "highlights": {
            "type": "object",
            "description": "Fragments of HTML: hits between <mark> and </mark>, all else escaped.",
            "properties": {"input_text": _MARKED, "output_text": _MARKED},
        },
    },
}
_TRACE_SPAN: dict[str, Any] = {
    "type": "object",
    "properties": {**_MEMBERS, **_OPINIONS, **{name: _PLACE[name] for name in PLACE}},
}
_TRACE: dict[str, Any] = {
    "type": "object",
    "properties": {
        **_MEMBERS,
        **{name: _FIGURES[name] for name in TRACE_FIGURES},
        **{name: {"type": "array", "items": ref("Link"), "maxItems": MOST_LINKS} for name in LINKS},
        **{
            truncated(name): {"type": "boolean", "description": "Told where there are more links than that."}
            for name in LINKS
        },
        **_OPINIONS,
        **_INLINE,
        "spans": {"type": "array", "items": ref("TraceSpan")},
    },
}
_FILTER: dict[str, Any] = {
    "description": "A comparison, or parts joined by AND, OR, NOT. Operators are read in any case.",
    "oneOf": [
        {
            "type": "object",
            "required": ["field", "operator", "value"],
            "additionalProperties": False,
            "properties": {
                "field": {"type": "string", "description": "A member of a span, content, or attributes.<key>."},
                "operator": {"type": "string", "examples": [one.key for one in OPERATORS]},
                "value": {},
            },
        },
        {
            "type": "object",
            "required": ["operator", "filters"],
            "additionalProperties": False,
            "properties": {
                "operator": {"type": "string", "examples": ["AND", "OR", "NOT"]},
                "filters": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Filter"}},
            },
        },
    ],
}
_META: dict[str, Any] = {
    "type": "object",
    "required": ["timestamp", "execution_time_ms", "cached", "version", "request_id"],
    "properties": {
        "timestamp": INSTANT,
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
_REJECTED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": UUID,
        "received_at": INSTANT,
        "project_id": UUID,
        "trace_id": nullable(TEXT),
        "span_id": nullable(TEXT),
        "span_name": nullable(TEXT),
        "service_name": nullable(TEXT),
        "scope_name": nullable(TEXT),
        "reason": {"type": "string", "enum": list(REASONS)},
        "message": TEXT,
        "key_prefix": nullable(TEXT),
        "request_id": TEXT,
    },
}


_OFFSET_PAGINATION = {
    "type": "object",
    "required": ["total", "limit", "offset", "has_more"],
    "properties": {
        "total": {"type": "integer"},
        "limit": {"type": "integer"},
        "offset": {"type": "integer"},
        "has_more": {"type": "boolean"},
    },
}
_RATE = {"type": ["number", "null"], "description": "US dollars per million tokens; null: the part has no own price."}
_PRICE = {
    "type": "object",
    "required": ["id", "provider", "model_pattern", "service_tier", "min_prompt_tokens", "valid_from", "shared"],
    "properties": {
        "id": {"type": "string", "description": "The price_version of spans that it priced."},
        "provider": {"type": "string"},
        "model_pattern": {"type": "string", "description": "Name of a model, or a glob: *, ?, [...]."},
        "service_tier": {"type": "string", "enum": ["default", "batch", "flex", "priority"]},
        "min_prompt_tokens": {"type": "integer", "description": "The row is for longer prompts than this."},
        "valid_from": INSTANT,
        "valid_to": {**INSTANT, "type": ["string", "null"]},
        **dict.fromkeys(RATES, _RATE),
        **{name: {**_RATE, "type": "number"} for name in ("input", "output")},
        "per_request": {"type": ["number", "null"], "description": "US dollars for each call, beside its tokens."},
        "shared": {"type": "boolean", "description": "Whether the row is everybody's, or the organisation's own."},
        "source": {"type": "string", "description": "File, package or person it came from."},
    },
}

COMPONENTS: dict[str, Any] = {
    "Span": _SPAN,
    "TraceSpan": _TRACE_SPAN,
    "Trace": _TRACE,
    "RejectedSpan": _REJECTED,
    "TraceStatistics": {"type": "object", "properties": {name: _STATISTICS[name] for name in STATISTICS}},
    "Feedback": _FEEDBACK,
    "Evaluation": _EVALUATION,
    "Link": _LINK,
    "Filter": _FILTER,
    "Meta": _META,
    "Pagination": _PAGINATION,
    "OffsetPagination": _OFFSET_PAGINATION,
    "Price": _PRICE,
    **EXPORTS,
    **BUDGETS,
    **CHANNELS,
}


def named_list(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shape of a list whose one member is named after the resource, paged by offset."""
    return {
        "type": "object",
        "required": [name, "pagination"],
        "properties": {name: {"type": "array", "items": item}, "pagination": ref("OffsetPagination")},
    }


def enveloped(data: Mapping[str, Any], *, paged: bool = False) -> dict[str, Any]:
    """Return the shape of an enveloped reply around `data`."""
    members: dict[str, Any] = {"status": {"type": "string", "const": "success"}, "data": data}
    if paged:
        members["pagination"] = ref("Pagination")
    return {"type": "object", "required": [*members, "meta"], "properties": {**members, "meta": ref("Meta")}}
