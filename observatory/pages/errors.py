"""What went wrong, as a page: the catalogue's sentence, what it means and what to do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from errors.envelope import ERROR_HEADERS, documentation_url, request_id
from errors.exceptions import ApiError
from observatory.pages.paths import is_admin


def error_page(request: HttpRequest, error: ApiError) -> HttpResponse:
    """Return the page of an error; it needs neither session nor database, which may be what is missing."""
    shown = {
        "error": error,
        "spec": error.spec,
        "about": documentation_url(error.spec),
        "request_id": request_id(request),
        "in_admin": is_admin(request.path),
    }
    response = render(request, "pages/error.html", shown, status=error.spec.status)
    for name, value in {**ERROR_HEADERS, **error.headers}.items():
        response.headers[name] = value
    return response
