"""Security headers of every reply, and `Cache-Control` and `Vary` where the view left them open."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import has_vary_header, patch_vary_headers

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": "default-src 'self'",
    "Cache-Control": "no-store",
}
_VARY = ("Authorization", "X-API-Key", "Accept", "Accept-Encoding")
_VARY_OF_ALL = ", ".join(_VARY)


class SecurityHeadersMiddleware:
    """Adds what a reply does not say itself: errors and writes are never cached, replies vary by credential."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        headers = response.headers
        for name, value in _HEADERS.items():
            if name not in headers:
                headers[name] = value
        if response.status_code >= 400:  # noqa: PLR2004  the boundary HTTP itself draws
            headers["Cache-Control"] = "no-store"
        # Only pages that are the same for everybody say themselves that their form is all that varies.
        if "Vary" not in headers:
            headers["Vary"] = _VARY_OF_ALL
        elif not has_vary_header(response, "Accept"):
            patch_vary_headers(response, _VARY)
        if request.is_secure():
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response
