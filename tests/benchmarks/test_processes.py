"""What the benchmark of processes makes of what it measured, and what it can see of a process."""

import os
import subprocess
import sys

from benchmarks.processes import BARE, OWN, Bare, Begun, Found, figures
from benchmarks.service import children, proportional_kb

FOUND = Found(
    bare=[Bare(ready=1.0, memory=50.0), Bare(ready=0.5, memory=40.0), Bare(ready=9.0, memory=60.0)],
    starts=[
        Begun(ready=4.0, answers=(0.5, 0.25), ingests=(0.75, 0.25)),
        Begun(ready=3.0, answers=(2.5, 0.25), ingests=(0.25, 0.25)),
        Begun(ready=8.0, answers=(0.5, 0.5), ingests=(0.5, 0.25)),
    ],
    imports={BARE: 0.5, OWN: 1.5},
    first_start=12.0,
    ready={"web": 150.0, "worker": 100.0},
    loaded={"web": 175.0, "worker": 110.0},
)


def test_ratios_come_first_then_seconds_since_the_start_then_memory_and_its_growth():
    told = figures(FOUND, spans=1000)

    assert {one.figure.removeprefix("processes."): (one.value, one.unit) for one in told} == {
        "ready_vs_hello": (4.0, "x"),
        "imports_vs_hello": (3.0, "x"),
        "first_answer_vs_second": (2.0, "x"),
        "first_ingest_vs_second": (2.0, "x"),
        "web_memory_vs_hello": (3.0, "x"),
        "web_memory_after_load_vs_hello": (3.5, "x"),
        "hello.ready": (1.0, "s"),
        "hello.imports": (0.5, "s"),
        "imports": (1.5, "s"),
        "ready": (4.0, "s"),
        "first_answer": (5.5, "s"),
        "first_ingest": (4.75, "s"),
        "first_start": (12.0, "s"),
        "hello.memory": (50.0, "MB"),
        "web.memory": (150.0, "MB"),
        "web.memory_after_load": (175.0, "MB"),
        "web.memory_growth": (25.0, "MB"),
        "worker.memory": (100.0, "MB"),
        "worker.memory_after_load": (110.0, "MB"),
        "worker.memory_growth": (10.0, "MB"),
    }
    assert [one.unit for one in told] == sorted((one.unit for one in told), key=["x", "s", "MB"].index)


def test_a_process_and_its_memory_are_found_until_it_has_gone():
    talking = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(talking, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            child.stdout.readline()  # it has begun
            assert child.pid in children(os.getpid())
            assert 1_000 < proportional_kb(child.pid) < 100_000
        finally:
            child.kill()
    assert proportional_kb(child.pid) == 0
