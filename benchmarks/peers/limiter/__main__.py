"""`python -m benchmarks.peers.limiter`: the limiter beside others on the same Valkey, in turns."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, table
from benchmarks.peers.limiter.contestants import CONTESTANTS, PACKAGES
from observatory.env import BASE_DIR
from observatory.supervisor.valkey import EmbeddedValkey

PEERS = ("djangorestframework", "django-ratelimit", "limits", "throttled-py", "django-redis", "redis", "hiredis")
PROCESSES, LIMIT, ATTEMPTS_OF_A_CLIENT = 4, 100, 10
CLIENTS = 16 * PROCESSES
GONE = "unix:///nonexistent/valkey.sock?db=0"
SCRIPT = Path(__file__).with_name("contestants.py")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.limiter", description=__doc__)
    parser.add_argument("--requests", type=int, default=5000, help="decisions of a round (default 5000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (default 3)")
    parser.add_argument("--venv", type=Path, help="environment of the others, made when it is not there")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the results as a page of the documentation")
    given = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="llmo-limiter-"))
    home.chmod(0o755)
    try:
        python = _environment(given.venv or home / "venv")
        with EmbeddedValkey(home / "valkey") as valkey:
            found = {name: _measured(name, python, valkey.url, given) for name in CONTESTANTS}
    finally:
        shutil.rmtree(home, ignore_errors=True)
    figures = list(_figures(found, given.requests))
    _say("\n".join(figure.as_json for figure in figures))
    _say(table(figures))
    _say(_told(found))
    if given.write:
        given.write.write_text(_page(found, arguments))
    missed = [figure.figure for figure in figures if figure.is_missed]
    if missed:
        _say(f"Missed: {', '.join(missed)}.")
    return 1 if missed else 0


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS], check=True)  # noqa: S603  names of ours
    return python


def _measured(name: str, python: Path, url: str, given: argparse.Namespace) -> dict[str, Any]:
    interpreter = Path(sys.executable) if name == "own" else python

    def begin(what: str, redis_url: str, count: int) -> "subprocess.Popen[str]":
        environment = {"PATH": os.defpath, "PYTHONPATH": str(BASE_DIR) if name == "own" else ""}
        command = [str(interpreter), str(SCRIPT), name, what, redis_url, str(count)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603  as above

    def result(process: "subprocess.Popen[str]") -> dict[str, Any]:
        said, _ = process.communicate(timeout=120)
        told: dict[str, Any] = json.loads(said.splitlines()[-1])
        return told

    speeds = [result(begin("speed", url, given.requests)) for _ in range(given.rounds)]
    together = [begin("exactness", url, ATTEMPTS_OF_A_CLIENT) for _ in range(PROCESSES)]
    admitted = sum(result(process)["admitted"] for process in together)
    gone = result(begin("without", GONE, 20))
    return {
        "version": speeds[0]["version"],
        "per_second": statistics.median(one["per_second"] for one in speeds),
        "admitted": admitted,
        "outcomes": gone["outcomes"],
        "gone_ms": gone["ms"],
    }


def _figures(found: dict[str, dict[str, Any]], requests: int) -> list[Figure]:
    ours = found["own"]
    figures = [
        Figure(figure="limiter.own.decisions", value=ours["per_second"], unit="/s", rows=requests),
        Figure(
            figure="limiter.own.admitted_of_allowed",
            value=ours["admitted"] / LIMIT,
            unit="x",
            rows=CLIENTS * ATTEMPTS_OF_A_CLIENT,
            target=1.0,
            direction="at_most",
        ),
    ]
    for name in PACKAGES:
        peer = found[name]
        figures += [
            Figure(
                figure=f"limiter.own_vs_{name}.decisions",
                value=ours["per_second"] / peer["per_second"],
                unit="x",
                rows=requests,
            ),
            Figure(
                figure=f"limiter.{name}.admitted_of_allowed",
                value=peer["admitted"] / LIMIT,
                unit="x",
                rows=CLIENTS * ATTEMPTS_OF_A_CLIENT,
            ),
        ]
    return figures


def _told(found: dict[str, dict[str, Any]]) -> str:
    return "\n".join(
        f"{name} without Redis: {_outcomes(one)}, {one['gone_ms']:.2f} ms a decision" for name, one in found.items()
    )


def _outcomes(one: dict[str, Any]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in one["outcomes"].items())


PAGE = """<!-- Written by `python -m benchmarks.peers.limiter --write`. -->
# The limiter beside others

On one Valkey, Python {python}, {cores} cores: `python -m benchmarks.peers.limiter {arguments}`.

Decisions are of one process, one after the other, relative to this service's limiter ({per_second:,.0f} a second here).
{clients} clients in {processes} processes then ask {attempts} times at once for a key that allows {limit} in an hour.
Last, nothing listens at the address of Redis, and a decision is asked for 20 times.

| limiter | decisions | admitted of {limit} | without Redis | ms a decision then |
| --- | --- | --- | --- | --- |
{rows}

Settings are those that each recommends for Redis: REST framework's `SimpleRateThrottle` and django-ratelimit over
django-redis, the moving window of `limits`, the token bucket of throttled-py. This service's is a token bucket whose
charge is one script; without Redis each process goes on with its share of the limit, here a quarter.
"""


def _page(found: dict[str, dict[str, Any]], arguments: Sequence[str]) -> str:
    return PAGE.format(
        python=platform.python_version(),
        cores=os.cpu_count(),
        arguments=" ".join(arguments),
        per_second=found["own"]["per_second"],
        clients=CLIENTS,
        processes=PROCESSES,
        attempts=CLIENTS * ATTEMPTS_OF_A_CLIENT,
        limit=LIMIT,
        rows="\n".join(_row(name, one, found["own"]) for name, one in found.items()),
    )


def _row(name: str, one: dict[str, Any], own: dict[str, Any]) -> str:
    label = f"{PACKAGES[name]} {one['version']}" if name in PACKAGES else "this service"
    cells = (label, f"{one['per_second'] / own['per_second']:.2f}", one["admitted"], _outcomes(one))
    return f"| {' | '.join(map(str, cells))} | {one['gone_ms']:.2f} |"


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
