"""ETag and 304 for GET and HEAD."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.middleware.gzip import re_accepts_gzip
from django.utils.cache import set_response_etag

from analytics.api.caching.validators import lists, opaque

_KEPT = ("ETag", "Last-Modified", "Cache-Control", "Vary", "Date")
_LIMITS = ("X-RateLimit-", "RateLimit")


class ConditionalMiddleware:
    """Tags replies that may be stored by their body, and answers 304 to a client that has the same one.

    Replies with `own_validators = True` were compared by their view, before their bodies were made.
    Django's own tags no reply to HEAD, takes `If-Match` of a GET, and drops the limits' headers from a 304.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not _may_be_stored(request, response):
            return response
        if "ETag" not in response.headers:
            set_response_etag(response)
        # What may be compressed is one entity in several forms: its tag is weak in all of them, that of a 304 too.
        if re_accepts_gzip.search(request.headers.get("Accept-Encoding", "")):
            response.headers["ETag"] = f"W/{opaque(response.headers['ETag'])}"
        known = lists(request.headers.get("If-None-Match", ""), response.headers["ETag"])
        return _not_modified(response) if known else response


def _may_be_stored(request: HttpRequest, response: HttpResponse) -> bool:
    return (
        request.method in {"GET", "HEAD"}
        and not getattr(response, "own_validators", False)
        and response.status_code == 200  # noqa: PLR2004  OK
        and not response.streaming
        and bool(response.content)
        and "no-store" not in response.headers.get("Cache-Control", "no-store")
    )


def _not_modified(response: HttpResponse) -> HttpResponse:
    reply = HttpResponseNotModified()
    for name, value in response.items():
        if name in _KEPT or name.startswith(_LIMITS):
            reply.headers[name] = value
    return reply
