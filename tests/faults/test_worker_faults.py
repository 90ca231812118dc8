"""The worker and the live process are killed in the middle of their work: rollups come to what a rebuild makes."""

import os
import random
import signal
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.e2e.tenants import eventually

pytestmark = pytest.mark.e2e
SEED, KILLS = 20261130, 2


@contextmanager
def killed(faults):
    """Kill the worker at random moments of its work, and the live process once."""
    up, chance = faults.service.up, random.Random(SEED)
    for program in ("worker",) * KILLS + ("live",):
        time.sleep(chance.uniform(0.0, 0.5))
        victim = up.pid(program)
        os.kill(victim, signal.SIGKILL)
        assert eventually(lambda victim=victim, program=program: up.pid(program) not in {0, victim}), up.said
    yield


@pytest.fixture(scope="module")
def survived(faults):
    return faults.meet(killed(faults), refused=False)


def test_senders_notice_nothing_of_a_worker_that_is_killed(faults, survived):
    assert (set(survived.sent.statuses), faults.stored_once()) == ({200}, True)


def test_the_live_process_is_back(faults, survived):
    def streams():
        headers = {"Authorization": f"Bearer {faults.service.key}"}
        try:
            with httpx.stream(
                "GET", f"{faults.service.up.live_url}/api/v1/events", headers=headers, timeout=10
            ) as reply:
                return reply.status_code == 200
        except httpx.TransportError:
            return False

    assert eventually(streams)


def test_rollups_equal_a_rebuild_whoever_was_killed(faults, survived):
    assert faults.rollups_differ() == []
