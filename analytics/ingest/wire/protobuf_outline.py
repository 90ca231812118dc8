"""Where the items of a request in protobuf are, found without decoding them: their fields are skipped by their lengths.

Traces, metrics and logs have the same outline: resources (1) of scopes (2) of items (2).
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.ingest.wire.limits import MOST_ITEMS, MOST_PARTS, MOST_SHARED_BYTES
from analytics.ingest.wire.spans import MalformedOtlpError
from errors.catalog import PART_TOO_LARGE, TOO_MANY_ITEMS
from errors.exceptions import ApiError

Body = bytes | bytearray
_FIRST, _SECOND, _THIRD = 0x0A, 0x12, 0x1A  # fields 1, 2 and 3 of some length
_VARINT, _FIXED64, _BYTES, _GROUP, _END, _FIXED32 = range(6)
_MORE, _LONGEST_VARINT, _MOST_DEPTH = 0x80, 10, 100
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_GROUPING = frozenset({_GROUP, _END})


@dataclass(slots=True)
class OfScope:
    """The items of a scope: where each begins and ends, one after the other, and what they share, undecoded."""

    resource: bytes
    resource_schema_url: bytes
    scope: bytes
    schema_url: bytes
    items: "array[int]"

    def places(self) -> Iterator[tuple[int, int]]:
        """Return begin and end of each item."""
        return zip(self.items[::2], self.items[1::2], strict=True)


def outline(body: Body) -> list[OfScope]:
    """Return the scopes of a request with their items.

    Raises MalformedOtlpError when the body is no message, 413/1209 when it has too many parts.
    """
    scan = Scan(body, most=MOST_ITEMS)
    found: list[OfScope] = []
    for tag, start, end in scan.fields(0, len(body)):
        if tag == _FIRST:
            found += _of_resource(scan, start, end)
    return found


def _of_resource(scan: "Scan", start: int, end: int) -> list[OfScope]:
    resource, schema_url, scopes = bytearray(), b"", []
    for tag, at, until in scan.fields(start, end):
        if tag == _FIRST:
            _take(resource, scan.body, at, until)
        elif tag == _SECOND:
            scopes.append(_of_scope(scan, at, until))
        elif tag == _THIRD:
            schema_url = _taken(scan.body, at, until)
    shared = bytes(resource)
    for one in scopes:
        one.resource, one.resource_schema_url = shared, schema_url
    return scopes


def _of_scope(scan: "Scan", start: int, end: int) -> OfScope:
    scope, schema_url, items = bytearray(), b"", array("Q")
    for tag, at, until in scan.fields(start, end):
        if tag == _SECOND:
            items.append(at)
            items.append(until)
        elif tag == _FIRST:
            _take(scope, scan.body, at, until)
        elif tag == _THIRD:
            schema_url = _taken(scan.body, at, until)
    return OfScope(b"", b"", bytes(scope), schema_url, items)


def _take(shared: bytearray, body: Body, start: int, end: int) -> None:
    """Add a part to a message: parts of one that is sent in several are joined by joining their bytes."""
    if len(shared) + end - start > MOST_SHARED_BYTES:
        raise ApiError(PART_TOO_LARGE, limit=MOST_SHARED_BYTES, part="resource or scope")
    shared += memoryview(body)[start:end]


def _taken(body: Body, start: int, end: int) -> bytes:
    if end - start > MOST_SHARED_BYTES:
        raise ApiError(PART_TOO_LARGE, limit=MOST_SHARED_BYTES, part="resource or scope")
    return bytes(body[start:end])


class FloodError(Exception):
    """There are more fields than are gone through."""


@dataclass(slots=True)
class Scan:
    """Goes through fields, `most` of them in all."""

    body: Body
    most: int
    flood: Exception = field(default_factory=lambda: ApiError(TOO_MANY_ITEMS, limit=MOST_ITEMS))

    def fields(self, at: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the tag (number and wire type) of each field of a message, and where its content begins and ends.

        What is inside of a group, which no message of OTLP has, is told with tag 0.
        """
        body = self.body
        groups: list[int] = []
        try:
            while at < end:
                self.most -= 1
                if self.most < 0:
                    raise self.flood
                tag = body[at]
                at += 1
                if tag >= _MORE:
                    tag, at = _varint(body, at - 1)
                start = at
                if tag & 7 == _BYTES:
                    size, start = body[at], at + 1
                    if size >= _MORE:
                        size, start = _varint(body, at)
                    at = start + size
                else:
                    at = _after(body, at, tag, groups)
                if at > end or tag < 1 << 3:
                    raise _malformed()
                yield (0 if groups or tag & 7 in _GROUPING else tag), start, at
        except IndexError:
            raise _malformed() from None
        if groups:
            raise _malformed()


def _after(body: Body, at: int, tag: int, groups: list[int]) -> int:
    """Return where the content of a field that tells no length ends."""
    kind, number = tag & 7, tag >> 3
    if kind == _VARINT:
        return _varint(body, at)[1]
    if kind in _FIXED:
        return at + _FIXED[kind]
    if kind == _GROUP and len(groups) < _MOST_DEPTH:
        groups.append(number)
    elif kind != _END or not groups or groups.pop() != number:
        raise _malformed()
    return at


def _varint(body: Body, at: int) -> tuple[int, int]:
    value = shift = 0
    for octet in body[at : at + _LONGEST_VARINT]:
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < _MORE:
            return value, at
        shift += 7
    raise _malformed()


def _malformed() -> MalformedOtlpError:
    return MalformedOtlpError("The body is not an export request in protobuf.")


# Which fields of a message are messages, by their tags.
Shape = Mapping[int, Any]
_VALUE: dict[int, Shape] = {}
_PAIR = {0x12: _VALUE}
_VALUE.update({0x2A: {0x0A: _VALUE}, 0x32: {0x0A: _PAIR}})
SPAN: Shape = {0x4A: _PAIR, 0x5A: {0x1A: _PAIR}, 0x6A: {0x22: _PAIR}, 0x7A: {}}
RESOURCE: Shape = {0x0A: _PAIR, 0x1A: {}}
SCOPE: Shape = {0x1A: _PAIR}


def is_flood(body: Body, shape: Shape) -> bool:
    """Whether a message holds more parts than one may: fields of its own, and of the messages in it."""
    scan = Scan(body, MOST_PARTS, FloodError())
    try:
        _go_through(scan, 0, len(body), shape, _MOST_DEPTH)
    except FloodError:
        return True
    return False


def _go_through(scan: Scan, at: int, end: int, shape: Shape, depth: int) -> None:
    for tag, start, until in scan.fields(at, end):
        inner = shape.get(tag)
        if inner and depth:  # what nests deeper is not decoded
            _go_through(scan, start, until, inner, depth - 1)


def without_parts(body: Body, shape: Shape) -> bytes:
    """Return a message without the messages in it: of a very long one only as much as stands at its beginning."""
    kept = bytearray()
    try:
        begin = 0
        for tag, _, end in Scan(body, MOST_PARTS, FloodError()).fields(0, len(body)):
            if tag not in shape and end - begin < MOST_SHARED_BYTES:
                kept += memoryview(body)[begin:end]
            begin = end
    except FloodError:
        pass
    return bytes(kept)
