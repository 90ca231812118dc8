"""Exports: those that there are, a form for another one, and their files."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods, require_safe

from analytics.exports.formats import FORMATS
from errors.catalog import QUOTA_EXCEEDED, Category
from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.pages.asked import DEFAULT_START, fallback, given_of, refused
from observatory.pages.numbers import Unit
from observatory.pages.questions import Asker, Call
from observatory.pages.shapes import Body, Cell, Column, Page, Table
from observatory.pages.subjects.traces import KINDS
from observatory.pages.viewers import Viewer, for_members
from observatory.pages.views import framed

EXPORTS = Page(
    key="exports",
    title="Exports",
    permission="exports:read",
    template="pages/exports.html",
    about="Spans as files, written by a worker.",
    compares=False,
)
CREATE, DOWNLOAD = "exports:create", "exports:download"
LIMIT = 50
_OPEN = frozenset({"pending", "processing"})
_BOXES: Mapping[str, str] = {
    "start_time": "From",
    "end_time": "To",
    "provider": "Provider",
    "model": "Model",
    "environment": "Environment",
}
_MEMBERS = ("format", "compression", "project_id", "scope", *_BOXES)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def exports(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show the exports in reach; take the form, and let a worker make another one."""
    viewer.principal.require(EXPORTS.permission)
    problem = None
    if request.method == "POST":
        viewer.principal.require(CREATE)
        given = given_of(request.POST)
        audit.describe(request, action="create", resource_type="export")
        try:
            made = Asker(request, viewer).post("/export/traces", {one: given[one] for one in _MEMBERS if one in given})
        except ApiError as refusal:
            if refusal.spec is not QUOTA_EXCEEDED and refusal.spec.category is not Category.VALIDATION:
                raise
            problem = refusal
        else:
            audit.describe(request, resource_id=made["job_id"])
            return HttpResponseRedirect(request.path)
    else:
        given = {"start_time": DEFAULT_START, "format": "csv"} | given_of(request.GET)
    base = request.path.rpartition("/")[0]
    body = Asker(request, viewer).ask(Call.to("/export/jobs", {"limit": str(LIMIT)}))
    return framed(
        request,
        viewer,
        EXPORTS,
        fallback(request, base=base),
        problem=problem,
        table=_table(body, viewer, place=request.path),
        waits=any(one["status"] in _OPEN for one in body["jobs"]),
        may_create=viewer.may(CREATE),
        form=_form(given, problem),
    )


@require_safe
@for_members
def export_file(request: HttpRequest, viewer: Viewer, job_id: str) -> HttpResponseBase:
    """Answer with the file of an export, as the API does."""
    viewer.principal.require(DOWNLOAD)
    audit.describe(request, action="export", resource_type="export", resource_id=job_id[:200])
    reply: HttpResponseBase = Asker(request, viewer).reply(Call(path=f"/export/jobs/{job_id}/download"))
    reply.headers["Cache-Control"] = "private, no-store"
    return reply


def _table(body: Body, viewer: Viewer, *, place: str) -> Table:
    columns = [
        Column(label="Created (UTC)", unit=Unit.TIME),
        Column(label="Status"),
        Column(label="Format"),
        Column(label="Done", unit=Unit.PERCENT),
        Column(label="Spans", unit=Unit.COUNT),
        Column(label="Bytes", unit=Unit.COUNT),
        Column(label="File"),
    ]
    may_download = viewer.may(DOWNLOAD)
    rows = []
    for one in body["jobs"]:
        ready = one["metadata"]["can_download"]
        file = Cell(
            value="Download" if ready and may_download else "",
            column=columns[6],
            href=f"{place}/{one['job_id']}/file" if ready and may_download else "",
            quiet=one["error_message"] or "",
        )
        packed = " gzip" if one["compression"] == "gzip" else ""
        rows.append(
            [
                one["created_at"],
                Cell(value=one["status"], column=columns[1], failed=one["status"] == "failed"),
                one["format"] + packed,
                one["progress_percent"],
                one["trace_count"],
                one["file_size_bytes"],
                file,
            ]
        )
    return Table(columns=columns, rows=rows, caption="Exports")


def _form(given: Mapping[str, str], problem: ApiError | None) -> dict[str, Any]:
    wrong = refused(problem) if problem else None
    boxes = [
        {
            "name": name,
            "label": label,
            "value": given.get(name, ""),
            "problem": wrong if wrong and wrong["field"] == name else None,
        }
        for name, label in _BOXES.items()
    ]
    return {
        "boxes": boxes,
        "formats": [(key, key, given.get("format") == key) for key in FORMATS],
        "kinds": [(key, name, given.get("scope", "all") == key) for key, name in KINDS.items()],
        "packed": given.get("compression") == "gzip",
        "project": given.get("project_id", ""),
        "problem": wrong if wrong and not any(one["problem"] for one in boxes) else None,
    }
