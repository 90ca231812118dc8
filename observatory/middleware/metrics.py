"""Counts and times requests by route template."""

from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse

from observatory import metrics
from observatory.middleware.requests import route_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """Records the http_* series."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        response = self.get_response(request)
        # A caller may send any word as the method, and every label value is kept for ever.
        method = request.method if request.method in _METHODS else "other"
        endpoint, status = route_of(request), response.status_code
        metrics.REQUESTS.labels(method, endpoint, str(status)).inc()
        metrics.DURATION.labels(method, endpoint).observe(perf_counter() - started)
        metrics.REQUEST_SIZE.labels(endpoint).observe(_length(request.META.get("CONTENT_LENGTH")))
        if not response.streaming:
            metrics.RESPONSE_SIZE.labels(endpoint).observe(len(response.content))
        if status == 304:  # noqa: PLR2004  Not Modified
            metrics.NOT_MODIFIED.labels(endpoint).inc()
        return response


def _length(header: str | None) -> int:
    return int(header) if header and header.isdigit() else 0
