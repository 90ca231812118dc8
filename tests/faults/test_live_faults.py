"""The live process is killed between events: a listener that comes back hears each of them, and each once."""

import json
import os
import signal
import time
from threading import Event, Thread

import httpx
import pytest

from tests.e2e.sending import SPANS_A_TRACE, TRACES_A_REQUEST, request_of
from tests.e2e.tenants import eventually

pytestmark = pytest.mark.e2e
REQUESTS, SENDER = 12, 900
KILLED_AFTER = (4, 8)


class Listener(Thread):
    """A client of Server-Sent Events: it comes back with the id of the last event that it has heard."""

    def __init__(self, faults):
        super().__init__(daemon=True)
        self.address, self.key = f"{faults.service.up.live_url}/api/v1/events?events=trace_created", faults.service.key
        self.heard, self.last, self.opened, self.ended = [], "", 0, Event()

    def run(self):
        while not self.ended.is_set():
            try:
                self.listen()
            except httpx.TransportError:
                time.sleep(0.05)

    def listen(self):
        headers = {"X-API-Key": self.key} | ({"Last-Event-ID": self.last} if self.last else {})
        with httpx.stream("GET", self.address, headers=headers, timeout=60) as reply:
            if reply.status_code != httpx.codes.OK:
                time.sleep(0.05)
                return
            self.opened += 1
            told = {}
            for line in reply.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    told[name] = value
                    continue
                self.take(told)
                told = {}
                if self.ended.is_set():
                    return

    def take(self, told):
        if told.get("event") == "trace_created":
            data = json.loads(told["data"])
            self.heard.append((data["trace_id"], data["span_id"]))
            self.last = told["id"]


@pytest.fixture(scope="module")
def heard(faults):
    """Return what was acknowledged and what the listener has heard, in their orders, across two kills."""
    listener = Listener(faults)
    listener.start()
    sent, kills = [], 0
    assert eventually(lambda: listener.opened == 1)
    with faults.service.client as client:
        for number in range(REQUESTS):
            body, ids = request_of(SENDER, number, start_ns=time.time_ns())
            headers = {"Content-Type": "application/json"}
            assert client.post("/v1/traces", content=body, headers=headers).status_code == 200
            sent += ids
            faults.acknowledged |= ids
            if number in KILLED_AFTER:
                assert eventually(lambda: listener.opened > kills), faults.service.up.said  # noqa: B023  asked at once
                killed(faults)
                kills += 1
    assert eventually(lambda: len(listener.heard) >= len(sent)), faults.service.up.said
    listener.ended.set()
    return sent, listener


def killed(faults):
    up, victim = faults.service.up, faults.service.up.pid("live")
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: up.pid("live") not in {0, victim}), up.said


def test_a_listener_hears_each_span_once_although_the_live_process_was_killed(heard):
    sent, listener = heard

    assert (len(sent), sorted(listener.heard)) == (REQUESTS * TRACES_A_REQUEST * SPANS_A_TRACE, sorted(sent))


def test_a_listener_comes_back_after_each_kill(heard):
    assert heard[1].opened == 1 + len(KILLED_AFTER)
