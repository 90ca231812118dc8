"""ETag and 304 for GET and HEAD."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware


class ConditionalMiddleware(ConditionalGetMiddleware):
    """Django's own, kept away from replies that must never be stored."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != 200 or "no-store" in response.headers.get("Cache-Control", ""):  # noqa: PLR2004  OK
            return response
        return super().process_response(request, response)
