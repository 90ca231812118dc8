"""Pages that explain the errors, and the project's handlers for what fails before any view."""

import sys

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from errors import catalog
from errors.accept import Accept
from errors.catalog import CATALOGUE, ErrorSpec
from errors.envelope import documentation_url, error_response
from errors.exceptions import ApiError
from errors.handler import to_api_error
from errors.json import JSON, dumps

HTML = "text/html"
CACHING = {"Cache-Control": "public, max-age=3600", "Vary": "Accept, Accept-Encoding"}


@require_safe
def error_page(request: HttpRequest, code: int) -> HttpResponse:
    """Return what an error means and what to do about it, as HTML or as JSON; raise 404/1300 for an unknown number."""
    spec = CATALOGUE.get(code)
    if spec is None:
        raise ApiError(catalog.UNKNOWN_ERROR_CODE, code=code)
    return _negotiated(request, "errors/error.html", {"error": facts(spec)}, facts(spec))


@require_safe
def error_index(request: HttpRequest) -> HttpResponse:
    """Return every error of the catalogue, as HTML or as JSON."""
    rows = [{**facts(spec), "documentation_url": documentation_url(spec)} for spec in CATALOGUE.values()]
    return _negotiated(request, "errors/index.html", {"errors": rows}, {"errors": rows})


def facts(spec: ErrorSpec) -> dict[str, object]:
    """Return the members of an error's page."""
    return {
        "code": spec.code,
        "name": spec.error_code,
        "title": spec.title,
        "category": spec.category.value,
        "status": spec.status,
        "meaning": spec.meaning,
        "cause": spec.cause,
        "cure": spec.remedy,
        "retryable": spec.retryable,
    }


def _negotiated(
    request: HttpRequest, template: str, context: dict[str, object], data: dict[str, object]
) -> HttpResponse:
    accept = Accept(request.headers.get("Accept"))
    html, json = accept.weight(HTML), accept.weight(JSON)
    if not (html or json):
        raise ApiError(catalog.NOT_ACCEPTABLE, offered=f"{HTML} or {JSON}")
    if json > html:
        return HttpResponse(dumps(data), content_type=JSON, headers=CACHING)
    response = render(request, template, context)
    for name, value in CACHING.items():
        response[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Return the reply for what Django answers with 400; `handler400` of the project."""
    return _reply(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Return the reply for what Django answers with 403; `handler403` of the project."""
    return _reply(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Return the reply for paths that nothing serves; `handler404` of the project."""
    return _reply(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Return the reply for an exception that nothing caught; `handler500` of the project."""
    exception = sys.exc_info()[1] or RuntimeError("handler500 without an exception")
    return _reply(request, exception)


def _reply(request: HttpRequest, exception: BaseException) -> HttpResponse:
    return error_response(to_api_error(exception), request)
