"""REST framework's renderer and negotiation."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches

from errors import catalog
from errors.accept import Accept
from errors.exceptions import ApiError
from errors.json import JSON, dumps

__all__ = ["JSONNegotiation", "JSONRenderer", "dumps"]


class JSONRenderer(BaseRenderer):
    """JSON by `dumps`; bytes are JSON already and pass through; None is no body."""

    media_type = JSON
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  # REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002  # REST framework's signature
    ) -> bytes:
        if data is None:
            return b""
        return data if isinstance(data, bytes) else dumps(data)


class JSONNegotiation(BaseContentNegotiation):
    """The Accept header alone decides, no parameter and no suffix; bodies come uncompressed."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """Return the parser of the request's content type; raise 415/1208 without one or for any content coding."""
        if request.headers.get("Content-Encoding"):
            raise ApiError(catalog.UNSUPPORTED_CONTENT_ENCODING, expected="uncompressed")
        parsers = list(parsers)
        for parser in parsers:
            if media_type_matches(str(parser.media_type), request.content_type):
                return parser
        raise ApiError(
            catalog.UNSUPPORTED_MEDIA_TYPE, expected=" or ".join(str(parser.media_type) for parser in parsers)
        )

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer that the client gives the greatest weight, the first of equals; raise 406/1210."""
        renderers = list(renderers)
        accept = Accept(request.headers.get("Accept"))
        best = max(renderers, key=lambda renderer: accept.weight(str(renderer.media_type)))
        media_type = str(best.media_type)
        if not accept.weight(media_type):
            offered = " or ".join(dict.fromkeys(str(renderer.media_type) for renderer in renderers))
            raise ApiError(catalog.NOT_ACCEPTABLE, offered=offered)
        return best, media_type
