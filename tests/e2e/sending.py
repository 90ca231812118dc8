"""Clients that send spans of known ids and resend what was not answered, as exporters do."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

TRACES_A_REQUEST, SPANS_A_TRACE = 4, 5
TIMEOUT_SECONDS = 15.0
PATIENCE_SECONDS = 120.0
NO_ANSWER = 0
Finished = Callable[[], bool]


@dataclass(slots=True, kw_only=True)
class Sent:
    """What senders met: spans acknowledged (trace id, span id), answers by status, refusals (status, body, Retry-After).

    `acknowledged` holds the spans of requests that were answered 200, at the first try or a later one.
    """

    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: set[tuple[int, str, str | None]] = field(default_factory=set)
    slowest_seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


def request_of(
    sender: int, number: int, *, start_ns: int, traces: int = TRACES_A_REQUEST
) -> tuple[bytes, set[tuple[str, str]]]:
    """Return an OTLP/JSON request of traces with a root and its 4 calls each, and the ids in it."""
    spans = []
    for trace in range(traces):
        trace_id = f"{sender + 1:08x}{number:016x}{trace:08x}"
        spans += [_span(trace_id, place, start_ns) for place in range(SPANS_A_TRACE)]
    ids = {(span["traceId"], span["spanId"]) for span in spans}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode(), ids


def _span(trace_id: str, place: int, start_ns: int) -> dict[str, Any]:
    told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in told.items()]
    attributes.append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": str(100 + place)}})
    return {
        "traceId": trace_id,
        "spanId": f"{place + 1:016x}",
        # The root is the last of the list, so that it meets its children in the storage as often as not.
        "parentSpanId": "" if place == SPANS_A_TRACE - 1 else f"{SPANS_A_TRACE:016x}",
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + 1_000_000),
        "attributes": attributes,
    }


@contextmanager
def sending(
    base_url: str, key: str, *, senders: int, first: int = 0, age_seconds: int = 0, pause_seconds: float = 0.0
) -> Iterator[Sent]:
    """Send from `senders` threads until the block ends; then every begun request is resent until it is answered.

    The senders are numbered from `first`: each number sends traces of its own, which began `age_seconds` ago, and
    pauses after each request.
    """
    sent, enough = Sent(), threading.Event()
    pace = {"age_seconds": age_seconds, "pause_seconds": pause_seconds}
    threads = [
        threading.Thread(target=_send_until, args=(enough, sent, base_url, key, number), kwargs=pace)
        for number in range(first, first + senders)
    ]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def _send_until(
    enough: threading.Event, sent: Sent, base_url: str, key: str, sender: int, *, age_seconds: int, pause_seconds: float
) -> None:
    with _client(base_url, key) as client:
        for number in itertools.count():
            if enough.wait(pause_seconds):
                return
            begun_at = time.time_ns() - age_seconds * 1_000_000_000
            _send(client, sent, request_of(sender, number, start_ns=begun_at))


@contextmanager
def sending_all(
    base_url: str, key: str, *, senders: int, requests: int, traces: int
) -> Iterator[tuple[Sent, Finished]]:
    """Send `requests` requests of `traces` traces from each sender, each until it is answered.

    The block is told whether all of them are done; it does not end before.
    """
    sent = Sent()

    def send(sender: int) -> None:
        with _client(base_url, key) as client:
            for number in range(requests):
                _send(client, sent, request_of(sender, number, start_ns=time.time_ns(), traces=traces))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield sent, lambda: not any(thread.is_alive() for thread in threads)
    finally:
        for thread in threads:
            thread.join()


def _client(base_url: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT_SECONDS)


def _send(client: httpx.Client, sent: Sent, request: tuple[bytes, set[tuple[str, str]]]) -> None:
    body, ids = request
    if _deliver(client, body, sent):
        with sent.lock:
            sent.acknowledged |= ids


def _deliver(client: httpx.Client, body: bytes, sent: Sent) -> bool:
    """Send until the answer is 200; return whether it ever was."""
    given_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < given_up_at:
        begun = time.monotonic()
        try:
            reply = client.post("/v1/traces", content=body)
        except httpx.TransportError:
            reply = None
        with sent.lock:
            sent.statuses[reply.status_code if reply else NO_ANSWER] += 1
            sent.slowest_seconds = max(sent.slowest_seconds, time.monotonic() - begun)
            if reply is not None and reply.status_code != httpx.codes.OK:
                sent.refusals.add((reply.status_code, reply.text, reply.headers.get("Retry-After")))
        if reply is not None and reply.status_code == httpx.codes.OK:
            return True
        time.sleep(0.05)
    return False
