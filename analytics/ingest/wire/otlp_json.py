"""ExportTraceServiceRequest in OTLP's JSON: ids are hex, enums numbers, names lowerCamelCase, unknown ones ignored.

Protobuf's own JSON reader cannot be used: it takes ids for base64 and is thirty times slower.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
import re2

from analytics.ingest.text import MAX_DEPTH, decode_json, scrub
from analytics.ingest.wire.spans import MalformedOtlpError, RawScope, RawSpan

SPANS = "resourceSpans"
_MOST_DIGITS, _SHORT_DIGITS = 20, 9
_INTEGER = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_ESCAPED_NUL = re2.compile(rb"\\u0000")  # found five times as fast as by `in`: such bodies are full of backslashes
_OBJECT = frozenset({dict})
_UINT32, _UINT64, _INT64 = (0, 2**32 - 1), (0, 2**64 - 1), (-(2**63), 2**63 - 1)


def document_of(body: bytes | bytearray, *, expected: str) -> dict[str, Any]:
    """Return the object that `body` holds; raise MalformedOtlpError, which names the member `expected`, otherwise."""
    try:
        document = decode_json(body)
        if _ESCAPED_NUL.search(body):
            document = scrub(document)
    except ValueError as problem:
        raise MalformedOtlpError(f"The body is not JSON: {problem}.") from None
    except RecursionError:
        raise MalformedOtlpError("The body nests too deep.") from None
    if not isinstance(document, dict):
        raise MalformedOtlpError(f"The body must be a JSON object with `{expected}`.")
    return document


def decode(body: bytes | bytearray) -> tuple[int, Iterator[RawSpan], bool]:
    """Return how many spans `body` holds, the spans, and whether it is an export request at all.

    Raises MalformedOtlpError otherwise. Each span is made when it is asked for, and what it was made of is let go;
    asking may raise MalformedOtlpError too.
    """
    document = document_of(body, expected=SPANS)
    if SPANS not in document:
        return 0, iter(()), not document
    scopes = [
        (of_resource, of_scope)
        for of_resource in objects(document, SPANS)
        for of_scope in objects(of_resource, "scopeSpans")
    ]
    return sum(len(objects(of_scope, "spans")) for _, of_scope in scopes), _spans(scopes), True


def _spans(scopes: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[RawSpan]:
    for of_resource, of_scope in scopes:
        resource = _attributes(one_object(of_resource, "resource"))
        given = one_object(of_scope, "scope")
        scope = RawScope(
            name=_text(given, "name"),
            version=_text(given, "version"),
            attributes=_attributes(given),
            schema_url=_text(of_scope, "schemaUrl") or _text(of_resource, "schemaUrl"),
        )
        size = _size(one_object(of_resource, "resource")) + _size(given)
        spans = objects(of_scope, "spans")
        spans.reverse()
        while spans:
            yield _span(spans.pop(), resource, scope, size)


def _span(span: dict[str, Any], resource: dict[str, Any], scope: RawScope, shared_size: int) -> RawSpan:
    status = one_object(span, "status")
    events, links = objects(span, "events"), objects(span, "links")
    return RawSpan(
        _id(span, "traceId"),
        _id(span, "spanId"),
        _id(span, "parentSpanId"),
        _text(span, "name"),
        _enum(span, "kind"),
        _whole(span, "startTimeUnixNano", _UINT64),
        _whole(span, "endTimeUnixNano", _UINT64),
        _attributes(span),
        [
            {
                "name": _text(event, "name"),
                "time_ns": _whole(event, "timeUnixNano", _UINT64),
                "attributes": _attributes(event),
            }
            for event in events
        ]
        if events
        else [],
        [
            {
                "trace_id": _id(link, "traceId").hex(),
                "span_id": _id(link, "spanId").hex(),
                "attributes": _attributes(link),
            }
            for link in links
        ]
        if links
        else [],
        _enum(status, "code"),
        _text(status, "message"),
        _whole(span, "droppedAttributesCount", _UINT32),
        _size(span),
        shared_size,
        resource,
        scope,
    )


def _size(holder: dict[str, Any]) -> int:
    try:
        return len(orjson.dumps(holder))
    except orjson.JSONEncodeError:
        raise MalformedOtlpError("An object nests too deep.") from None


def one_object(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedOtlpError(f"`{key}` must be an object.")
    return value


def objects(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = holder.get(key)
    if value is None:
        return []
    if type(value) is not list or not _OBJECT.issuperset(map(type, value)):
        raise MalformedOtlpError(f"`{key}` must be a list of objects.")
    return value


def _text(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedOtlpError(f"`{key}` must be a string.")
    return value


def _id(holder: dict[str, Any], key: str) -> bytes:
    """Return the bytes of a hex id; one that is not hex is empty, so that its span alone is rejected."""
    digits = _text(holder, key)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return b""


def _enum(holder: dict[str, Any], key: str) -> int:
    value = holder.get(key, 0)
    if value is None:
        return 0
    if type(value) is not int:
        raise MalformedOtlpError(f"`{key}` must be the number of an enum value, not its name.")
    return value


def _whole(holder: dict[str, Any], key: str, span: tuple[int, int]) -> int:
    value = holder.get(key)
    if value is None:
        return 0
    return _integer(key, value, span)


def _integer(key: str, value: Any, span: tuple[int, int]) -> int:
    if type(value) is str:
        if (value.isdigit() and value.isascii() and len(value) <= _MOST_DIGITS) or _INTEGER.fullmatch(value):
            value = int(value)
    elif type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not span[0] <= value <= span[1]:
        raise MalformedOtlpError(f"`{key}` must be an integer between {span[0]} and {span[1]}, as number or string.")
    return value


def _attributes(holder: dict[str, Any], key: str = "attributes", depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in objects(holder, key):
        name, value = pair.get("key"), pair.get("value")
        if type(name) is not str or type(value) is not dict:
            name, value = _text(pair, "key"), one_object(pair, "value")
        # Most values are texts or counts, and no reader has to be looked for.
        content = value.get("stringValue") or value.get("intValue")
        if content.__class__ is not str or len(value) != 1:
            content = _value(value, depth)
        elif "intValue" in value:
            content = int(content) if _is_short_whole(content) else _value(value, depth)
        found[name] = content
    return found


def _is_short_whole(text: str) -> bool:
    """Whether `text` is the digits of a number that every integer of protobuf can hold."""
    return len(text) <= _SHORT_DIGITS and text.isascii() and text.isdigit()


def _value(value: dict[str, Any], depth: int) -> Any:
    for key, given in value.items():
        read = _READERS.get(key)
        if read is not None and given is not None:
            return read(given, depth)
    return None


def _string(given: Any, _: int) -> str:
    if not isinstance(given, str):
        raise MalformedOtlpError("`stringValue` must be a string.")
    return given


def _bool(given: Any, _: int) -> bool:
    if not isinstance(given, bool):
        raise MalformedOtlpError("`boolValue` must be true or false.")
    return given


def _double(given: Any, _: int) -> float | str:
    if isinstance(given, str) and given in _NOT_FINITE:
        return given
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        number = float(given)
        return number if abs(number) != float("inf") else ("Infinity" if number > 0 else "-Infinity")
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return float(given)
    raise MalformedOtlpError("`doubleValue` must be a number.")


def _bytes(given: Any, _: int) -> str:
    # Both alphabets and missing padding are valid in protobuf's JSON; what is kept has one form.
    text = _string(given, 0).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64encode(b64decode(text + "=" * (-len(text) % 4), validate=True)).decode()
    except (Base64Error, ValueError):
        raise MalformedOtlpError("`bytesValue` must be base64.") from None


def _nested(given: Any, depth: int) -> dict[str, Any]:
    if depth >= MAX_DEPTH:
        return {}  # what nests deeper is left out: the other spans of the request did nothing wrong
    if not isinstance(given, dict):
        raise MalformedOtlpError("`arrayValue` and `kvlistValue` must be objects.")
    return given


def _array(given: Any, depth: int) -> list[Any]:
    return [_value(item, depth + 1) for item in objects(_nested(given, depth), "values")]


def _key_values(given: Any, depth: int) -> dict[str, Any]:
    return _attributes(_nested(given, depth), "values", depth + 1)


_READERS: dict[str, Callable[[Any, int], Any]] = {
    "stringValue": _string,
    "intValue": lambda given, _: _integer("intValue", given, _INT64),
    "boolValue": _bool,
    "doubleValue": _double,
    "bytesValue": _bytes,
    "arrayValue": _array,
    "kvlistValue": _key_values,
}
