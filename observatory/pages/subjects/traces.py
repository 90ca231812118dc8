"""Traces: the list that a line of the filter language finds, and one trace as a waterfall with a span's content."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from analytics.api.parameters import Parameter
from analytics.api.span_filters import NARROWING_PARAMETERS
from analytics.api.traces import CURSOR, LIST_PARAMETERS, WITHIN
from errors.json import rfc3339
from observatory.pages.asked import SHARED, Asked
from observatory.pages.live import LIVE
from observatory.pages.numbers import Unit, exact, shown
from observatory.pages.questions import Call
from observatory.pages.shapes import Body, Cell, Column, Figure, Page, Table, moment

_SHARED_NAMES = {one.name for one in SHARED}
_LISTED = {one.name: one for one in LIST_PARAMETERS}
OWN: tuple[Parameter, ...] = (
    *(one for one in NARROWING_PARAMETERS if one.name not in _SHARED_NAMES),
    WITHIN,
    _LISTED["sort_by"],
    _LISTED["sort_order"],
    CURSOR,
)
_OWN_NAMES = tuple(one.name for one in OWN)
LIMIT = 50
FIELDS = (
    "ts", "trace_id", "span_id", "span_name", "operation_name", "model", "status_code", "error_type", "duration_ms",
    "total_tokens", "total_cost_usd", "user_id", "input_text",
)  # fmt: skip
ORDERS: Mapping[str, str] = {
    "ts": "Newest",
    "duration_ms": "Slowest",
    "total_cost_usd": "Most expensive",
    "total_tokens": "Most tokens",
}
KINDS: Mapping[str, str] = {"all": "Every span", "roots": "Whole traces", "calls": "Model calls"}
TRACES = Page(
    key="traces",
    title="Traces",
    permission="traces:read",
    own=(*OWN, LIVE),
    template="pages/traces.html",
    about="Every span that was stored, and the trace that it is of.",
    compares=False,
)
_PREVIEW = 160
_MILLION = 1_000_000


def list_call(asked: Asked, *, limit: int = LIMIT) -> Call:
    """Return the call for a page of the list."""
    own = {name: asked.given[name] for name in _OWN_NAMES if name in asked.given}
    return asked.call("/traces", **own, limit=str(limit), fields=",".join(FIELDS))


def worst_call(asked: Asked) -> Call:
    """Return the call for the first span of the list."""
    own = {name: asked.given[name] for name in _OWN_NAMES if name in asked.given and name != "cursor"}
    return asked.call("/traces", **own, limit="1", fields="trace_id,span_id")


def place_of(asked: Asked, row: Mapping[str, Any]) -> str:
    """Return the link to a span in its trace."""
    return f"{asked.base}/traces/{row['trace_id']}?span={row['span_id']}"


def table_of(asked: Asked, body: Body) -> Table:
    """Return the rows of a page of the list."""
    columns = [
        Column(label="Start (UTC)", unit=Unit.TIME),
        Column(label="Span"),
        Column(label="Model"),
        Column(label="Status"),
        Column(label="Duration", unit=Unit.MILLISECONDS),
        Column(label="Tokens", unit=Unit.COUNT),
        Column(label="Cost", unit=Unit.MONEY),
        Column(label="Input"),
    ]
    rows = [
        [
            Cell(value=row["ts"], column=columns[0], href=place_of(asked, row)),
            Cell(value=row["span_name"], column=columns[1], quiet=row["user_id"] or ""),
            row["model"],
            _status(row, columns[3]),
            row["duration_ms"],
            row["total_tokens"],
            row["total_cost_usd"],
            (row["input_text"] or "")[:_PREVIEW],
        ]
        for row in body["data"]
    ]
    return Table(columns=columns, rows=rows, caption="Spans")


def _status(row: Mapping[str, Any], column: Column) -> Cell:
    failed = row["status_code"] == "ERROR"
    return Cell(value=(row["error_type"] or "failed") if failed else "ok", column=column, failed=failed)


# --- one trace --------------------------------------------------------------------------------------------------------
ROWS = (
    "ts", "span_id", "parent_span_id", "span_name", "operation_name", "provider", "model", "tool_name", "status_code",
    "error_type", "duration_ms", "total_tokens", "total_cost_usd", "depth", "self_time_ms", "subtree_cost_usd",
    "subtree_tokens", "on_critical_path",
)  # fmt: skip
SPAN = (
    "ts", "span_id", "parent_span_id", "service_name", "span_name", "span_kind", "operation_name", "provider", "model",
    "response_model", "response_id", "input_text", "output_text", "input_messages", "output_messages", "finish_reason",
    "prompt_tokens", "completion_tokens", "total_tokens", "uncached_input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "audio_input_tokens", "visible_output_tokens", "reasoning_tokens",
    "audio_output_tokens", "total_cost_usd", "cost_breakdown", "price_version", "unpriced_reason", "reported_cost_usd",
    "duration_ms", "ttft_ms", "tokens_per_second", "streamed", "status_code", "error_type", "error_message", "user_id",
    "session_id", "team_id", "prompt_name", "environment", "tags", "tool_name", "agent_name", "workflow_name",
    "request_parameters", "tools", "retrieval", "attributes", "resource_attributes", "events", "links", "scope",
    "usage_rule", "redactions", "notes", "ingested_at",
)  # fmt: skip
MOST_SPANS = 1000
_DEEPEST = 12  # steps of indentation; below, spans stand under each other
_TOKENS: Mapping[str, str] = {
    "uncached_input_tokens": "Input",
    "cache_read_tokens": "Read from cache",
    "cache_write_5m_tokens": "Written to cache, 5 min",
    "cache_write_1h_tokens": "Written to cache, 1 h",
    "audio_input_tokens": "Audio in",
    "visible_output_tokens": "Output",
    "reasoning_tokens": "Reasoning",
    "audio_output_tokens": "Audio out",
}
_FACTS: Mapping[str, str] = {
    "operation_name": "Operation",
    "provider": "Provider",
    "model": "Model",
    "response_model": "Model that answered",
    "service_name": "Service",
    "environment": "Environment",
    "user_id": "User",
    "session_id": "Session",
    "team_id": "Team",
    "prompt_name": "Prompt",
    "tool_name": "Tool",
    "agent_name": "Agent",
    "workflow_name": "Workflow",
    "finish_reason": "Finish reason",
    "streamed": "Streamed",
    "response_id": "Response id",
    "price_version": "Price",
    "unpriced_reason": "Without a price",
    "usage_rule": "Token totals",
    "span_kind": "Kind",
    "span_id": "Span id",
    "ingested_at": "Arrived",
}
_DOCUMENTS: Mapping[str, str] = {
    "request_parameters": "Parameters",
    "tools": "Tools offered",
    "retrieval": "Retrieval",
    "attributes": "Attributes",
    "resource_attributes": "Resource",
    "events": "Events",
    "links": "Links",
    "scope": "Instrumentation",
    "redactions": "Redactions",
    "notes": "Notes",
}


def detail_call(trace_id: str, project: str) -> Call:
    """Return the call for a trace's figures and what was said of it."""
    fields = "trace_id,project_id,span_name,start_time,end_time,trace_duration_ms,span_count,error_count,trace_status,"
    fields += "trace_cost_usd,trace_tokens,unpriced_requests,user_id,session_id,environment,service_name,span_id"
    query = {"project_id": project, "include": "evaluations,feedback", "fields": fields}
    return Call.to(f"/traces/{trace_id}", query)


def spans_call(trace_id: str, project: str) -> Call:
    """Return the call for the spans of a trace, their content left out."""
    query = {"project_id": project, "limit": str(MOST_SPANS), "fields": ",".join(ROWS)}
    return Call.to(f"/traces/{trace_id}/spans", query)


def span_call(detail: Body, span_id: str) -> Call:
    """Return the call for one span of a trace with its content."""
    start, end = moment(detail["start_time"]), moment(detail["end_time"])
    query = {
        "trace_id": detail["trace_id"],
        "q": f'span_id:"{span_id}"',
        "project_id": detail["project_id"],
        "start_time": rfc3339(start),
        "end_time": rfc3339(end + timedelta(seconds=1)),
        "fields": ",".join(SPAN),
    }
    return Call.to("/traces", query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span in the waterfall: how deep, from where to where in thousandths of the trace, and its figures."""

    span: Mapping[str, Any]
    depth: int
    start: str
    width: str
    href: str
    here: bool

    @property
    def failed(self) -> bool:
        return bool(self.span["status_code"] == "ERROR")

    @property
    def duration(self) -> str:
        return shown(self.span["duration_ms"], Unit.MILLISECONDS)

    @property
    def cost(self) -> str:
        return shown(self.span["total_cost_usd"], Unit.MONEY) if self.span["total_cost_usd"] is not None else ""

    @property
    def tokens(self) -> str:
        return shown(self.span["total_tokens"], Unit.COUNT) if self.span["total_tokens"] else ""

    @property
    def what(self) -> str:
        """The model or the tool, where the name does not say it."""
        named = self.span["model"] or self.span["tool_name"] or ""
        return "" if named and named in (self.span["span_name"] or "") else named


def waterfall(spans: Sequence[Mapping[str, Any]], *, place: str, chosen: str) -> list[Bar]:
    """Return the spans as a tree is read, parents before children, each with its place in time."""
    starts = {one["span_id"]: moment(one["ts"]) for one in spans}
    first = min(starts.values())
    ends = [starts[one["span_id"]] + timedelta(milliseconds=one["duration_ms"]) for one in spans]
    whole = max((max(ends) - first).total_seconds(), 0.001)
    below: dict[str | None, list[Mapping[str, Any]]] = {}
    for one in spans:
        parent = one["parent_span_id"]
        below.setdefault(parent if parent in starts and one["depth"] else None, []).append(one)
    ordered: list[Mapping[str, Any]] = []
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        one = waiting.pop()
        ordered.append(one)
        waiting.extend(reversed(below.get(one["span_id"], [])))
    return [
        Bar(
            span=one,
            depth=min(one["depth"], _DEEPEST),
            start=f"{(starts[one['span_id']] - first).total_seconds() / whole * 1000:.2f}",
            width=f"{max(one['duration_ms'] / whole, 2):.2f}",
            href=f"{place}?span={one['span_id']}",
            here=one["span_id"] == chosen,
        )
        for one in ordered
    ]


def figures_of(detail: Body) -> list[Figure]:
    """Return the figures of a whole trace."""
    unpriced = detail["unpriced_requests"]
    return [
        Figure(label="Duration", value=detail["trace_duration_ms"], unit=Unit.MILLISECONDS),
        Figure(
            label="Cost",
            value=detail["trace_cost_usd"],
            unit=Unit.MONEY,
            note=f"{unpriced} without a price" if unpriced else "",
        ),
        Figure(label="Tokens", value=detail["trace_tokens"], unit=Unit.COUNT),
        Figure(label="Spans", value=detail["span_count"], unit=Unit.COUNT),
        Figure(label="Failed", value=detail["error_count"], unit=Unit.COUNT),
    ]


def span_shown(span: Mapping[str, Any], *, opinions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a page shows of a span: content as text, tokens and cost part by part, everything else as facts."""
    costs: Mapping[str, Any] = span["cost_breakdown"] or {}
    parts = [
        {
            "label": label,
            "tokens": shown(span[name], Unit.COUNT),
            "cost": _cost(costs.get(name.removesuffix("_tokens"))),
        }
        for name, label in _TOKENS.items()
        if span[name]
    ]
    return {
        "span": span,
        "start": shown(span["ts"], Unit.TIME),
        "duration": shown(span["duration_ms"], Unit.MILLISECONDS),
        "ttft": "" if span["ttft_ms"] is None else shown(span["ttft_ms"], Unit.MILLISECONDS),
        "speed": "" if not span["tokens_per_second"] else shown(span["tokens_per_second"], Unit.COUNT),
        "cost": shown(span["total_cost_usd"], Unit.MONEY),
        "exact_cost": exact(span["total_cost_usd"]),
        "parts": parts,
        "total": {"tokens": shown(span["total_tokens"], Unit.COUNT), "cost": _cost(span["total_cost_usd"])},
        "input": messages_of(span["input_messages"], span["input_text"]),
        "output": messages_of(span["output_messages"], span["output_text"]),
        "facts": [(label, _fact(name, span[name])) for name, label in _FACTS.items() if span[name] not in (None, "")],
        "tags": span["tags"] or [],
        "documents": [(label, document(span[name])) for name, label in _DOCUMENTS.items() if span[name]],
        "opinions": opinions,
    }


def _fact(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown(value, Unit.TIME) if name == "ingested_at" else str(value)


def _cost(value: Decimal | int | None) -> str:
    return "" if value is None else f"${exact(value)}"


def messages_of(messages: Any, text: str | None) -> list[dict[str, str]]:
    """Return messages as role and text; the plain text where there are none."""
    if not isinstance(messages, list) or not messages:
        return [{"role": "", "text": text}] if text else []
    return [
        {"role": str(one.get("name") or one.get("role") or ""), "text": text_of(one)}
        if isinstance(one, dict)
        else {"role": "", "text": text_of({"content": one})}
        for one in messages
    ]


def text_of(message: Mapping[str, Any]) -> str:
    """Return the content of a message as text; what is no text, and what else it has, as a document."""
    content = message.get("content")
    rest = {name: value for name, value in message.items() if name not in {"role", "content", "name"} and value}
    parts = [part for part in (_part(content), document(rest) if rest else "") if part]
    return "\n".join(parts)


def _part(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(_part, content)))
    if isinstance(content, dict):
        for name in ("text", "content"):
            if isinstance(content.get(name), str):
                return str(content[name])
    return document(content)


def document(value: Any) -> str:
    """Return a document as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=exact)


def opinions_of(detail: Body) -> list[dict[str, Any]]:
    """Return evaluations and feedback of a trace in the order in which they came."""
    told_of = [
        {
            "what": one["evaluator_name"],
            "score": "" if one["score"] is None else shown(one["score"], Unit.SCORE),
            "verdict": {True: "passed", False: "failed", None: one["label"] or ""}[one["passed"]],
            "text": one["explanation"] or "",
            "span_id": one["span_id"],
            "when": shown(one["timestamp"], Unit.TIME),
        }
        for one in detail["evaluations"]
    ]
    told_of += [
        {
            "what": f"Feedback{' of ' + one['user_id'] if one['user_id'] else ''}",
            "score": shown(one["score"], Unit.SCORE),
            "verdict": {True: "resolved", False: "not resolved", None: ""}[one["resolved"]],
            "text": one["comment"] or "",
            "span_id": one["span_id"],
            "when": shown(one["created_at"], Unit.TIME),
        }
        for one in detail["feedback"]
    ]
    return sorted(told_of, key=lambda one: one["when"])
