"""Clients that send slowly, hang up, or send what two servers would read in two ways."""

import json
import socket
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.e2e.sending import request_of
from tests.e2e.tenants import eventually
from tests.faults.conftest import TRACES

pytestmark = pytest.mark.e2e
OTLP = "/v1/traces"
NEXT = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@contextmanager
def connection(faults, *, source="127.0.0.1"):
    where = ("127.0.0.1", faults.service.up.port)
    with socket.create_connection(where, timeout=20, source_address=(source, 0)) as opened:
        yield opened


def head(faults, *lines, path=OTLP):
    given = ("Host: x", f"Authorization: Bearer {faults.service.key}", "Content-Type: application/json", *lines)
    return "\r\n".join((f"POST {path} HTTP/1.1", *given, "", "")).encode()


def statuses(opened):
    """Return the statuses of the answers that come until the server closes."""
    said = b""
    while piece := opened.recv(65_536):
        said += piece
    return [int(part[2:5]) for part in said.split(b"HTTP/1.")[1:]]


@contextmanager
def slow_clients(faults, count):
    """Hold `count` requests that begin to send their bodies and do not end."""
    with ExitStack() as held:
        for _ in range(count):
            one = held.enter_context(connection(faults))
            one.sendall(head(faults, "Content-Length: 1000") + b"{")
        yield


def test_slow_clients_hold_up_neither_reads_nor_other_senders(faults):
    body, _ = request_of(9_999, 0, start_ns=time.time_ns() - 3 * 86_400_000_000_000)
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    headers = {"Authorization": f"Bearer {faults.service.key}", "Content-Type": "application/json"}
    with slow_clients(faults, 30), faults.service.client as client:
        read = client.get(TRACES, timeout=30).status_code
        alive = client.get("/health/live", timeout=30).status_code
        with httpx.Client(base_url=faults.service.up.base_url, transport=elsewhere, headers=headers) as other:
            taken = eventually(lambda: other.post(OTLP, content=body, timeout=30).status_code == 200)
    faults.acknowledged |= request_of(9_999, 0, start_ns=0)[1]

    assert (read, alive, taken) == (200, 200, True)


def test_the_slow_clients_own_address_is_told_to_come_again(faults):
    replies = []

    def refused():
        replies.append(client.post(OTLP, json={}, timeout=30))
        return (
            replies[-1].status_code == 503 and "[1605]" not in replies[-1].text
        )  # while those before it are waited for

    with slow_clients(faults, 30), faults.service.client as client:
        assert eventually(refused)
    told = replies[-1].json()

    assert (told["code"], told["message"][:6], replies[-1].headers["Retry-After"]) == (14, "[1902]", "5")


def test_threads_are_free_again_once_slow_clients_hang_up(faults):
    with slow_clients(faults, 30):
        pass
    with faults.service.client as client:
        assert eventually(lambda: client.post(OTLP, json={}, timeout=30).status_code == 200)


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_body_that_breaks_off_is_refused_and_nothing_of_it_is_stored(faults, cut):
    body, _ = request_of(10_000, 0, start_ns=time.time_ns())
    with connection(faults) as opened:
        opened.sendall(head(faults, f"Content-Length: {len(body)}") + body[:cut])
        opened.shutdown(socket.SHUT_WR)
        answered = statuses(opened)

    assert (answered, faults.stored_once()) == ([400], True)


def test_an_empty_protobuf_message_is_not_what_is_left_of_one_that_broke_off(faults):
    lines = ("Content-Type: application/x-protobuf", "Content-Length: 1000")
    with connection(faults) as opened:
        opened.sendall(head(faults, *lines).replace(b"Content-Type: application/json\r\n", b""))
        opened.shutdown(socket.SHUT_WR)
        answered = statuses(opened)

    assert answered == [400]


def test_a_client_that_resets_harms_nobody(faults):
    for _ in range(20):
        with connection(faults) as opened:
            opened.sendall(head(faults, "Content-Length: 1000") + b"{")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with faults.service.client as client:
        assert eventually(lambda: client.get("/health", timeout=30).status_code == 200)


AMBIGUOUS = {
    "two lengths": (("Content-Length: 2", f"Content-Length: {2 + len(NEXT)}"), b"{}"),
    "a list of lengths": (("Content-Length: 2, 40",), b"{}"),
    "a signed length": (("Content-Length: +2",), b"{}"),
    "a negative length": (("Content-Length: -2",), b"{}"),
    "a huge length": (("Content-Length: 99999999999999999999999",), b"{}"),
    "an unknown coding": (("Content-Length: 2", "Transfer-Encoding: xchunked"), b"{}"),
    "two codings": (("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), b"2\r\n{}\r\n0\r\n\r\n"),
    "a space before the colon": (("Transfer-Encoding : chunked",), b"2\r\n{}\r\n0\r\n\r\n"),
    "a folded line": (("X-A: b", " c", "Content-Length: 2"), b"{}"),
    "NUL": (("X-A: b\0c", "Content-Length: 2"), b"{}"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_two_servers_would_read_in_two_ways_is_refused(faults, name):
    lines, body = AMBIGUOUS[name]
    with connection(faults) as opened:
        opened.sendall(head(faults, *lines) + body + NEXT)
        answered = statuses(opened)

    assert answered == [400]


@pytest.mark.parametrize(
    "body", [b"2\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"fffffffffffffffff2\r\n{}\r\n0\r\n\r\n"]
)
def test_after_chunks_beside_a_length_or_broken_ones_no_second_request_is_read(faults, body):
    lines = ("Content-Length: 4", "Transfer-Encoding: chunked") if body[:1] == b"2" else ("Transfer-Encoding: chunked",)
    with connection(faults) as opened:
        opened.sendall(head(faults, *lines) + body + NEXT)
        answered = statuses(opened)

    assert len(answered) == 1


def test_a_second_authorization_does_not_replace_the_first(faults):
    lines = ("Host: x", "Connection: close", "Authorization: Bearer no", f"Authorization: Bearer {faults.service.key}")
    with connection(faults) as opened:
        opened.sendall("\r\n".join((f"GET {TRACES} HTTP/1.1", *lines, "", "")).encode())
        answered = statuses(opened)

    assert answered == [401]


def test_pipelined_requests_are_answered_each_by_its_own(faults):
    body = json.dumps({}).encode()
    with connection(faults) as opened:
        opened.sendall(head(faults, f"Content-Length: {len(body)}") + body + NEXT)
        answered = statuses(opened)

    assert answered == [200, 200]
