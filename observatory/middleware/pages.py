"""What pages and the admin have and API paths have not: their own policy of content, and errors that people read."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from observatory.pages.errors import error_page
from observatory.pages.paths import is_for_people

# As strict as that of all replies, and beyond it: what `default-src` does not cover is closed as well.
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"


class PagesMiddleware:
    """Whatever goes wrong under the paths of people, wherever it does, is shown as a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_for_people(request.path):
            return self.get_response(request)
        request.error_page = partial(error_page, request)  # type: ignore[attr-defined]  # `errors` asks for it by this name
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = _policy()
        return response


def _policy() -> str:
    """Return the policy; where streams have a host or port of their own, a page may also ask there.

    It is that of every page: one that is walked to keeps the policy of the first.
    """
    streams = urlsplit(settings.LIVE_BASE_URL)
    if settings.LIVE_BASE_URL == settings.API_BASE_URL:
        return POLICY
    return f"{POLICY}; connect-src 'self' {streams.scheme}://{streams.netloc}"
