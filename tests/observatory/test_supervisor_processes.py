"""Started programs: stopped whole, found again after a crash, restarted with a limit."""

import os
import signal
import subprocess
import sys
import time

import pytest

from observatory.supervisor.failure import CannotStart
from observatory.supervisor.processes import Program, RestartPolicy, is_alive, spawn, stop_leftover
from observatory.supervisor.supervisor import Supervisor, check_alive, describe_exit

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


@pytest.fixture
def program(tmp_path):
    """Return a function that describes a shell program which is ready when it has written a line."""

    def describe(script, **given):
        return Program(
            name="program",
            command=("/bin/sh", "-c", script),
            environment={"PATH": os.environ["PATH"]},
            record=tmp_path / "program.pid",
            folder=tmp_path,
            log=tmp_path / "program.log",
            **given,
        )

    return describe


def started(program):
    child = spawn(program)
    wait_until(lambda: program.log.exists() and "ready" in program.log.read_text())
    return child


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_running_program_is_alive_in_its_record(program):
    child = started(program("echo ready; exec sleep 60"))
    alive = is_alive(child.program.record), child.program.record.read_text() == str(child.process.pid)
    child.stop()

    assert (alive, is_alive(child.program.record)) == ((True, True), False)


def test_a_program_that_was_never_started_is_not_alive(tmp_path):
    assert not is_alive(tmp_path / "none.pid")


def test_stopping_sends_the_programs_own_signal(program):
    child = started(program("trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done", stop_signal=signal.SIGINT))
    child.stop()

    assert child.exit_status() == 7


def test_a_program_that_does_not_end_is_killed_after_its_grace(program):
    child = started(program(STUBBORN, grace_seconds=0.2))
    child.stop()

    assert (child.exit_status(), is_alive(child.program.record)) == (-signal.SIGKILL, False)


def test_what_a_dead_program_leaves_running_is_killed_with_it(program):
    child = started(program("sleep 60 & echo ready; wait"))
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    orphan_lived = is_alive(child.program.record)
    child.kill_group()

    assert (orphan_lived, is_alive(child.program.record)) == (True, False)


def test_a_member_that_lost_the_first_signal_gets_it_again(program):
    # The inner shell ignores the signal while it starts, as granian's workers do.
    inner = 'sh -c \'trap "" TERM; echo ready; sleep 0.5; trap "exit 0" TERM; while :; do sleep 0.05; done\''
    child = started(program(f"trap 'wait' TERM; {inner} & wait; wait", insists=True, grace_seconds=8))
    begun = time.monotonic()
    child.stop()

    assert time.monotonic() - begun < 5


def test_the_same_program_is_not_started_twice(program):
    child = started(program("echo ready; exec sleep 60"))
    with pytest.raises(CannotStart, match="still runs"):
        spawn(child.program)
    child.stop()


def test_a_program_that_does_not_exist_is_one_sentence(tmp_path, program):
    missing = Program(
        name="x", command=("/nowhere",), environment={}, record=tmp_path / "x.pid", folder=tmp_path, log=None
    )
    with pytest.raises(CannotStart, match=r"/nowhere cannot be run \(No such file or directory\)"):
        spawn(missing)


def test_a_leftover_is_stopped(program):
    child = started(program("echo ready; exec sleep 60"))
    found = stop_leftover(child.program.record, stop_signal=signal.SIGTERM, grace_seconds=5)
    child.process.wait()

    assert (found, child.exit_status()) == (True, -signal.SIGTERM)


def test_a_stubborn_leftover_is_killed(program):
    child = started(program(STUBBORN))
    stop_leftover(child.program.record, stop_signal=signal.SIGTERM, grace_seconds=0.2)
    child.process.wait()

    assert child.exit_status() == -signal.SIGKILL


def test_a_stranger_with_a_recorded_number_is_left_alone(tmp_path):
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        (tmp_path / "old.pid").write_text(str(stranger.pid))
        found = stop_leftover(tmp_path / "old.pid", stop_signal=signal.SIGTERM, grace_seconds=1)
        lives = stranger.poll() is None
        stranger.kill()

    assert (found, lives) == (False, True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_a_program_ends_when_its_starter_is_killed(tmp_path):
    starter = f"""
import os, signal
from pathlib import Path
from observatory.supervisor.processes import Program, spawn
folder = Path({str(tmp_path)!r})
spawn(Program(name="x", command=("sleep", "60"), environment=os.environ, record=folder / "x.pid", folder=folder))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", starter], check=False)

    wait_until(lambda: not is_alive(tmp_path / "x.pid"))


def test_a_log_that_has_grown_large_is_set_aside_at_the_next_start(program, tmp_path, monkeypatch):
    monkeypatch.setattr("observatory.supervisor.processes.LOG_BYTES", 3)
    (tmp_path / "program.log").write_text("long")
    started(program("echo ready; exec sleep 60")).stop()

    assert ((tmp_path / "program.old.log").read_text(), (tmp_path / "program.log").read_text()) == ("long", "ready\n")


def test_five_deaths_within_a_minute_are_too_many():
    policy = RestartPolicy()

    assert [policy.allows_restart(second) for second in (0, 10, 20, 30, 59)] == [True, True, True, True, False]


def test_deaths_a_minute_ago_are_forgotten():
    policy = RestartPolicy()

    assert [policy.allows_restart(second) for second in (0, 10, 20, 30, 60)] == [True] * 5


def test_a_dead_program_is_started_again_and_announced(program):
    said = []
    supervisor = Supervisor(say=said.append)
    first = supervisor.start(program("exit 3"))
    first.process.wait()
    supervisor.restart_the_dead()
    second = supervisor.children["program"]
    supervisor.stop_all()
    second.stop()

    assert (said, second is first) == (["program ended (exit status 3): starting it again."], False)


def test_a_program_that_dies_again_and_again_ends_the_service(program):
    supervisor = Supervisor(say=lambda _line: None)
    supervisor.start(program("exit 3"))
    for _ in range(4):
        supervisor.children["program"].process.wait()
        supervisor.restart_the_dead()
    supervisor.children["program"].process.wait()

    with pytest.raises(CannotStart, match=r"program ended 5 times within 60 s \(now exit status 3\)"):
        supervisor.restart_the_dead()


def test_waiting_for_a_program_that_has_ended_is_given_up(program):
    child = spawn(program("exit 3"))
    child.process.wait()

    with pytest.raises(CannotStart, match=r"The program process ended before it was ready \(exit status 3\)"):
        check_alive(child)


def test_an_exit_by_signal_is_named():
    assert describe_exit(-9) == "killed by SIGKILL"
