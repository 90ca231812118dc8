"""Text and JSON as the storage can keep them: no NUL characters, no lone surrogates, no bottomless nesting."""

import re
from typing import Any

import orjson

_OPENINGS = ("[", "{")
REPLACEMENT = "\ufffd"
# Far above any real payload and below what the JSON writer and Python's own stack can take.
MAX_DEPTH = 64
_SURROGATES = re.compile("[\ud800-\udfff]")
# A pair is consumed whole, any other escape too, so that only the lone half of a pair is left for the named group.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def clean(value: str) -> str:
    """Return `value` with every NUL replaced by U+FFFD: PostgreSQL stores none."""
    return value.replace("\x00", REPLACEMENT) if "\x00" in value else value


def scrub(value: Any) -> Any:
    """Return a JSON value with NUL and lone surrogates replaced in every key and text."""
    if isinstance(value, str):
        return _SURROGATES.sub(REPLACEMENT, clean(value))
    if isinstance(value, dict):
        return {scrub(key): scrub(item) for key, item in value.items()}
    if isinstance(value, list):
        return [scrub(item) for item in value]
    return value


def within_depth(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether lists and objects nest at most `depth` deep."""
    layer = [value]
    for _ in range(depth + 1):
        layer = [
            item
            for holder in layer
            if isinstance(holder, (dict, list))
            for item in (holder.values() if isinstance(holder, dict) else holder)
        ]
        if not layer:
            return True
    return False


def decode_json(body: bytes | bytearray | str) -> Any:
    """Return the JSON value of `body`, lone surrogate escapes read as U+FFFD; raise ValueError for anything else.

    Emitters that cut text at a fixed length leave half of a pair behind; their spans are kept.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        octets = body.encode("utf-8", "replace") if isinstance(body, str) else body
        if b"\\ud" not in octets.lower():
            raise
        return orjson.loads(_ESCAPES.sub(_repaired, octets))


def _repaired(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["lone"] else escape[0]


def embedded_json(text: str) -> Any:
    """Return the JSON list or object that `text` holds, fit to be stored, or `None` when it holds none."""
    if not text.startswith(_OPENINGS) and not text.lstrip().startswith(_OPENINGS):
        return None
    try:
        value = decode_json(text)
    except ValueError:
        return None
    if text.count("[") + text.count("{") > MAX_DEPTH and not within_depth(value):
        return None
    return scrub(value) if "\\u0000" in text else value


def encode_json(value: Any) -> str:
    """Return `value` as compact JSON text."""
    return orjson.dumps(value).decode()
