"""Processes that `up` starts: each in a session of its own, recorded so that a later `up` can stop what was left.

A group holds an flock on its record for as long as any of its processes lives (the open descriptor passes through
fork and exec), so a record is never mistaken for a stranger that was given the same process number.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from observatory.supervisor.failure import CannotStart

POLL_SECONDS = 0.02
KILL_SECONDS = 5.0
GRACE_SECONDS = 10.0
INSIST_SECONDS = 1.0
LOG_BYTES = 10_000_000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run and how to end it.

    `user` is a system user's (uid, gid), `log` a file instead of our output. `insists` sends the stop signal to the
    whole group every second, for programs whose processes lose one that arrives while they start.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    record: Path
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = GRACE_SECONDS
    insists: bool = False
    user: tuple[int, int] | None = None
    log: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A started program."""

    program: Program
    process: subprocess.Popen[bytes]

    def exit_status(self) -> int | None:
        """Return the exit status of the first process of the group, `None` while it runs."""
        return self.process.poll()

    def stop(self) -> None:
        """Ask the program to end, wait for it, and kill whatever of its group is left after the grace period."""
        deadline = time.monotonic() + self.program.grace_seconds
        if self.exit_status() is None:
            self.process.send_signal(self.program.stop_signal)
        while not _wait_until(self._has_ended, INSIST_SECONDS) and time.monotonic() < deadline:
            if self.program.insists:
                _signal_group(self.process.pid, self.program.stop_signal)
        self.kill_group()

    def kill_group(self) -> None:
        """End every process of the group now, so that nothing of it holds a port or a data folder."""
        if is_alive(self.program.record):
            _signal_group(self.process.pid, signal.SIGKILL)
        _wait_until(lambda: self._has_ended() and not is_alive(self.program.record), KILL_SECONDS)

    def _has_ended(self) -> bool:
        return self.exit_status() is not None


@dataclass(slots=True, kw_only=True)
class RestartPolicy:
    """Allows a program to be restarted until it has died `limit` times within `window_seconds`."""

    limit: int = 5
    window_seconds: float = 60.0
    deaths: deque[float] = field(default_factory=deque)

    def allows_restart(self, died_at: float) -> bool:
        """Count a death at `died_at` (seconds of a monotonic clock) and say whether to start the program again."""
        self.deaths.append(died_at)
        while died_at - self.deaths[0] >= self.window_seconds:
            self.deaths.popleft()
        return len(self.deaths) < self.limit


def spawn(program: Program) -> Child:
    """Start `program`; on Linux it is told to end when this process dies, however it dies.

    Call it from the main thread only: Linux takes the end of the starting thread for the end of its process.
    """
    record = os.open(program.record, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(record, 0)
        output = _open_log(program.log) if program.log else None
        uid, gid = program.user or (None, None)
        process = subprocess.Popen(  # noqa: S603  commands are ours, no shell
            program.command,
            env=dict(program.environment),
            cwd=program.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(record,),
            preexec_fn=_in_child(record, program.stop_signal, os.getpid()),  # noqa: PLW1509  `up` has one thread
            user=uid,
            group=gid,
            extra_groups=None if program.user is None else [],
        )
    except BlockingIOError:
        raise CannotStart(
            f"Another {program.name} process of this folder still runs: wait a moment and start again."
        ) from None
    except OSError as problem:
        raise CannotStart(
            f"{program.command[0]} cannot be run ({problem.strerror}): delete .venv and run `make run` again."
        ) from None
    finally:
        os.close(record)
    if output is not None:
        os.close(output)
    return Child(program=program, process=process)


def is_alive(record: Path) -> bool:
    """Return whether any process of the group recorded in `record` lives."""
    try:
        handle = os.open(record, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def stop_leftover(record: Path, *, stop_signal: signal.Signals, grace_seconds: float) -> bool:
    """Stop the group that an `up` which was killed left behind; return whether there was one."""
    if not is_alive(record):
        return False
    leader = record.read_text()
    if leader:
        _signal_group(int(leader), stop_signal)
    _wait_until(lambda: not is_alive(record), grace_seconds)
    if leader and is_alive(record):
        _signal_group(int(leader), signal.SIGKILL)
    if not _wait_until(lambda: not is_alive(record), KILL_SECONDS):
        raise CannotStart(f"Process {leader or 'unknown'} of an earlier `up` does not end: stop it and start again.")
    return True


def _in_child(record: int, death_signal: signal.Signals, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        os.write(record, str(os.getpid()).encode())
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:  # it died before we could ask to be told
                os._exit(1)

    return prepare


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
