"""A request has `REQUEST_TIMEOUT_SECONDS`: what was not answered by then is answered with 504/1800."""

from collections.abc import Callable
from time import monotonic

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from analytics.storage.deadline import ending
from errors.catalog import REQUEST_TIMEOUT
from errors.envelope import error_response
from errors.exceptions import ApiError
from errors.handler import to_api_error


class DeadlineMiddleware:
    """Replaces a reply whose time is over; streams and replies that are errors already go as they are.

    A single statement ends before that by the `statement_timeout` of the connection.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began: float = getattr(request, "began", None) or monotonic()
        deadline = began + settings.REQUEST_TIMEOUT_SECONDS
        with ending(deadline):  # views with several steps look at it between them
            response = self.get_response(request)
        late = monotonic() > deadline and not response.streaming and response.status_code < 400  # noqa: PLR2004
        return error_response(to_api_error(ApiError(REQUEST_TIMEOUT)), request) if late else response
