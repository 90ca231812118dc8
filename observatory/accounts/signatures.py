"""Signed requests: HMAC-SHA256 over method, path, query and body, with a nonce that counts once."""

import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from django.conf import settings
from django.http import HttpRequest

from errors.catalog import REDIS_ERROR, SIGNATURE_EXPIRED, SIGNATURE_INVALID, SIGNATURE_REPLAYED, SIGNATURE_REQUIRED
from errors.exceptions import ApiError
from errors.parsing import read_body
from ratelimit.backend import AwayError, backend

VERSION = "v1"
_TIMESTAMP = re.compile(r"[0-9]{1,12}", flags=re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", flags=re.ASCII)
_SIGNATURE = re.compile(rf"{VERSION}=([0-9a-f]{{64}})", flags=re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The three headers of a signed request, well formed."""

    timestamp: str
    nonce: str
    digest: str


def text_to_sign(*, timestamp: str, nonce: str, method: str, target: str, body: bytes) -> bytes:
    """Return what is signed; `target` is path and query as sent."""
    lines = (VERSION, timestamp, nonce, method.upper(), target, hashlib.sha256(body).hexdigest())
    return "\n".join(lines).encode()


def sign(secret: str, text: bytes) -> str:
    """Return the hex digits of `X-Signature`."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def check(request: HttpRequest, *, key: str, secrets: Sequence[str], largest_body: int) -> None:
    """Raise 401/1005-1008 unless the request is signed with one of `secrets`; 503/1701 without a store of nonces.

    The body is read for it, and is there to be read again.
    """
    signature = _signature_of(request)
    if abs(time.time() - int(signature.timestamp)) > settings.SIGNATURE_WINDOW_SECONDS:
        raise ApiError(SIGNATURE_EXPIRED, seconds=settings.SIGNATURE_WINDOW_SECONDS)
    text = text_to_sign(
        timestamp=signature.timestamp,
        nonce=signature.nonce,
        method=request.method or "",
        target=_target(request),
        body=keep_body(request, limit=largest_body),
    )
    if not any(hmac.compare_digest(sign(secret, text), signature.digest) for secret in secrets):
        raise ApiError(SIGNATURE_INVALID)
    _use(key, signature.nonce)


def _signature_of(request: HttpRequest) -> Signature:
    headers = [request.headers.get(name) for name in ("X-Signature", "X-Signature-Timestamp", "X-Signature-Nonce")]
    if None in headers:
        raise ApiError(SIGNATURE_REQUIRED)
    signature, timestamp, nonce = (header or "" for header in headers)
    digest = _SIGNATURE.fullmatch(signature)
    if digest is None or not _TIMESTAMP.fullmatch(timestamp) or not _NONCE.fullmatch(nonce):
        raise ApiError(SIGNATURE_INVALID)
    return Signature(timestamp=timestamp, nonce=nonce, digest=digest[1])


def _target(request: HttpRequest) -> str:
    as_sent: str | None = request.META.get("REQUEST_URI") or request.META.get("RAW_URI")
    return as_sent or request.get_full_path()


def keep_body(request: HttpRequest, *, limit: int) -> bytes:
    """Return the body as it was sent, and keep it to be read again, by a parser before or after."""
    kept: bytes | None = getattr(request, "body_as_sent", None)
    if kept is not None:
        return kept
    body = read_body(request, limit=limit)
    # For Django, for REST framework, and for bodies that came in chunks.
    request._body, request._stream = body, BytesIO(body)  # noqa: SLF001
    request.META["wsgi.input"] = BytesIO(body)
    request.body_as_sent = body  # type: ignore[attr-defined]  # found by the next call
    return body


def _use(key: str, nonce: str) -> None:
    try:
        first = backend.ask(
            lambda client: client.set(f"llmo:nonce:{key}:{nonce}", 1, nx=True, ex=settings.SIGNATURE_NONCE_SECONDS)
        )
    except AwayError:
        raise ApiError(REDIS_ERROR) from None
    if not first:
        raise ApiError(SIGNATURE_REPLAYED)
