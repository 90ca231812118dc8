"""Bodies of error replies: the envelope, and RFC 9457 for clients that prefer it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from errors.accept import Accept
from errors.exceptions import ApiError
from errors.json import JSON, dumps
from errors.specs import ErrorSpec

if TYPE_CHECKING:
    from collections.abc import Callable

PROBLEM_JSON = "application/problem+json"
ERROR_HEADERS = {"Cache-Control": "no-store", "Vary": "Authorization, X-API-Key, Accept, Accept-Encoding"}


def documentation_url(spec: ErrorSpec) -> str:
    return f"{settings.DOCS_BASE_URL}/errors/{spec.code}"


def request_id(request: HttpRequest | Request) -> str:
    """Return the id that the outermost middleware gave the request, or a new one when it came by another way."""
    known: str | None = getattr(request, "request_id", None)
    return known or f"req_{uuid4().hex}"


def envelope(error: ApiError, *, request_id: str, now: datetime) -> dict[str, Any]:
    """Return the body of an error reply; `details` and `field` are left out when empty."""
    spec = error.spec
    facts = {
        "code": spec.code,
        "error_code": spec.error_code,
        "category": spec.category,
        "message": error.message,
        "details": error.details,
        "field": error.field,
    }
    return {
        "error": {name: value for name, value in facts.items() if value != ""},
        "meta": {
            "timestamp": now.replace(microsecond=0),
            "request_id": request_id,
            "documentation_url": documentation_url(spec),
        },
    }


def problem(error: ApiError, *, request_id: str) -> dict[str, Any]:
    """Return the same facts as an RFC 9457 problem."""
    spec = error.spec
    facts = {
        "type": spec.problem_type or documentation_url(spec),
        "title": spec.title,
        "status": spec.status,
        "detail": error.message,
        "instance": f"urn:request:{request_id}",
        "code": spec.code,
        "error_code": spec.error_code,
        "category": spec.category,
        "field": error.field,
        "violated-policies": list(error.violated_policies),
        "request_id": request_id,
    }
    return {name: value for name, value in facts.items() if value not in ("", [])}


def prefers_problem(accept: Accept) -> bool:
    return accept.names(PROBLEM_JSON) and accept.weight(PROBLEM_JSON) >= accept.weight(JSON)


def error_response(error: ApiError, request: HttpRequest | Request) -> HttpResponse:
    """Return the reply for `error` in the form that the request's Accept header prefers; none has a body on HEAD."""
    page: Callable[[ApiError], HttpResponse] | None = getattr(request, "error_page", None)
    if page is not None:  # the request is of a person's browser: it says itself how it shows what went wrong
        return _final(page(error))
    identifier = request_id(request)
    if prefers_problem(Accept(request.headers.get("Accept"))):
        content_type, body = PROBLEM_JSON, dumps(problem(error, request_id=identifier))
    else:
        content_type, body = JSON, dumps(envelope(error, request_id=identifier, now=datetime.now(UTC)))
    headers = {**ERROR_HEADERS, **error.headers}
    response = HttpResponse(
        b"" if request.method == "HEAD" else body, status=error.spec.status, content_type=content_type, headers=headers
    )
    return _final(response)


def _final(response: HttpResponse) -> HttpResponse:
    response.own_error_body = True  # type: ignore[attr-defined]  # the middleware's sign that the body is final
    return response
