"""ExportTraceServiceRequest in OTLP's JSON: ids are hex, enums numbers, names lowerCamelCase, unknown ones ignored.

Protobuf's own JSON reader cannot be used: it takes ids for base64 and is thirty times slower.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from analytics.ingest.text import MAX_DEPTH
from analytics.ingest.wire.json_outline import Body, Names, Outline, TooDeepError, is_flood, outline, without_parts
from analytics.ingest.wire.limits import COUNTED_BYTES, MOST_ITEMS, MOST_SHARED_BYTES, UNBOUNDED, Allowance
from analytics.ingest.wire.spans import MalformedOtlpError, RawScope, RawSpan
from errors.catalog import PART_TOO_LARGE, TOO_MANY_ITEMS
from errors.exceptions import ApiError

SPANS = "resourceSpans"
TRACES = Names(resources=SPANS, scopes="scopeSpans", items="spans")
_MOST_DIGITS, _SHORT_DIGITS = 20, 9
_INTEGER = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_OBJECT = frozenset({dict})
_UINT32, _UINT64, _INT64 = (0, 2**32 - 1), (0, 2**64 - 1), (-(2**63), 2**63 - 1)


def decode(body: Body, *, span_bytes: int) -> tuple[int, Iterator[RawSpan], bool]:
    """Return how many spans `body` holds, the spans, and whether it is an export request at all.

    Raises MalformedOtlpError otherwise. Each span is decoded when it is asked for; asking may raise it too.
    """
    found = outline(body, TRACES)
    if SPANS not in found.document:
        return 0, iter(()), not found.document
    scopes = [
        (of_resource, objects(of_resource, TRACES.scopes)) for of_resource in objects(found.document, TRACES.resources)
    ]
    count = sum(len(items_of(found, of_scope, TRACES)) for _, of_scopes in scopes for of_scope in of_scopes)
    return count, _spans(found, scopes, span_bytes), True


def items_of(found: Outline, of_scope: dict[str, Any], names: Names) -> list[Any]:
    """Return the items of a scope, or their numbers."""
    if found.places is None:
        return objects(of_scope, names.items)
    items = of_scope.get(names.items)
    if items is None:
        return []
    if type(items) is not list:
        raise MalformedOtlpError(f"`{names.items}` must be a list of objects.")
    return items


def _spans(
    found: Outline, scopes: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]], span_bytes: int
) -> Iterator[RawSpan]:
    left = Allowance()
    for of_resource, of_scopes in scopes:
        told, resource_size = _shared(found, of_resource, "resource")
        resource = _attributes(told)
        for of_scope in of_scopes:
            given, scope_size = _shared(found, of_scope, "scope")
            scope = RawScope(
                name=_text(given, "name"),
                version=_text(given, "version"),
                attributes=_attributes(given),
                schema_url=_text(of_scope, "schemaUrl") or _text(of_resource, "schemaUrl"),
            )
            shared_size = resource_size + scope_size
            spans = items_of(found, of_scope, TRACES)
            spans.reverse()
            while spans:  # each is let go of once it is decoded
                span, size = _decoded(found, spans.pop(), span_bytes)
                yield _span(span, size, resource, scope, shared_size, left=left)


def _shared(found: Outline, holder: dict[str, Any], key: str) -> tuple[dict[str, Any], int]:
    """Return what is said of a resource or a scope, and its bytes."""
    if found.places is None:
        whole = one_object(holder, key)
        return whole, found.size(whole)
    number = holder.get(key)
    if number is None:
        return {}, 0
    if type(number) is not int:
        raise MalformedOtlpError(f"`{key}` must be an object.")
    size = found.size(number)
    if size > MOST_SHARED_BYTES:
        raise ApiError(PART_TOO_LARGE, limit=MOST_SHARED_BYTES, part=key)
    encoded = found.encoded(number)
    if size > COUNTED_BYTES and is_flood(encoded):
        raise ApiError(TOO_MANY_ITEMS, limit=MOST_ITEMS)
    try:
        return found.decoded(encoded), size
    except TooDeepError:
        return found.decoded(without_parts(encoded)), size


def _decoded(found: Outline, one: Any, span_bytes: int) -> tuple[dict[str, Any], int]:
    """Return a span and its bytes: without its attributes when it is too large or nests too deep."""
    size = found.size(one)
    if found.places is None:
        return one, size
    encoded = found.encoded(one)
    if size > span_bytes:
        return found.decoded(without_parts(encoded)), size
    if size > COUNTED_BYTES and is_flood(encoded):
        return found.decoded(without_parts(encoded)), UNBOUNDED
    try:
        return found.decoded(encoded), size
    except TooDeepError:
        span = found.decoded(without_parts(encoded))
    return span | {"droppedAttributesCount": span.get("droppedAttributesCount") or 1}, size


def _span(
    span: dict[str, Any], size: int, resource: dict[str, Any], scope: RawScope, shared_size: int, *, left: Allowance
) -> RawSpan:
    status = one_object(span, "status")
    events, links = objects(span, "events"), objects(span, "links")
    if events or links:
        left.take_events(len(events) + len(links))
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
        size,
        shared_size,
        resource,
        scope,
    )


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
