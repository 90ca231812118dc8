"""The form in which a position of the store travels: opaque, signed, 22 characters."""

import hashlib
import hmac
from base64 import b64decode, urlsafe_b64encode

from errors.catalog import INVALID_READ_POSITION
from errors.exceptions import ApiError

_POSITION_BYTES = _SIGNATURE_BYTES = 8
_CHARS = 22


def encode(position: int, *, key: str) -> str:
    """Return `position` as opaque text."""
    octets = position.to_bytes(_POSITION_BYTES, "big")
    return urlsafe_b64encode(octets + _signature(octets, key)).rstrip(b"=").decode()


def decode(text: str, *, key: str, field: str) -> int:
    """Return the position behind `text`; raise 400/1214 naming `field` for what this service did not give out."""
    try:
        octets = b64decode(text.encode("ascii") + b"==", altchars=b"-_", validate=True)
    except ValueError:
        octets = b""
    body, signature = octets[:_POSITION_BYTES], octets[_POSITION_BYTES:]
    if len(text) != _CHARS or not hmac.compare_digest(signature, _signature(body, key)):
        raise ApiError(INVALID_READ_POSITION, field=field)
    return int.from_bytes(body, "big")


def _signature(octets: bytes, key: str) -> bytes:
    secret = hashlib.sha256(b"llm-observatory position\0" + key.encode()).digest()
    return hmac.digest(secret, octets, "sha256")[:_SIGNATURE_BYTES]
