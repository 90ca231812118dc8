"""The pages' views: read the parameters, ask, show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analytics.registry.dimensions import DIMENSIONS
from errors.catalog import INSUFFICIENT_PERMISSIONS, RESOURCE_NOT_FOUND, Category
from errors.exceptions import ApiError
from observatory.pages.asked import DEFAULT_START, FILTER_NAMES, PRESETS, Asked, fallback, read, refused
from observatory.pages.questions import Asker, Call
from observatory.pages.registry import BY_KEY, PAGES
from observatory.pages.shapes import Page, Panel, Shown
from observatory.pages.subjects.public import PUBLIC
from observatory.pages.viewers import Viewer, anybody, entrance_of, for_members, to_sign_in

_PERSONAL = frozenset(one.key for one in DIMENSIONS if one.personal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A panel as it is drawn: what it shows, or the sentence of what went wrong, the calls and the file."""

    panel: Panel
    shown: Shown | None
    problem: ApiError | None
    calls: Sequence[Call]
    file: str


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the organisation that was looked at last, or to the first one."""
    if not request.user.is_authenticated:
        return to_sign_in(request)
    return HttpResponseRedirect(reverse("pages:entrance", args=[entrance_of(request)]))


@require_safe
@for_members
def entrance(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Lead to the first page that the viewer may see."""
    first = next((one for one in PAGES if viewer.may(one.permission)), None)
    if first is None:
        raise ApiError(INSUFFICIENT_PERMISSIONS, details="metrics:read", action="read metrics")
    return HttpResponseRedirect(f"{request.path}/{first.key}")


@require_safe
def nothing(_request: HttpRequest, rest: str) -> HttpResponse:
    """Say that there is no such page."""
    raise ApiError(RESOURCE_NOT_FOUND, details=rest[:200])


@require_safe
@for_members
def page(request: HttpRequest, viewer: Viewer, page: str) -> HttpResponse:
    """Show a page of panels."""
    return _shown(request, viewer, page_named(page, viewer), base=request.path.rpartition("/")[0])


def _shown(request: HttpRequest, viewer: Viewer, found: Page, *, base: str) -> HttpResponse:
    try:
        asked = read(request, base=base, own=found.own)
    except ApiError as problem:
        if problem.spec.category is not Category.VALIDATION:
            raise
        return framed(request, viewer, found, fallback(request, base=base, own=found.own), problem=problem)
    asker = Asker(request, viewer)
    drawn = [draw(one, asked, asker) for one in found.panels if viewer.may(one.permission)]
    return framed(request, viewer, found, asked, panels=drawn, controls=found.controls(asked, asker.ask))


@require_safe
def public(request: HttpRequest) -> HttpResponse:
    """Show what is public to anybody; while nothing is, lead to the form of sign-in."""
    viewer = anybody()
    return _shown(request, viewer, PUBLIC, base=request.path) if viewer.projects else to_sign_in(request)


@require_safe
def public_file(request: HttpRequest, panel: str) -> HttpResponse:
    """Answer with the table of a panel of the public page as CSV."""
    return _file(request, anybody(), PUBLIC, panel, base=request.path.rpartition("/")[0])


@require_safe
@for_members
def file(request: HttpRequest, viewer: Viewer, page: str, panel: str) -> HttpResponse:
    """Answer with the table of a panel as CSV."""
    base = request.path.rpartition("/")[0].rpartition("/")[0]
    return _file(request, viewer, page_named(page, viewer), panel, base=base)


def _file(request: HttpRequest, viewer: Viewer, found: Page, panel: str, *, base: str) -> HttpResponse:
    one = next((one for one in found.panels if one.key == panel and viewer.may(one.permission)), None)
    if one is None:
        raise ApiError(RESOURCE_NOT_FOUND, details=panel[:200])
    asked = read(request, base=base, own=found.own)
    asker = Asker(request, viewer)
    shown = one.show(asked, *map(asker.ask, one.calls(asked, asker.ask)))
    table = shown.table
    if table is None:
        raise ApiError(RESOURCE_NOT_FOUND, details=panel[:200])
    name = f"{base.rpartition('/')[2]}-{found.key}-{panel}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(table.csv, content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@for_members
def values(request: HttpRequest, viewer: Viewer, label: str) -> HttpResponse:
    """Answer with the values of a label, for the boxes of the filters."""
    if label not in FILTER_NAMES:
        raise ApiError(RESOURCE_NOT_FOUND, details=label[:200])
    call = Call.to(f"/metrics/labels/{label}/values", {"start_time": "now-7d", "limit": "100"})
    body = Asker(request, viewer).ask(call)
    return JsonResponse(
        {"values": [one["value"] for one in body["values"]]}, headers={"Cache-Control": "private, no-store"}
    )


def page_named(key: str, viewer: Viewer) -> Page:
    """Return the page of a name; raise 404/1300 for none, 403/1100 for one that the viewer may not see."""
    found = BY_KEY.get(key)
    if found is None:
        raise ApiError(RESOURCE_NOT_FOUND, details=key[:200])
    viewer.principal.require(found.permission)
    return found


def draw(panel: Panel, asked: Asked, asker: Asker) -> Drawn:
    """Return a panel as it is drawn; what is wrong with its own question is told in its place."""
    calls: Sequence[Call] = ()
    shown, problem = None, None
    try:
        calls = panel.calls(asked, asker.ask)
        shown = panel.show(asked, *map(asker.ask, calls))
    except ApiError as refusal:
        if refusal.spec.category is not Category.VALIDATION:
            raise
        problem = refusal
    return Drawn(
        panel=panel, shown=shown, problem=problem, calls=calls, file=asked.link(f"{asked.place}/{panel.key}.csv")
    )


def framed(
    request: HttpRequest,
    viewer: Viewer,
    page: Page,
    asked: Asked,
    *,
    problem: ApiError | None = None,
    template: str = "",
    **more: Any,
) -> HttpResponse:
    """Return a page in its frame: navigation, filters, and what is wrong with them."""
    shown = {
        "viewer": viewer,
        "page": page,
        "asked": asked,
        "nav": [
            {"page": one, "href": asked.shared(f"{asked.base}/{one.key}"), "here": one is page}
            for one in (PAGES if viewer.organisation else ())
            if viewer.may(one.permission)
        ],
        "organisations": _organisations(viewer, page),
        "filters": _filters(request, viewer, asked, problem),
        **more,
    }
    response = render(request, template or page.template, shown, status=problem.spec.status if problem else 200)
    response.own_error_body = True  # type: ignore[attr-defined]  # the middleware's sign that the body is final
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _organisations(viewer: Viewer, page: Page) -> list[Mapping[str, Any]]:
    return [
        {
            "organisation": one,
            "href": reverse("pages:page", args=[one.slug, page.key]),
            "here": one == viewer.organisation,
        }
        for one in viewer.organisations
    ]


def _filters(request: HttpRequest, viewer: Viewer, asked: Asked, problem: ApiError | None) -> dict[str, Any]:
    sent = {name: value for name, value in request.GET.items() if isinstance(value, str)}
    start = sent.get("start_time", sent.get("from", "")) or DEFAULT_START
    end = sent.get("end_time", sent.get("to", ""))
    presets = [
        {
            "name": name,
            "href": asked.link(**{"start_time": bound, "end_time": None, "from": None, "to": None}),
            "here": start == bound and not end,
        }
        for bound, name in PRESETS.items()
    ]
    names = {"project_id": "project", **{name: name.removesuffix("_id").replace("_", " ") for name in FILTER_NAMES}}
    return {
        "start": start,
        "end": end,
        "presets": presets,
        "range": next((one["name"] for one in presets if one["here"]), ""),
        "boxes": [
            {
                "name": name,
                "label": names[name].capitalize(),
                "value": sent.get(name, ""),
                "clear": asked.link(**{name: None}),
            }
            for name in FILTER_NAMES
            if viewer.organisation or name not in _PERSONAL
        ],
        "active": [
            {"label": names[name], "value": value, "clear": asked.link(**{name: None})}
            for name, value in asked.filters.items()
            if name != "project_id"
        ],
        "project": sent.get("project_id", ""),
        "problem": refused(problem) if problem else None,
        "refresh": asked.link(refresh=None if asked.values["refresh"] else "true"),
        "compare": {"on": asked.compares, "href": asked.link(compare="none" if asked.compares else None)},
        "kept": {
            name: value
            for name, value in asked.given.items()
            if name not in {"start_time", "end_time", "from", "to", "project_id", "cursor", *FILTER_NAMES}
        },
    }
