"""Where the items of a request in JSON are, found without decoding them.

Traces, metrics and logs have the same outline: a list of resources, each with a list of scopes, each with a list of
items. What is left of a body when items, resources and scopes are numbers is small, and is decoded as it is.
"""

from array import array
from dataclasses import dataclass, field
from typing import Any

import orjson
import re2

from analytics.ingest.text import decode_json, scrub
from analytics.ingest.wire.limits import MOST_ITEMS, MOST_PARTS, MOST_VALUES, SPAN_BYTES
from analytics.ingest.wire.spans import MalformedOtlpError
from errors.catalog import TOO_MANY_ITEMS
from errors.exceptions import ApiError

Body = bytes | bytearray
# In a smaller body even what costs most memory is no burden: it is decoded at once, which is faster.
_WHOLE_BYTES = 1_048_576
_TEXT = rb'"(?:[^"\\]|\\.)*"'
_FLAT = rb'[^"{}\[\]]|' + _TEXT
_USUAL_DEPTH = 32


def _nested(depth: int) -> bytes:
    return rb"[{\[](?:" + _FLAT + (b"|" + _nested(depth - 1) if depth > 1 else b"") + rb")*[}\]]"


def _compiled(pattern: bytes) -> Any:
    """Return a pattern of bytes, which takes the same time whatever it is asked to match."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    return re2.compile(pattern, options)


_CONTAINER = _compiled(_nested(_USUAL_DEPTH))
_TO_BRACKET = _compiled(rb"(?:" + _FLAT + rb")*[{}\[\]]")
_TOKEN = _compiled(rb"[\s:,]*(?:(" + _TEXT + rb')|([{\[])|([}\]])|([^\s:,"{}\[\]]+))')
_ANY_TEXT = _compiled(_TEXT)
_ESCAPED_NUL = re2.compile(rb"\\u0000")  # found five times as fast as by `in`: such bodies are full of backslashes
_OPEN = b"{["
_IS_TEXT, _OPENS, _CLOSES, _IS_SCALAR = range(1, 5)  # groups of a token
_MOST_STEPS = 10 * MOST_PARTS
# The containers on the way to an item, from the body itself, by how many of them are open.
_BODY, _RESOURCES, _RESOURCE, _SCOPES, _SCOPE, _ITEMS = range(1, 7)
_HOLDERS = frozenset({0, _RESOURCES, _SCOPES})  # of objects on the way
_SHARED = {_RESOURCE: b"resource", _SCOPE: b"scope"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the three lists on the way to an item are called."""

    resources: str
    scopes: str
    items: str


@dataclass(slots=True, kw_only=True)
class Outline:
    """A body, in whose `document` items, resources and scopes are objects, or the numbers of their `places`."""

    body: Body
    document: dict[str, Any]
    has_nul: bool
    places: "array[int] | None" = None

    def size(self, one: Any) -> int:
        """Return the bytes of an object, or more."""
        if self.places is not None:
            number: int = one
            return self.places[2 * number + 1] - self.places[2 * number]
        try:
            written: bytes = orjson.dumps(one)
            return len(written)
        except orjson.JSONEncodeError:  # deeper than is written, though not than is read
            return len(self.body)

    def encoded(self, number: int) -> bytes:
        """Return an object, which is a number, as it was sent."""
        assert self.places is not None
        return bytes(self.body[self.places[2 * number] : self.places[2 * number + 1]])

    def decoded(self, encoded: bytes) -> Any:
        """Return what an object holds; raise MalformedOtlpError when it is not JSON, TooDeepError when it nests so."""
        return _decoded(encoded, has_nul=self.has_nul)


class TooDeepError(Exception):
    """Objects nest deeper than they are decoded."""


def outline(body: Body, names: Names) -> Outline:
    """Return the outline of a body.

    Raises MalformedOtlpError when it is not JSON or no object, 413/1209 when it has too many parts.
    """
    has_nul = bool(_ESCAPED_NUL.search(body))
    document, places = _at_once(body, has_nul=has_nul) or _in_parts(body, names, has_nul=has_nul)
    if not isinstance(document, dict):
        raise MalformedOtlpError(f"The body must be a JSON object with `{names.resources}`.")
    return Outline(body=body, document=document, has_nul=has_nul, places=places)


def _at_once(body: Body, *, has_nul: bool) -> tuple[Any, None] | None:
    if len(body) > _WHOLE_BYTES:
        return None
    try:
        return _decoded(body, has_nul=has_nul), None
    except TooDeepError:
        return None


def _in_parts(body: Body, names: Names, *, has_nul: bool) -> tuple[Any, "array[int]"]:
    # Every value is an object. Many brackets stand in texts, so these are left out where there are too many.
    if body.count(b"{") > MOST_VALUES and _ANY_TEXT.sub(b"", body).count(b"{") > MOST_VALUES:
        raise ApiError(TOO_MANY_ITEMS, limit=MOST_VALUES)
    walk = _Walk(body, names)
    try:
        return _decoded(walk.skeleton(), has_nul=has_nul), walk.places
    except TooDeepError:
        raise MalformedOtlpError("The body nests too deep.") from None


def _decoded(encoded: Body, *, has_nul: bool) -> Any:
    try:
        value = decode_json(encoded)
        return scrub(value) if has_nul else value
    except orjson.JSONDecodeError as problem:
        if "depth" in problem.msg:
            raise TooDeepError from None
        raise MalformedOtlpError(f"The body is not JSON: {problem}.") from None
    except RecursionError:
        raise TooDeepError from None


@dataclass(slots=True)
class Steps:
    """How many brackets may be looked at one by one, in objects that nest deeper than any usual one."""

    left: int


@dataclass(slots=True)
class _Walk:
    body: Body
    names: Names
    places: "array[int]" = field(default_factory=lambda: array("Q"))
    pieces: list[bytes] = field(default_factory=list)
    copied: int = 0
    skipped: int = 0
    steps: Steps = field(default_factory=lambda: Steps(_MOST_STEPS))
    lists: dict[int, bytes] = field(init=False)

    def __post_init__(self) -> None:
        names = self.names.resources, self.names.scopes, self.names.items
        self.lists = {level: name.encode() for level, name in zip((_BODY, _RESOURCE, _SCOPE), names, strict=True)}

    def skeleton(self) -> bytes:
        """Return the body with numbers in the place of what is decoded later."""
        level, at, key = 0, 0, b""
        while (token := _TOKEN.match(self.body, at)) is not None:
            at, kind = token.end(), token.lastindex
            if at - self.skipped > SPAN_BYTES:
                raise ApiError(TOO_MANY_ITEMS, limit=MOST_ITEMS)
            if kind == _OPENS:
                level, at = self._open(level, key, token.start(_OPENS))
                key = b""
            elif kind == _CLOSES:
                level, key = level - 1, b""
                if level <= 0:
                    break
            elif level == _ITEMS:
                raise self._no_objects()
            elif kind == _IS_TEXT:
                key = _name(token[_IS_TEXT])
            elif _SHARED.get(level) == key and token[_IS_SCALAR] != b"null":
                raise MalformedOtlpError(f"`{key.decode()}` must be an object.")
        if len(self.body) - self.skipped > SPAN_BYTES:
            raise ApiError(TOO_MANY_ITEMS, limit=MOST_ITEMS)
        return b"".join([*self.pieces, memoryview(self.body)[self.copied :]])

    def _open(self, level: int, key: bytes, start: int) -> tuple[int, int]:
        """Go into an object or list on the way to items, or past any other; return the level and where it goes on."""
        is_object = self.body[start] == _OPEN[0]
        if level == _ITEMS and not is_object:
            raise self._no_objects()
        if level == _ITEMS or (is_object and _SHARED.get(level) == key):
            return level, self._cut(start)
        if level in _HOLDERS if is_object else self.lists.get(level) == key:
            return level + 1, start + 1
        return level, end_of(self.body, start, self.steps)

    def _cut(self, start: int) -> int:
        if len(self.places) >= 2 * MOST_ITEMS:
            raise ApiError(TOO_MANY_ITEMS, limit=MOST_ITEMS)
        end = end_of(self.body, start, self.steps)
        self.pieces.append(bytes(self.body[self.copied : start]) + b"%d" % (len(self.places) // 2))
        self.places.append(start)
        self.places.append(end)
        self.copied = end
        self.skipped += end - start
        return end

    def _no_objects(self) -> MalformedOtlpError:
        return MalformedOtlpError(f"`{self.names.items}` must be a list of objects.")


def _name(text: bytes) -> bytes:
    name = text[1:-1]
    if b"\\" in name:
        try:
            name = orjson.loads(text).encode()
        except ValueError:
            raise MalformedOtlpError("The body is not JSON.") from None
    return name


def end_of(body: Body, at: int, steps: Steps) -> int:
    """Return where the object or list that begins at `at` ends; its brackets need not fit, which decoding tells."""
    if (whole := _CONTAINER.match(body, at)) is not None:
        end: int = whole.end()
        return end
    depth = 0
    while (step := _TO_BRACKET.match(body, at)) is not None:
        at = step.end()
        depth += 1 if body[at - 1] in _OPEN else -1
        if not depth:
            return at
        steps.left -= 1
        if steps.left < 0:
            raise ApiError(TOO_MANY_ITEMS, limit=MOST_ITEMS)
    raise MalformedOtlpError("The body is not JSON: it ends too early.")


def is_flood(encoded: bytes) -> bool:
    """Whether an object holds more parts than one may: members and items, of those in it too."""
    told: bytes = _ANY_TEXT.sub(b"", encoded)
    return told.count(b",") + told.count(b"{") + told.count(b"[") > MOST_PARTS


def without_parts(encoded: bytes) -> bytes:
    """Return an object without the objects and lists in it: nothing of one whose other members are very long."""
    kept: list[bytes] = []
    copied, at, steps = 0, 1, Steps(_MOST_STEPS)
    for _ in range(MOST_PARTS):
        token = _TOKEN.match(encoded, at)
        if token is None or token.lastindex == _CLOSES:
            break
        at = token.end()
        if token.lastindex == _OPENS:
            kept.append(encoded[copied : token.start(2)] + b"null")
            at = copied = end_of(encoded, token.start(2), steps)
    rest = b"".join([*kept, encoded[copied:]])
    return rest if len(rest) <= SPAN_BYTES // 64 else b"{}"
