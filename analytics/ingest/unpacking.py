"""Unpacking the body of an OTLP request without ever holding more than the limit."""

import zlib

from errors.catalog import OTLP_MALFORMED, PAYLOAD_TOO_LARGE
from errors.exceptions import ApiError

_GZIP = 16 + zlib.MAX_WBITS


def unpack(packed: bytes, *, limit: int) -> bytes:
    """Return what a gzip stream, of one or several members, holds.

    Raises 413/1209 as soon as it is more than `limit` bytes, 400/1215 when the stream is damaged or ends too early.
    """
    body = bytearray()
    while packed:
        member = zlib.decompressobj(_GZIP)
        try:
            body += member.decompress(packed, limit + 1 - len(body))
        except zlib.error:
            raise ApiError(OTLP_MALFORMED, details="The gzip stream is damaged.") from None
        if len(body) > limit:
            raise ApiError(PAYLOAD_TOO_LARGE, limit=limit)
        if not member.eof:
            raise ApiError(OTLP_MALFORMED, details="The gzip stream ends too early.")
        packed = member.unused_data
    return bytes(body)
