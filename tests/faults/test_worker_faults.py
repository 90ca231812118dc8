"""The worker is killed in the middle of its work: rollups come to what a rebuild makes."""

import os
import random
import signal
import time
from contextlib import contextmanager

import pytest

from tests.e2e.tenants import eventually

pytestmark = pytest.mark.e2e
SEED, KILLS = 20261130, 2


@contextmanager
def killed(faults):
    """Kill the worker at random moments of its work."""
    up, chance = faults.service.up, random.Random(SEED)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.0, 0.5))
        victim = up.pid("worker")
        os.kill(victim, signal.SIGKILL)
        assert eventually(lambda victim=victim: up.pid("worker") not in {0, victim}), up.said
    yield


@pytest.fixture(scope="module")
def survived(faults):
    return faults.meet(killed, refused=False)


def test_senders_notice_nothing_of_a_worker_that_is_killed(faults, survived):
    assert (set(survived.sent.statuses), faults.stored_once()) == ({200}, True)


def test_rollups_equal_a_rebuild_whoever_was_killed(faults, survived):
    assert faults.rollups_differ() == []
