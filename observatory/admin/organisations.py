"""Which organisation a page is about: chosen by staff among those they reach, the only one at once."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from observatory.accounts.admin_reach import within_reach
from observatory.accounts.models import Organisation
from observatory.admin_site import shown

_MOST = 200


def choice(request: HttpRequest, *, title: str, name: str) -> HttpResponse:
    """Lead to the page `name` of the only organisation in reach, or show a list of them to choose from."""
    wanted = request.GET.get("q", "").strip()[:63]
    found = within_reach(request, Organisation.objects.order_by("slug"), "pk")
    if wanted:
        found = found.filter(slug__icontains=wanted) | found.filter(name__icontains=wanted)
    organisations = list(found[: _MOST + 1])
    if len(organisations) == 1 and not wanted:
        return HttpResponseRedirect(reverse(f"admin:{name}", args=[organisations[0].slug]))
    rows = [{"one": one, "href": reverse(f"admin:{name}", args=[one.slug])} for one in organisations[:_MOST]]
    return shown(
        request, "organisations.html", title=title, organisations=rows, wanted=wanted, more=len(organisations) > _MOST
    )
