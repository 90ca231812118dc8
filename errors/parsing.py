"""Bodies in: read to their limit, then parsed."""

import io
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, QueryDict
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from errors import catalog
from errors.exceptions import ApiError
from errors.json import JSON

CHUNK_BYTES = 65_536


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class NoPlaceError(OSError):
    """A body that is not read, since too many others that come slowly are waited for."""


def read_body(request: HttpRequest, *, limit: int) -> bytes:
    """Return the whole body as it came over the wire; raise 413/1209 beyond `limit` bytes, 400/1200 if it breaks off.

    503/1902 while most threads wait for bodies that come slowly.
    A body sent in chunks has no announced length, and Django would take it for an empty one.
    """
    return b"".join(body_pieces(request, limit=limit))


def body_pieces(request: HttpRequest, *, limit: int) -> Iterator[bytes]:
    """Yield the body piece by piece as it comes over the wire, raising as `read_body` does."""
    if _announced_length(request) > limit:
        raise ApiError(catalog.PAYLOAD_TOO_LARGE, limit=limit)
    try:
        yield from _pieces(_chunked_input(request) or request, limit)
    except OSError as broken:
        # Django wraps what the stream raises.
        no_place = isinstance(broken, NoPlaceError) or isinstance(broken.__cause__, NoPlaceError)
        raise ApiError(catalog.SERVICE_UNAVAILABLE if no_place else catalog.BODY_UNREADABLE) from broken


def _pieces(source: Readable, limit: int) -> Iterator[bytes]:
    room = limit + 1
    while room > 0 and (piece := source.read(min(room, CHUNK_BYTES))):
        room -= len(piece)
        if room <= 0:
            raise ApiError(catalog.PAYLOAD_TOO_LARGE, limit=limit)
        yield piece


def _announced_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def _chunked_input(request: HttpRequest) -> Readable | None:
    """Return the server's own stream when it marks the end of a body that has no announced length."""
    chunked = (
        not request.META.get("CONTENT_LENGTH") and "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    )
    if not (chunked and isinstance(request, WSGIRequest) and request.environ.get("wsgi.input_terminated")):
        return None
    stream: Readable = request.environ["wsgi.input"]
    return stream


class BodyRequest(Request):
    """REST framework's request whose `data` also holds bodies that were sent in chunks."""

    @property
    def stream(self) -> Any:
        if _chunked_input(self._request) is None:
            return super().stream
        return io.BytesIO(read_body(self._request, limit=settings.MAX_BODY_BYTES))


class JSONParser(BaseParser):
    """One JSON object in UTF-8; anything else is 400/1200, more than `MAX_BODY_BYTES` is 413/1209."""

    media_type = JSON

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002  # REST framework's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  # REST framework's signature
    ) -> dict[str, Any]:
        try:
            value = orjson.loads(_body(stream))
        except orjson.JSONDecodeError as malformed:
            raise ApiError(catalog.MALFORMED_JSON, details=_position(malformed)) from None
        if not isinstance(value, dict):
            raise ApiError(catalog.JSON_NOT_AN_OBJECT)
        return value


class FormParser(BaseParser):
    """A form in UTF-8; more than `MAX_BODY_BYTES` is 413/1209."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002  # REST framework's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  # REST framework's signature
    ) -> QueryDict:
        return QueryDict(_body(stream))


def _body(stream: Any) -> bytes:
    limit = settings.MAX_BODY_BYTES
    return read_body(stream, limit=limit) if isinstance(stream, HttpRequest) else b"".join(_pieces(stream, limit))


def _position(malformed: orjson.JSONDecodeError) -> str:
    return f"At line {malformed.lineno}, column {malformed.colno}"
