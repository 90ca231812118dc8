"""A span as it was sent, in one form for both encodings of OTLP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


class MalformedOtlpError(ValueError):
    """The body cannot be decoded; the text says where and why, for the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawScope:
    """The instrumentation scope that made a span."""

    name: str = ""
    version: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    schema_url: str = ""


@dataclass(slots=True)  # not by name only, which costs half as much again to make: one is made for every span
class RawSpan:
    """One span undecided: ids of any length, times in ns since 1970 (0 = missing), attributes as JSON values.

    Bytes are base64 text, non-finite numbers are "NaN", "Infinity" and "-Infinity", of equal keys the last one wins.
    `resource` and `scope` are shared between the spans of a request: nobody changes them. `encoded_size` is that of
    the span in bytes, `shared_size` that of resource and scope.
    """

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes = b""
    name: str = ""
    kind: int = 0
    start_ns: int = 0
    end_ns: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    status_code: int = 0
    status_message: str = ""
    dropped_attributes: int = 0
    encoded_size: int = 0
    shared_size: int = 0
    resource: dict[str, Any] = field(default_factory=dict)
    scope: RawScope = field(default_factory=RawScope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The spans of one export request, to be taken once, and a warning when it was understood but held nothing known.

    Taking them may raise MalformedOtlpError; then nothing of the request may be stored.
    """

    count: int
    spans: Iterator[RawSpan]
    warning: str = ""


def unknown_body(name: str) -> str:
    """Return the warning for a JSON object with members but without `name`."""
    return f"The body has no `{name}`: nothing was stored. Names in OTLP/JSON are lowerCamelCase."
