"""Spans and traces in the admin: the dashboards' list and waterfall, which ask the API, in the admin's frame.

Whoever looks sees what their role in the organisation shows, superusers everything. Nothing is counted, every list has
a range, and pages follow each other by their keys.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from observatory.admin.organisations import choice
from observatory.admin_site import shown
from observatory.pages.asked import PRESETS, refused
from observatory.pages.tracing import listed, told_of
from observatory.pages.viewers import viewer_of

TITLE = "Traces and spans"


@require_safe
def entrance(request: HttpRequest) -> HttpResponse:
    """Choose the organisation."""
    return choice(request, title=TITLE, name="traces-of")


@require_safe
def listing(request: HttpRequest, organisation: str) -> HttpResponse:
    """Show a page of the spans of an organisation."""
    viewer = viewer_of(request, organisation)
    found = listed(request, viewer, base=request.path.rpartition("/")[0])
    problem = found.problem
    return shown(
        request,
        "traces.html",
        title=f"Spans of {organisation}",
        status=problem.spec.status if problem else 200,
        viewer=viewer,
        asked=found.asked,
        start=request.GET.get("start_time", "") or found.asked.start,
        end=request.GET.get("end_time", ""),
        project=request.GET.get("project_id", ""),
        presets=PRESETS.items(),
        problem=refused(problem) if problem else None,
        **found.shown,
    )


@require_safe
def one(request: HttpRequest, organisation: str, trace_id: str) -> HttpResponse:
    """Show one trace as a waterfall, and a span of it."""
    viewer = viewer_of(request, organisation)
    base = request.path.rpartition("/")[0].rpartition("/")[0]
    told = told_of(request, viewer, trace_id, base=base)
    return shown(request, "trace.html", viewer=viewer, base=base, **told)
