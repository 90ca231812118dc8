"""What the framework itself answers becomes the catalogue's envelope."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import status

from errors.envelope import error_response
from errors.handler import to_api_error
from errors.translation import from_status

HEADERS_OF_THE_OLD_BODY = {"content-type", "content-length", "content-encoding", "etag", "last-modified"}


class ErrorEnvelopeMiddleware:
    """Give every reply of 400 and above the envelope, exceptions of views included.

    Replies that bear `own_error_body = True` are final.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        final = response.status_code < status.HTTP_400_BAD_REQUEST or getattr(response, "own_error_body", False)
        return response if final else in_envelope(request, response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase:
        return error_response(to_api_error(exception), request)


def in_envelope(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the envelope for a reply of which only status and headers are worth keeping."""
    replacement = error_response(to_api_error(from_status(response.status_code)), request)
    for name, value in response.items():
        if name.lower() not in HEADERS_OF_THE_OLD_BODY:
            replacement.headers.setdefault(name, value)
    return replacement
