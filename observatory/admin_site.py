"""The administration: Django's own admin, with pages of ours that no table of the database stands behind."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite, site
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from observatory.pages.paths import is_admin

View = Callable[..., HttpResponse]
# How models and apps are called where their own names are those of the code.
NAMES: Mapping[str, str] = {
    "ApiKey": "API keys",
    "AuditEntry": "Audit log",
    "CostRun": "Re-pricings",
    "ExportJob": "Exports",
    "ModelPrice": "Price book",
    "Authentication and Authorization": "Groups of staff",
    "Analytics": "Costs, exports, ingest",
}


def is_superuser(request: HttpRequest) -> bool:
    """Return whether who is signed in is a superuser."""
    return bool(getattr(request.user, "is_superuser", False))


def is_staff(_request: HttpRequest) -> bool:
    """Return true: every member of staff who is signed in may; the page itself ends at their reach."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPage:
    """A page of ours: its path below the admin, who may see it, and whether the front page and the side bar list it."""

    path: str
    name: str
    title: str
    view: View
    may: Callable[[HttpRequest], bool] = is_staff
    listed: bool = True


class ObservatoryAdminSite(AdminSite):
    """Django's admin under our name; people sign in where they sign in to the dashboards."""

    site_header = site_title = "LLM Observatory"
    index_title = "Administration"
    site_url = "/app"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.pages: list[AdminPage] = []

    def add_pages(self, pages: Iterable[AdminPage]) -> None:
        """Serve `pages`, and list those that are listed, after the ones that were added before."""
        self.pages += pages

    def get_urls(self) -> list[Any]:
        own: list[URLPattern] = [
            path(one.path, self.admin_view(self._guarded(one)), name=one.name) for one in self.pages
        ]
        return [*own, *super().get_urls()]

    @staticmethod
    def _guarded(page: AdminPage) -> View:
        def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
            if not page.may(request):
                raise PermissionDenied
            return page.view(request, **given)

        return guarded

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        known: list[Any] = super().get_app_list(request, app_label)
        for section in known:
            section["name"] = NAMES.get(section["name"], section["name"])
            for one in section["models"]:
                one["name"] = NAMES.get(one["object_name"], one["name"])
        if app_label is not None:
            return known
        listed = [
            {
                "name": one.title,
                "object_name": one.name,
                "admin_url": reverse(f"admin:{one.name}"),
                "add_url": None,
                "view_only": True,
                "perms": {"view": True},
            }
            for one in self.pages
            if one.listed and one.may(request)
        ]
        ours = {"name": "Observatory", "app_label": "observatory", "app_url": reverse("admin:index"), "models": listed}
        return [{**ours, "has_module_perms": True}, *known]

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Lead to the form of sign-in and back; raise 403 for somebody who has signed in and is no staff."""
        wanted = request.GET.get("next", "")
        if not (url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and is_admin(wanted)):
            wanted = reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(wanted)
        if request.user.is_authenticated:
            raise PermissionDenied
        return HttpResponseRedirect(f"{reverse('pages:sign-in')}?{urlencode({'next': wanted})}")


def shown(request: HttpRequest, template: str, *, title: str, status: int = 200, **more: Any) -> HttpResponse:
    """Return a page of ours in the admin's frame."""
    context = {**site.each_context(request), "title": title, **more}
    response = TemplateResponse(request, f"admin/{template}", context, status=status)
    response.own_error_body = True  # type: ignore[attr-defined]  # the middleware's sign that the body is final
    response.headers["Cache-Control"] = "private, no-store"
    return response
