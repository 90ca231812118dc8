"""The clocks of the service's processes are stepped while spans are sent: nothing is lost, doubled or left undone."""

import sys
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from tests.faults.conftest import TRACES

pytestmark = pytest.mark.e2e
HALF_AN_HOUR = timedelta(minutes=30)


@contextmanager
def stepped(faults, ahead):
    faults.clock.step(ahead)
    try:
        yield
    finally:
        faults.clock.step(timedelta())


def bought(faults):
    with faults.service.client as client:
        key_id = client.get("/api/v1/me").raise_for_status().json()["id"]
        sign_in = {"client_id": key_id, "client_secret": faults.service.key}
        return client.post("/auth/token", json=sign_in).raise_for_status().json()["access_token"]


def used(faults, token):
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{faults.service.up.base_url}{TRACES}", headers=headers, timeout=10).status_code


STEPS = {"ahead": HALF_AN_HOUR, "behind": -HALF_AN_HOUR}


def across(faults, ahead):
    """Return what was met across two steps of the clock, and how tokens of before and of then were answered."""
    before, answers = bought(faults), {}

    @contextmanager
    def clocks_stepped(faults):
        with stepped(faults, ahead):
            answers["before, during"] = used(faults, before)
            then = bought(faults)
            answers["during, during"] = used(faults, then)
            yield
        answers["during, after"] = used(faults, then)
        answers["before, after"] = used(faults, before)

    return faults.meet(clocks_stepped, refused=False), answers


@pytest.fixture(scope="module")
def told(faults):
    if faults.clock is None:
        sys.__stderr__.write("\nNOT TESTED: clocks that are stepped, since there is no compiler of C.\n")
        pytest.skip("there is no compiler of C")
    return {name: across(faults, ahead) for name, ahead in STEPS.items()}


@pytest.mark.parametrize("step", STEPS)
def test_every_span_is_taken_once_across_steps_of_the_clock(faults, told, step):
    met, _ = told[step]

    assert (set(met.sent.statuses), faults.stored_once()) == ({200}, True)


@pytest.mark.parametrize("step", STEPS)
def test_routes_answer_as_ever_while_the_clock_is_wrong(told, step):
    met, _ = told[step]
    statuses = {name: reply.status_code for name, reply in met.during.items()}

    assert statuses == dict.fromkeys(statuses, 200) | {"write": 201, "token": 401}


@pytest.mark.parametrize(("step", "refused"), [("ahead", "during, after"), ("behind", "before, during")])
def test_only_a_token_from_a_clock_that_was_later_is_refused(told, step, refused):
    _, answers = told[step]

    assert answers == dict.fromkeys(answers, 200) | {refused: 401}


def test_the_worker_goes_on_and_rollups_equal_a_rebuild(faults, told):
    assert faults.rollups_differ() == []
