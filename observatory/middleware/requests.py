"""The outermost layer: every request has an id, and one log line when it is answered."""

import re
import secrets
from collections.abc import Callable
from time import perf_counter

import structlog
from django.http import HttpRequest, HttpResponse

from observatory.database import tenancy
from observatory.pages.paths import is_admin

log = structlog.get_logger("observatory.request")
_KEPT = re.compile(r"[A-Za-z0-9._-]{8,64}", flags=re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContextMiddleware:
    """Keeps a well-formed `X-Request-ID`, else makes one; logs route, status, duration and principal."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _KEPT.fullmatch(given) else f"req_{secrets.token_hex(16)}"
        request.request_id = request_id  # type: ignore[attr-defined]  # every layer below knows the id by this name
        trace = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
        structlog.contextvars.bind_contextvars(request_id=request_id, **({"trace_id": trace[1]} if trace else {}))
        started = perf_counter()
        in_sight = tenancy.EVERY if is_admin(request.path) else tenancy.NONE  # the admin itself keeps staff apart
        try:
            with tenancy.only(in_sight):
                response = self.get_response(request)
            response["X-Request-ID"] = request_id
            self._log(request, response, seconds=perf_counter() - started)
        finally:
            structlog.contextvars.clear_contextvars()
        return response

    @staticmethod
    def _log(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
        principal = getattr(request, "principal", None)
        log.info(
            "request",
            method=request.method,
            route=route_of(request),
            status=response.status_code,
            duration_ms=round(seconds * 1000, 1),
            organisation=str(principal.organisation) if principal else None,
            principal=f"{principal.kind}:{principal.id}" if principal else None,
        )


def route_of(request: HttpRequest) -> str:
    """Return the template of the request's route, `unmatched` for a path that is none."""
    return f"/{request.resolver_match.route}" if request.resolver_match else "unmatched"
