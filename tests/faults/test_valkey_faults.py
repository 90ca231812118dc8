"""Valkey hangs, is slow, forgets everything, has no memory left: requests go on, and nobody gets in or through by it.

Killed is in `tests/e2e/test_durability.py`.
"""

import os
import signal
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.e2e.tenants import eventually
from tests.faults.conftest import KEYS, NEW_KEY, TRACES

pytestmark = pytest.mark.e2e
DEGRADED = "X-RateLimit-Degraded"


@contextmanager
def paused(faults):
    server = faults.stores.valkey.child.process.pid
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


@contextmanager
def out_of_memory(faults):
    with faults.redis() as client:
        before = {name: client.config_get(name)[name] for name in ("maxmemory-policy", "maxmemory")}
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        yield
        for name, value in before.items():
            client.config_set(name, value)


@pytest.fixture(scope="module", params=[paused, out_of_memory], ids=lambda one: one.__name__)
def away(faults, request):
    return request.param, faults.meet(request.param, refused=False)


def test_every_span_is_taken_while_valkey_takes_nothing(faults, away):
    _, met = away

    assert (set(met.sent.statuses), faults.stored_once()) == ({200}, True)


def test_answers_say_that_limits_are_degraded(away):
    _, met = away
    asked = {name: (met.during[name].status_code, met.during[name].headers.get(DEGRADED)) for name in (TRACES, "write")}

    assert asked == {TRACES: (200, "true"), "write": (201, "true")}


def test_signing_in_is_possible_and_limited_without_valkey(away):
    _, met = away

    assert (met.during["token"].status_code, met.during["token"].headers.get(DEGRADED)) == (401, "true")


def test_the_service_stays_ready(away):
    _, met = away

    assert met.during["/health/ready"].status_code == 200


def test_a_valkey_that_hangs_is_unhealthy(away):
    fault, met = away
    expected = "unhealthy" if fault is paused else "healthy"

    assert met.during["/health"].json()["redis"] == expected


def test_limits_are_shared_again_afterwards(faults, away):
    with faults.service.client as client:
        assert eventually(lambda: DEGRADED not in client.get(TRACES).headers)


@contextmanager
def slow(faults):
    """Let Valkey run a fifth of the time, in pieces that are shorter than the limiter waits."""
    server, enough = faults.stores.valkey.child.process.pid, threading.Event()

    def stutter():
        while not enough.is_set():
            os.kill(server, signal.SIGSTOP)
            time.sleep(0.08)
            os.kill(server, signal.SIGCONT)
            time.sleep(0.02)

    thread = threading.Thread(target=stutter)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


@pytest.fixture(scope="module")
def slowed(faults):
    return faults.meet(slow, refused=False)


def test_every_span_is_taken_once_beside_a_slow_valkey(faults, slowed):
    assert (set(slowed.sent.statuses), faults.stored_once()) == ({200}, True)


def test_routes_answer_as_ever_beside_a_slow_valkey(slowed):
    statuses = {name: reply.status_code for name, reply in slowed.during.items()}

    assert statuses == dict.fromkeys(statuses, 200) | {"write": 201, "token": 401}


@contextmanager
def forgetting(faults):
    with faults.redis() as client:
        client.flushall()
        client.script_flush()
        yield
        client.flushall()


@pytest.fixture(scope="module")
def forgotten(faults):
    """A key that was revoked before everything was forgotten, and the answers then."""
    with faults.service.client as client:
        made = client.post(KEYS, json=NEW_KEY).raise_for_status().json()
        opened = as_key(faults, made["key"])
        client.delete(f"{KEYS}/{made['id']}").raise_for_status()
    return made, opened, faults.meet(forgetting, refused=False)


def as_key(faults, secret):
    return httpx.get(f"{faults.service.up.base_url}{TRACES}", headers={"X-API-Key": secret}, timeout=10).status_code


def test_every_span_is_taken_once_by_a_valkey_that_forgets(faults, forgotten):
    *_, met = forgotten

    assert (set(met.sent.statuses), faults.stored_once()) == ({200}, True)


def test_limits_begin_anew_and_are_not_degraded(forgotten):
    *_, met = forgotten

    assert {reply.headers.get(DEGRADED) for reply in met.during.values()} == {None}


def test_a_revoked_key_stays_revoked_when_valkey_forgets(faults, forgotten):
    made, opened, _ = forgotten

    assert (opened, as_key(faults, made["key"])) == (200, 401)
