"""Views of traces: the list, the way to the first of it, and one trace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from errors.catalog import TRACE_NOT_FOUND, Category
from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.pages.asked import Asked, fallback, read, refused
from observatory.pages.live import tail_of
from observatory.pages.numbers import Unit, shown
from observatory.pages.questions import Asker
from observatory.pages.subjects import traces as subject
from observatory.pages.viewers import Viewer, for_members
from observatory.pages.views import framed

TRACES = subject.TRACES
_CONTENT = "trace"


@require_safe
@for_members
def traces(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show a page of the list."""
    found = listed(request, viewer, base=request.path.rpartition("/")[0])
    export = found.asked.shared(f"{found.asked.base}/exports") if viewer.may("exports:read") else ""
    return framed(request, viewer, TRACES, found.asked, problem=found.problem, export=export, **found.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list for a template: what was asked for, what is wrong with it, the table and the form."""

    asked: Asked
    problem: ApiError | None
    shown: Mapping[str, Any]


def listed(request: HttpRequest, viewer: Viewer, *, base: str) -> Listed:
    """Return the page of the list that a request asks for; one trace of it is below `base`."""
    viewer.principal.require(TRACES.permission)
    _audited(request, viewer, "search" if request.GET.get("q") else "read")
    try:
        asked = read(request, base=base, own=TRACES.own)
        call = subject.list_call(asked)
        body = Asker(request, viewer).ask(call)
    except ApiError as problem:
        if problem.spec.category is not Category.VALIDATION:
            raise
        asked = fallback(request, base=base, own=TRACES.own)
        return Listed(asked=asked, problem=problem, shown=_form(request, asked, problem))
    cursor = body["pagination"].get("cursor")
    shown = {
        "table": subject.table_of(asked, body),
        "tail": tail_of(asked),
        "call": call,
        "file": asked.link(f"{request.path}.csv"),
        "older": asked.link(cursor=cursor) if cursor else "",
        "newest": asked.link(cursor=None) if asked.given.get("cursor") else "",
        **_form(request, asked, None),
    }
    return Listed(asked=asked, problem=None, shown=shown)


def _form(request: HttpRequest, asked: Asked, problem: ApiError | None) -> dict[str, Any]:
    sent = request.GET.get("q", "")
    kept = {name: value for name, value in asked.given.items() if name not in {"q", "scope", "sort_by", "cursor"}}
    return {
        "q": sent,
        "q_problem": refused(problem) if problem is not None and problem.field == "q" else None,
        "q_kept": kept,
        "kinds": [(key, name, asked.values["scope"] == key) for key, name in subject.KINDS.items()],
        "orders": [(key, name, asked.values["sort_by"] == key) for key, name in subject.ORDERS.items()],
        "narrowed": [
            {"label": name.replace("_", " "), "value": asked.given[name], "clear": asked.link(**{name: None})}
            for name in ("trace_id", "session_id", "status", "tags", "search", "min_duration_ms", "min_cost")
            if name in asked.given
        ],
    }


@require_safe
@for_members
def traces_file(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Answer with a page of the list as CSV."""
    viewer.principal.require(TRACES.permission)
    _audited(request, viewer, "read")
    base = request.path.rpartition("/")[0]
    asked = read(request, base=base, own=TRACES.own)
    table = subject.table_of(asked, Asker(request, viewer).ask(subject.list_call(asked)))
    headers = {"Content-Disposition": 'attachment; filename="traces.csv"', "Cache-Control": "private, no-store"}
    return HttpResponse(table.csv, content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@for_members
def worst(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Lead to the trace of the first span that the list would show; to the list where there is none."""
    viewer.principal.require(TRACES.permission)
    place = request.path.rpartition("/")[0]
    asked = read(request, base=place.rpartition("/")[0], own=TRACES.own)
    rows = Asker(request, viewer).ask(subject.worst_call(asked))["data"]
    return HttpResponseRedirect(subject.place_of(asked, rows[0]) if rows else asked.link(place))


@require_safe
@for_members
def trace(request: HttpRequest, viewer: Viewer, trace_id: str) -> HttpResponse:
    """Show one trace, and the span of it that was chosen: else the one that failed first, else its root."""
    base = request.path.rpartition("/")[0].rpartition("/")[0]
    told = told_of(request, viewer, trace_id, base=base)
    asked = fallback(request, base=base, own=TRACES.own)
    return framed(request, viewer, TRACES, asked, template="pages/trace.html", **told)


def told_of(request: HttpRequest, viewer: Viewer, trace_id: str, *, base: str) -> dict[str, Any]:
    """Return what a template shows of a trace and of the span that a request chooses; the list is below `base`."""
    viewer.principal.require(TRACES.permission)
    _audited(request, viewer, "read", resource_id=trace_id[:200])
    if not (trace_id.isascii() and trace_id.isalnum()):
        raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
    project = request.GET.get("project_id", "")
    asker = Asker(request, viewer)
    call = subject.detail_call(trace_id, project)
    detail = asker.ask(call)["data"]
    found = asker.ask(subject.spans_call(trace_id, project))
    spans = found["data"]
    chosen = _chosen(request, spans, detail["span_id"])
    rows = asker.ask(subject.span_call(detail, chosen))["data"]
    opinions = subject.opinions_of(detail)
    own = [one for one in opinions if one["span_id"] in (None, chosen)]
    return {
        "detail": detail,
        "title": detail["span_name"] or trace_id,
        "figures": subject.figures_of(detail),
        "bars": subject.waterfall(spans, place=request.path, chosen=chosen),
        "truncated": found["pagination"]["has_more"],
        "calls": [call, subject.spans_call(trace_id, project)],
        "start": shown(detail["start_time"], Unit.TIME),
        "chosen": subject.span_shown(rows[0], opinions=own) if rows else None,
        "session": _session(base, detail["session_id"]),
    }


def _session(base: str, session_id: str | None) -> str:
    query = {"session_id": session_id, "start_time": "now-30d"}
    return f"{base}/traces?{urlencode(query)}" if session_id else ""


def _chosen(request: HttpRequest, spans: list[Mapping[str, Any]], root: str) -> str:
    known = [one["span_id"] for one in spans]
    wanted = request.GET.get("span", "")
    if wanted in known:
        return wanted
    return next((one["span_id"] for one in spans if one["status_code"] == "ERROR"), root)


def _audited(request: HttpRequest, viewer: Viewer, action: str, **facts: Any) -> None:
    # That somebody from outside looked at content is told to the organisation in any case.
    if settings.AUDIT_READS or viewer.is_guest:
        audit.describe(request, action=action, resource_type=_CONTENT, **facts)
