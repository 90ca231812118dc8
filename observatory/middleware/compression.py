"""gzip for replies of 200 bytes and more."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressionMiddleware(GZipMiddleware):
    """Django's own; its random filename padding keeps compressed lengths from telling secrets.

    A reply with a strong row tag goes as it is: the tag is of these bytes, and a client sends it back in `If-Match`.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if getattr(response, "row_tag", False):
            return response
        return super().process_response(request, response)
