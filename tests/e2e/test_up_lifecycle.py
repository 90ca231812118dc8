"""One data folder through starts, deaths and stops, in the order of the tests: each start costs seconds."""

import os
import signal
import subprocess
import time

import httpx
import pytest

from observatory.supervisor.processes import is_alive

pytestmark = pytest.mark.e2e
PROGRAMS = ("web", "worker", "valkey", "postgres")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("lifecycle") / "home"


@pytest.fixture(scope="module")
def running(start_up, home):
    return start_up(home=home, measured=True).wait_until_ready()


def test_a_start_without_demo_shows_the_address_and_how_to_make_a_key(running):
    assert f"LLM Observatory is ready: {running.base_url}" in running.said
    assert "create_api_key" in running.said


def test_the_service_is_ready(running):
    assert httpx.get(f"{running.base_url}/health/ready").status_code == 200


def test_a_second_up_on_the_same_folder_is_refused_in_one_sentence(running, start_up, home):
    second = start_up(home=home, measured=True)

    assert second.process.wait(30) == 1
    assert second.said.strip() == (
        f"CommandError: Another `up` (process {running.process.pid}) runs on {home}: "
        "stop it first, or choose another folder with --data-dir."
    )


def test_a_taken_port_is_refused_in_one_sentence(running, start_up, tmp_path):
    second = start_up("--port", str(running.port), measured=True, home=tmp_path / "other")

    assert second.process.wait(30) == 1
    assert second.said.strip() == (
        f"CommandError: Port {running.port} is taken on 127.0.0.1: "
        "stop what listens there, or choose another one with --port (`make run PORT=9000`)."
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_is_killed_comes_back(running, program):
    killed = running.pid(program)
    os.kill(killed, signal.SIGKILL)
    running.wait_for(f"{program} ended (killed by SIGKILL): starting it again.")

    assert eventually(lambda: healthy(running) and running.pid(program) not in {0, killed})


def test_sigterm_stops_everything_that_was_started_and_nothing_else(running, home):
    with subprocess.Popen(["sleep", "60"]) as bystander:
        status = running.stop(signal.SIGTERM)
        alive = [program for program in PROGRAMS if is_alive(home / "run" / f"{program}.pid")]
        bystander_lives = bystander.poll() is None
        bystander.kill()

    assert (status, alive, bystander_lives) == (0, [], True)


def test_an_up_that_was_killed_takes_everything_down_and_does_not_block_the_next(start_up, home):
    first = start_up(home=home).wait_until_ready()
    os.kill(first.pid("web"), signal.SIGKILL)  # its own workers are orphans now
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    second = start_up(home=home).wait_until_ready()

    assert healthy(second)
    assert second.stop(signal.SIGINT) == 0


def test_ctrl_c_while_starting_leaves_nothing_behind(start_up, home):
    begun = start_up(home=home, measured=True)
    assert eventually(lambda: is_alive(home / "run" / "valkey.pid"))

    assert begun.stop(signal.SIGINT) == 0
    assert [program for program in PROGRAMS if is_alive(home / "run" / f"{program}.pid")] == []


def healthy(up):
    try:
        return httpx.get(f"{up.base_url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def eventually(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
