"""Counts and times requests by route template."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

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
        record(
            request,
            endpoint=route_of(request),
            status=response.status_code,
            length=None if response.streaming else len(response.content),
            started=started,
        )
        return response


def record(request: HttpRequest, *, endpoint: str, status: int, length: int | None, started: float) -> None:
    """Record one answered request; `length` is of the reply's body, where it is known."""
    # A caller may send any word as the method, and every label value is kept for ever.
    method = request.method if request.method in _METHODS else "other"
    series = _series(method or "other", endpoint, status)
    series.requests.inc()
    series.duration.observe(perf_counter() - started)
    series.request_size.observe(_length(request.META.get("CONTENT_LENGTH")))
    if length is not None:
        series.response_size.observe(length)
    if status == 304:  # noqa: PLR2004  Not Modified
        series.not_modified.inc()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is recorded of one kind of request."""

    requests: Counter
    duration: Histogram
    request_size: Histogram
    response_size: Histogram
    not_modified: Counter


@lru_cache(maxsize=4096)
def _series(method: str, endpoint: str, status: int) -> Series:
    """Return the series of a kind; looking them up by label costs more than recording."""
    return Series(
        requests=metrics.REQUESTS.labels(method, endpoint, str(status)),
        duration=metrics.DURATION.labels(method, endpoint),
        request_size=metrics.REQUEST_SIZE.labels(endpoint),
        response_size=metrics.RESPONSE_SIZE.labels(endpoint),
        not_modified=metrics.NOT_MODIFIED.labels(endpoint),
    )


def _length(header: str | None) -> int:
    return int(header) if header and header.isdigit() else 0
