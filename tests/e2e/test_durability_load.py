"""A load of known spans while web processes and PostgreSQL are killed at random: nothing is lost, nothing doubled.

`OBSERVATORY_DURABILITY_SPANS=200000` makes it a long one.
"""

import os
import random
import signal
import time

import pytest

from tests.e2e.sending import NO_ANSWER, SPANS_A_TRACE, sending_all
from tests.e2e.stores import kill_store, own_stores
from tests.e2e.tenants import eventually, healthy
from tests.e2e.test_durability import children_of

pytestmark = pytest.mark.e2e

SEED = 20261125
SPANS = int(os.environ.get("OBSERVATORY_DURABILITY_SPANS", "8000"))
SENDERS, TRACES_A_REQUEST = 4, 40
REQUESTS = max(1, SPANS // (SENDERS * TRACES_A_REQUEST * SPANS_A_TRACE))
SENT = SENDERS * REQUESTS * TRACES_A_REQUEST * SPANS_A_TRACE
VICTIMS = ("web process", "PostgreSQL", "web process", "parent of the web processes")
# Between two kills lie spans, not seconds, so that a slow machine gets as far as a fast one.
ROUNDS = 3


@pytest.fixture(scope="module")
def survived(start_up, tmp_path_factory):
    """The service after the load, what its senders know, and how often each victim was killed."""
    with own_stores(start_up, tmp_path_factory.mktemp("load") / "home") as stores:
        postgres, service, up = stores.postgres, stores.service, stores.service.up
        chance, kills = random.Random(SEED), dict.fromkeys(VICTIMS, 0)
        with sending_all(up.base_url, service.key, senders=SENDERS, requests=REQUESTS, traces=TRACES_A_REQUEST) as (
            sent,
            finished,
        ):
            for victim in VICTIMS * ROUNDS:
                begun_at = len(sent.acknowledged)
                further = chance.randint(1, 2 * SENT // (len(VICTIMS) * ROUNDS + 1))
                while not finished() and len(sent.acknowledged) < begun_at + further:
                    time.sleep(0.01)
                time.sleep(chance.uniform(0.0, 0.3))
                if finished():
                    break
                kill(victim, up, postgres, chance)
                kills[victim] += 1
                assert eventually(lambda: healthy(up)), up.said
        yield service, sent, kills


def kill(victim, up, postgres, chance):
    if victim == "PostgreSQL":
        kill_store(postgres)
        time.sleep(2.0)
        postgres.start()
        return
    parent = up.pid("web")
    workers = children_of(parent)
    os.kill(chance.choice(workers) if victim == "web process" and workers else parent, signal.SIGKILL)


def test_processes_were_killed_during_the_load(survived):
    _, sent, kills = survived

    assert (kills["web process"] > 0, sent.statuses[NO_ANSWER] > 0) == (True, True)


def test_senders_met_success_and_what_tells_them_to_come_again(survived):
    _, sent, _ = survived

    assert set(sent.statuses) <= {NO_ANSWER, 200, 503}


def test_every_span_was_acknowledged_in_the_end(survived):
    _, sent, _ = survived

    assert len(sent.acknowledged) == SENT


@pytest.mark.parametrize("table", ["llm_traces", "llm_contents"])
def test_every_span_is_stored_once(survived, table):
    service, sent, _ = survived

    assert service.stored(table) == sorted(sent.acknowledged)


def test_figures_count_every_call_once(survived):
    service, _, _ = survived
    with service.client as client:
        figures = client.get("/api/v1/metrics/performance", timeout=60).raise_for_status().json()

    assert figures["request_count"] == SENT // SPANS_A_TRACE * (SPANS_A_TRACE - 1)  # a root's usage is its calls'
