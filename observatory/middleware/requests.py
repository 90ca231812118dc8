"""The outermost layer: every request has an id, and one log line when it is answered."""

import re
import secrets
from collections.abc import Callable, Mapping
from time import perf_counter
from types import MappingProxyType

import structlog
from django.http import HttpRequest, HttpResponse

from observatory.accounts.principals import Principal
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
        request_id = identified(request)
        structlog.contextvars.bind_contextvars(**context_of(request))
        started = perf_counter()
        in_sight = tenancy.EVERY if is_admin(request.path) else tenancy.NONE  # the admin itself keeps staff apart
        try:
            with tenancy.only(in_sight):
                response = self.get_response(request)
            response["X-Request-ID"] = request_id
            log_answer(
                request,
                status=response.status_code,
                route=route_of(request),
                principal=getattr(request, "principal", None),
                seconds=perf_counter() - started,
            )
        finally:
            structlog.contextvars.clear_contextvars()
        return response


def identified(request: HttpRequest) -> str:
    """Return the id of the request: the one it has, one that the client sent, or a new one."""
    known: str | None = getattr(request, "request_id", None)
    if known is None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        known = given if _KEPT.fullmatch(given) else f"req_{secrets.token_hex(16)}"
        request.request_id = known  # type: ignore[attr-defined]  # every layer below knows the id by this name
    return known


def context_of(request: HttpRequest) -> dict[str, str]:
    """Return what every log line of the request bears: its id, and that of the caller's trace if it named one."""
    trace = _TRACEPARENT.fullmatch(request.META.get("HTTP_TRACEPARENT", ""))
    return {"request_id": identified(request), **({"trace_id": trace[1]} if trace else {})}


def log_answer(
    request: HttpRequest,
    *,
    status: int,
    route: str,
    principal: Principal | None,
    seconds: float,
    context: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write the line that tells of the request once it is answered; `context` is what no line bears by itself yet."""
    log.info(
        "request",
        method=request.method,
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 1),
        organisation=str(principal.organisation) if principal else None,
        principal=f"{principal.kind}:{principal.id}" if principal else None,
        **context,
    )


def route_of(request: HttpRequest) -> str:
    """Return the template of the request's route, `unmatched` for a path that is none."""
    return f"/{request.resolver_match.route}" if request.resolver_match else "unmatched"
