"""The body of an OTLP request, unpacked as it arrives, so that nothing above the limit is ever held."""

import zlib
from collections.abc import Iterable

from analytics.ingest.wire.spans import MalformedOtlpError
from errors.catalog import PAYLOAD_TOO_LARGE
from errors.exceptions import ApiError

_GZIP = 16 + zlib.MAX_WBITS
_STEP_BYTES = 1_048_576
# A member costs some 40 KB of memory to set up however little it holds; packers make one for 64 KB or more.
_MOST_MEMBERS = 4096


def gather(pieces: Iterable[bytes]) -> bytearray:
    """Return a body that was not packed; its reader has seen to the limit."""
    body = bytearray()
    for piece in pieces:
        body += piece
    return body


def unpack(pieces: Iterable[bytes], *, limit: int) -> bytearray:
    """Return what a gzip stream, of one or several members, holds.

    Raises 413/1209 as soon as it is more than `limit` bytes, MalformedOtlpError when the stream is damaged or ends
    too early.
    """
    body = bytearray()
    member: zlib._Decompress | None = None
    members = 0
    for piece in pieces:
        packed = piece
        while packed:
            if member is None or member.eof:
                member, members = zlib.decompressobj(_GZIP), members + 1
            if members > _MOST_MEMBERS:
                raise MalformedOtlpError(f"The gzip stream has more than {_MOST_MEMBERS} members.")
            try:
                body += member.decompress(packed, min(_STEP_BYTES, limit + 1 - len(body)))
            except zlib.error:
                raise MalformedOtlpError("The gzip stream is damaged.") from None
            if len(body) > limit:
                raise ApiError(PAYLOAD_TOO_LARGE, limit=limit)
            packed = member.unused_data if member.eof else member.unconsumed_tail
    if member is not None and not member.eof:
        raise MalformedOtlpError("The gzip stream ends too early.")
    return body
