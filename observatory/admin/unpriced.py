"""Models whose calls have no price: each leads to the form of a price, and from there to pricing its calls anew."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from errors.exceptions import ApiError
from errors.specs import Category
from observatory.admin.organisations import choice
from observatory.admin_site import shown
from observatory.pages import numbers
from observatory.pages.numbers import Unit
from observatory.pages.questions import Asker, Call
from observatory.pages.viewers import viewer_of
from observatory.sentences import sentence

TITLE = "Models without a price"
DEFAULT_START = "now-30d"
REASONS = {
    "no_price": "no row of the price book is for it",
    "no_part_price": "the price has no rate for a part of its tokens",
    "no_usage": "its calls do not say what they used",
}


@require_safe
def entrance(request: HttpRequest) -> HttpResponse:
    """Choose the organisation."""
    return choice(request, title=TITLE, name="unpriced-of")


@require_safe
def listing(request: HttpRequest, organisation: str) -> HttpResponse:
    """Show what has no price by provider, model and reason."""
    viewer = viewer_of(request, organisation)
    viewer.principal.require("costs:read")
    start, end = (request.GET.get(name, "").strip() for name in ("start_time", "end_time"))
    problem, items = "", []
    try:
        call = Call.to("/costs/unpriced", {"start_time": start or DEFAULT_START, "end_time": end})
        items = Asker(request, viewer).ask(call)["items"]
    except ApiError as refused:
        if refused.spec.category is not Category.VALIDATION:
            raise
        problem = sentence(refused)
    may_price = request.user.has_perm("analytics.add_modelprice")
    return shown(
        request,
        "unpriced.html",
        title=f"{TITLE}: {organisation}",
        status=400 if problem else 200,
        rows=[_row(one, organisation, may_price=may_price) for one in items],
        start=start or DEFAULT_START,
        end=end,
        problem=problem,
    )


def _row(item: dict[str, Any], organisation: str, *, may_price: bool) -> dict[str, Any]:
    model, provider = item["model"], item["provider"]
    can_be = bool(model and provider) and item["reason"] != "no_usage"
    query = {"provider": provider, "model": model, "first_seen": item["first_seen"], "of": organisation}
    return {
        "provider": provider or "–",  # noqa: RUF001  a dash, as in print
        "model": model or "–",  # noqa: RUF001
        "reason": REASONS.get(item["reason"], item["reason"]),
        "requests": numbers.shown(item["request_count"], Unit.COUNT),
        "tokens": numbers.shown(item["total_tokens"], Unit.COUNT),
        "first": numbers.shown(item["first_seen"], Unit.TIME),
        "last": numbers.shown(item["last_seen"], Unit.TIME),
        "href": f"{reverse('admin:analytics_modelprice_add')}?{urlencode(query)}" if can_be and may_price else "",
    }
