"""What pages and the admin have and API paths have not: their own policy of content, and errors that people read."""

from collections.abc import Callable
from functools import partial

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
        response.headers["Content-Security-Policy"] = POLICY
        return response
