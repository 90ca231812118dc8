"""Bodies of 64 MiB that decode to as much as can be made of them, and the memory that each takes; run as a program."""

import gc
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import django

SIZE = 67_108_864 - 4096
NOW_NS = time.time_ns()
_STATUS, _CLEARED = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def field(number: int, content: bytes) -> bytes:
    """Return a field of a message in protobuf."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    octets = bytearray()
    while value > 127:
        octets.append(value & 127 | 128)
        value >>= 7
    return bytes([*octets, value])


def request(*spans: bytes) -> bytes:
    return field(1, field(2, b"".join(field(2, span) for span in spans)))


def span(number: int = 1, parts: bytes = b"") -> bytes:
    """Return a span that is stored, of few bytes."""
    at = struct.pack("<Q", NOW_NS)
    ids = field(1, struct.pack(">QQ", 1, number)) + field(2, struct.pack(">Q", number))
    return ids + b"\x39" + at + b"\x41" + at + parts


def attribute(key: bytes, value: bytes) -> bytes:
    """Return an attribute of a span; `value` is an AnyValue."""
    return field(9, field(1, key) + field(2, value))


def json_request(spans: bytes) -> bytes:
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + spans + b"]}]}]}"


def json_span(number: int = 1, parts: str = "") -> str:
    times = f'"startTimeUnixNano":"{NOW_NS}","endTimeUnixNano":"{NOW_NS}"'
    return f'{{"traceId":"{number:032x}","spanId":"{number:016x}",{times}{parts}}}'


def times(unit: bytes, size: int = SIZE) -> bytes:
    return unit * (size // len(unit))


def listed(unit: str, size: int = SIZE) -> str:
    return f"{unit}," * (size // (len(unit) + 1) - 1) + unit


PROTOBUF: Mapping[str, Callable[[], bytes]] = {
    "empty spans": lambda: field(1, field(2, times(b"\x12\x00"))),
    "empty resources": lambda: times(b"\x0a\x00"),
    "unknown fields": lambda: times(b"\x78\x00"),
    "empty attributes": lambda: request(span(1, times(b"\x4a\x00"))),
    "lists in a list below the largest span": lambda: request(
        *(span(number, attribute(b"a", field(5, times(b"\x0a\x02\x2a\x00", 4_000_000)))) for number in range(4))
    ),
    "events of many spans": lambda: request(*(span(number, times(b"\x5a\x00", 60_000)) for number in range(1, 1100))),
    "attributes of a resource": lambda: field(1, field(1, times(b"\x0a\x00")) + field(2, field(2, span()))),
    "a resource of many spans": lambda: field(
        1,
        field(1, field(1, field(1, b"a") + field(2, field(1, b"x" * 200_000))))
        + field(2, b"".join(field(2, span(number)) for number in range(1, 90_000))),
    ),
    "control characters": lambda: request(
        *(span(number, attribute(b"a", field(1, b"\x01" * 200_000))) for number in range(320))
    ),
}
JSON: Mapping[str, Callable[[], bytes]] = {
    "empty spans": lambda: json_request(listed("{}").encode()),
    "numbers": lambda: b'{"x":[' + listed("1.5").encode() + b"]}",
    "brackets": lambda: json_request(b"[" * SIZE),
    "events": lambda: json_request(json_span(1, f',"events":[{listed("{}")}]').encode()),
    "events of many spans": lambda: json_request(
        ",".join(json_span(number, f',"events":[{listed("{}", 60_000)}]') for number in range(1, 1100)).encode()
    ),
    "a long text of a span": lambda: json_request(json_span(1, f',"name":"\U0001f600{"a" * (SIZE - 200)}"').encode()),
}


def kilobytes(name: str) -> int:
    return next(int(line.split()[1]) for line in _STATUS.read_text().splitlines() if line.startswith(name))


def main() -> None:
    """Tell by how many MB each body lifts the most that is held, until spans are lines that could be stored."""
    django.setup()
    from analytics.ingest import service, wire  # noqa: PLC0415  models want settings
    from analytics.pricing.book import PriceBook  # noqa: PLC0415
    from analytics.scope import Scope, ScopedProject  # noqa: PLC0415
    from analytics.storage.retention import Kept  # noqa: PLC0415
    from errors.exceptions import ApiError  # noqa: PLC0415

    scope = Scope(
        projects={1: ScopedProject(organisation_id=1, public_id=UUID(int=1))}, permissions=frozenset({"ingest:write"})
    )

    def taken(body: bytearray, *, json: bool) -> Iterator[wire.RawSpan]:
        yield from wire.decode(body, json=json).spans
        body.clear()

    def receive(body: bytearray, *, json: bool) -> None:
        with suppress(ApiError, wire.MalformedOtlpError):
            service.receive(scope=scope, spans=taken(body, json=json), received_at=datetime.now(UTC))

    with (
        patch.object(service, "_store", lambda _tenant, given, _rejected: len(given)),
        patch.object(service, "current_price_book", lambda _organisation: PriceBook([])),
        patch.object(
            service,
            "spans_kept",
            lambda _tenant: Kept(days=90, own_days=None, dropped_before=datetime(1970, 1, 1, tzinfo=UTC)),
        ),
        patch.object(service, "written", lambda: 0),
    ):
        receive(bytearray(request(span())), json=False)
        for encoding, bodies in (("protobuf", PROTOBUF), ("json", JSON)):
            for name, make in bodies.items():
                body = bytearray(make())
                size = len(body)
                gc.collect()
                before, _ = kilobytes("VmRSS"), _CLEARED.write_text("5")  # the most that was held is forgotten
                receive(body, json=encoding == "json")
                told = (kilobytes("VmHWM") - before) / 1000 + size / 1_000_000
                sys.stdout.write(f"{told:.0f} MB: {encoding}, {name}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
