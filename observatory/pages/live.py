"""The tail of the list of traces: what the browser needs to hear of spans as they come."""

from copy import copy
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST
from rest_framework.request import Request

from analytics.api.parameters import Parameter, boolean
from analytics.live.filters import NAMES
from observatory.accounts import grants, tickets
from observatory.accounts.api.tickets import TicketView
from observatory.accounts.authentication import Shown
from observatory.live.addresses import addresses
from observatory.pages.asked import Asked
from observatory.pages.viewers import Viewer, for_members
from ratelimit.throttle import charge_request

if TYPE_CHECKING:
    from observatory.accounts.principals import Principal

EVENTS, PERMISSION = "trace_created", "traces:read"
LIVE = Parameter(name="live", read=boolean, schema={}, default=False, description="Show spans as they come.")


def tail_of(asked: Asked) -> dict[str, Any] | None:
    """Return how a page of the list follows what comes; `None` where nothing new can appear on it.

    The stream is narrowed by what it can be narrowed by, and tells when to look; what is shown is the list's.
    """
    if not asked.moves or asked.given.get("cursor"):
        return None
    query = {"events": EVENTS} | {name: asked.given[name] for name in NAMES if name in asked.given}
    return {"on": asked.values["live"], "query": urlencode(query), "href": asked.link(live="true")}


@require_POST
@for_members
def ticket(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Answer with a ticket to the viewer's stream, paid for like one that the API sells."""
    principal = cast("Principal", viewer.principal)
    principal.require(PERMISSION)
    asked = Request(copy(request))
    asked.user = cast("Any", principal)
    charge_request(asked, cast("Any", TicketView()))
    token = grants.of_session(principal, now=timezone.now())
    bought = tickets.issue(Shown(secret=token, is_key=False))
    body = {"ticket": bought, "sse_url": addresses()["sse_url"]}
    return JsonResponse(body, headers={"Cache-Control": "private, no-store"})
