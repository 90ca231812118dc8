"""Processor time of a database server: of all its processes, wherever the kernel tells."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time

from django.db import connection

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def busy_clock() -> Callable[[], float]:
    """Return a clock of this process and the server's together, which other programs do not make go faster.

    The wall's clock for a server whose processes cannot be seen.
    """
    server = server_clock()
    return perf_counter if server is None else lambda: process_time() + server()


def server_clock() -> Callable[[], float] | None:
    """Return a clock of the seconds that the server's processes have computed; `None` for a server elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    if _name(backend) != "postgres":
        return None
    parent = int(_numbers(backend)[1])
    return lambda: _seconds_of_family(parent)


def _seconds_of_family(parent: int) -> float:
    of_the_dead, system_of_the_dead = _numbers(parent)[13:15]
    living = sum(busy_seconds(process) for process in (parent, *_children(parent)))
    return living + (int(of_the_dead) + int(system_of_the_dead)) / _TICKS


def _children(parent: int) -> Iterator[int]:
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            fields = _numbers(int(folder.name))
            if fields and int(fields[1]) == parent:
                yield int(folder.name)


def busy_seconds(process: int) -> float:
    """Return what the living threads of a process have computed, to the nanosecond where the scheduler counts them."""
    try:
        threads = (_PROC / str(process) / "task").iterdir()
        return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1_000_000_000
    except (OSError, IndexError):
        fields = _numbers(process)
        return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _numbers(process: int) -> list[str]:
    """Return what /proc/…/stat says after the name: state, parent, …; nothing of a process that is gone."""
    try:
        return (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _name(process: int) -> str:
    try:
        return (_PROC / str(process) / "comm").read_text().strip()
    except OSError:
        return ""
