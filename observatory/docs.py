"""The OpenAPI document of the running service, and the interactive page over it. All assets are our own."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from analytics.api.schema import COMPONENTS as ANALYTICS
from errors.json import dumps
from errors.schema import COMPONENTS as ERRORS
from observatory.accounts.api.shapes import COMPONENTS as MANAGED

_CACHED = {"Cache-Control": "public, max-age=3600", "Vary": "Accept, Accept-Encoding"}
# The page's library draws its icons from data URLs and sets style attributes.
_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"


_TOO_LONG = "The request's target is longer than 64 kB; the web server answers without a body."
# Beside what every route can give: what a body, a repeated key or a version that has passed is refused with.
_REFUSED: Mapping[str, tuple[int, ...]] = {"post": (413, 415, 422), "patch": (412, 413, 415, 422), "delete": (412,)}


_ERROR: Mapping[str, Any] = {
    "description": "",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, validated."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # no stubs
    validate_schema(made)  # type: ignore[no-untyped-call]  # no stubs
    return made


def add_components(result: dict[str, Any], **_given: object) -> dict[str, Any]:
    """Add the shapes that replies refer to; called by the generator."""
    result["components"].setdefault("schemas", {}).update({**ERRORS, **ANALYTICS, **MANAGED})
    for operations in result["paths"].values():
        for method, operation in operations.items():
            operation["responses"].setdefault("414", {"description": _TOO_LONG})
            if "413" in operation["responses"]:  # OTLP: it has no versions and no keys, and its errors another shape
                continue
            operation["responses"] |= {str(status): _ERROR for status in _REFUSED.get(method, ())}
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


@require_safe
def schema(_request: HttpRequest) -> HttpResponse:
    """Answer with the document as JSON."""
    return HttpResponse(dumps(document()), content_type="application/json", headers=_CACHED)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Answer with the interactive page."""
    response = render(request, "docs.html")
    for name, value in (_CACHED | {"Content-Security-Policy": _POLICY}).items():
        response[name] = value
    return response
