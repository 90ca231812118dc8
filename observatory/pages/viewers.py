"""Who looks at a page: a member who has signed in, inside one organisation; or anybody, at what is public."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from errors.catalog import IP_NOT_ALLOWED, NO_MEMBERSHIP, ORGANISATION_ACCESS_DENIED
from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.accounts.authentication import principal_of_member, principal_of_superuser
from observatory.accounts.models import Membership, Organisation, Project, User
from observatory.accounts.networks import admits
from observatory.accounts.principals import Anonymous, Principal, ProjectRef
from observatory.database import tenancy
from ratelimit.address import client_address

ORGANISATION = "organisation"  # the session's last one


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A caller of pages: who it is to the API, the organisation it looks into, and the others it could."""

    principal: Principal | Anonymous
    organisation: Organisation | None = None
    organisations: Sequence[Organisation] = ()
    projects: Sequence[Project] = ()
    is_guest: bool = False  # a superuser in an organisation that is not theirs

    def may(self, permission: str) -> bool:
        """Return whether the viewer holds `permission`; anybody may see what public pages show."""
        return isinstance(self.principal, Anonymous) or permission in self.principal.permissions


View = Callable[..., HttpResponseBase]


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Return the memberships of who is signed in, by the slug of the organisation."""
    with tenancy.only(tenancy.EVERY):
        return list(
            Membership.objects.filter(user=request.user.pk)
            .select_related("organisation")
            .order_by("organisation__slug")
        )


def entrance_of(request: HttpRequest) -> str:
    """Return the slug of the organisation that was looked at last, or of the first in reach; raise 403 without any."""
    slugs = [one.organisation.slug for one in memberships_of(request)]
    last = request.session.get(ORGANISATION)
    if is_superuser(request):
        every = Organisation.objects.order_by("slug").values_list("slug", flat=True)
        slugs = list(every.filter(slug=last)) or slugs or list(every[:1])
    if not slugs:
        raise ApiError(NO_MEMBERSHIP, field=ORGANISATION)
    return last if last in slugs else slugs[0]


def is_superuser(request: HttpRequest) -> bool:
    """Return whether who is signed in may look at every organisation."""
    return isinstance(request.user, User) and request.user.is_superuser


def for_members(view: View) -> View:
    """Return `view` for members alone: it is given the viewer; others are sent to sign in, and come back."""

    @wraps(view)
    def guarded(request: HttpRequest, organisation: str, **path: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        return view(request, viewer=viewer_of(request, organisation), **path)

    return guarded


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Return the way to the form of sign-in and back here; a part of a page makes the browser go there whole."""
    place = f"{reverse('pages:sign-in')}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("pages:sign-in")})
    return HttpResponseRedirect(place)


def viewer_of(request: HttpRequest, slug: str) -> Viewer:
    """Return who is signed in as a viewer of an organisation; raise 403/1103, 403/1104.

    Members see what their role does. A superuser reads everything of an organisation that is not theirs.
    """
    memberships = memberships_of(request)
    mine = next((one for one in memberships if one.organisation.slug == slug), None)
    is_guest = mine is None and is_superuser(request)
    with tenancy.only(tenancy.EVERY):
        organisation = mine.organisation if mine else None
        if is_guest:
            organisation = Organisation.objects.filter(slug=slug).first()
        if organisation is None:
            raise ApiError(ORGANISATION_ACCESS_DENIED, field=ORGANISATION, organisation=slug)
        principal = principal_of_member(mine) if mine else principal_of_superuser(str(request.user.pk), organisation)
        projects = list(Project.objects.filter(pk__in=[one.id for one in principal.projects]).order_by("name"))
    vars(request)["principal"] = principal  # log and audit look for it by this name
    if not admits(principal.networks, client_address(request)):
        audit.refused_address(request, principal)
        raise ApiError(IP_NOT_ALLOWED)
    tenancy.show_organisation(principal.organisation_id)
    if request.session.get(ORGANISATION) != slug:
        request.session[ORGANISATION] = slug
    return Viewer(
        principal=principal,
        organisation=organisation,
        organisations=[*([organisation] if is_guest else []), *(one.organisation for one in memberships)],
        projects=projects,
        is_guest=is_guest,
    )


def anybody() -> Viewer:
    """Return the viewer of public pages, who sees public projects alone."""
    with tenancy.only(tenancy.EVERY):
        public = Project.objects.filter(is_public=True)
        refs = ProjectRef.all_of(public)
        projects = list(public.order_by("name"))
    return Viewer(principal=Anonymous(public_projects=refs), projects=projects)
