"""Every act is recorded once it is answered: by the views' names for what they change, whatever came of it."""

from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse

from analytics.api.caching.views import CachedView
from observatory.accounts import audit
from ratelimit.views import LimitedAPIView


class AuditMiddleware:
    """Writes the entries of the audit log. A view says what it changes with `audited`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        response = self.get_response(request)
        view = getattr(request.resolver_match and request.resolver_match.func, "cls", None)
        # Other views, those of pages, describe what they do themselves.
        audited, reads = None, False
        if isinstance(view, type) and issubclass(view, LimitedAPIView):
            audited, reads = view.audited, issubclass(view, CachedView)
        act = audit.act_of(request, audited=audited, reads=reads, action=getattr(view, "audit_action", None))
        if act is not None:
            act.resource_id = act.resource_id or _named(request, response)
            act.changes = act.changes or getattr(response, "audited_changes", [])
            audit.record(request, act, status=response.status_code, seconds=perf_counter() - started)
        return response


def _named(request: HttpRequest, response: HttpResponse) -> str | None:
    """Return the id of what was made, or else the one that the path names, if it names one alone."""
    made: str | None = getattr(response, "audited_id", None)
    names = list(request.resolver_match.kwargs.values()) if request.resolver_match else []
    return made or (str(names[0]) if len(names) == 1 else None)
