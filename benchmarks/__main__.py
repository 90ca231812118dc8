"""`python -m benchmarks`: measure this checkout on this machine and compare with the targets."""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TextIO

from benchmarks.environments import DEFAULT
from benchmarks.figures import Figure, table, worse
from benchmarks.page import page
from benchmarks.run import Run
from benchmarks.stores import named_server, stores

Part = Callable[[Run], Iterable[Figure]]
ENGINES = ("plain", "timescaledb")
TIMESCALE_URL = "OBSERVATORY_TEST_TIMESCALE_URL"
STORED = ("reads", "pages", "traces", "storage", "peers")  # measured on databases of their own
ASKED_FOR = ("peers", "load")  # what they need comes from PyPI, and they take long
DEFAULT_SPANS = 20_000
# Of a whole run, which is to fit 40 minutes on two cores.
FULL: Mapping[str, int] = {
    **dict.fromkeys(("reads", "pages", "traces", "storage"), 1000000),
    "ingest": 100000,
    "exports": 50000,
    "peers": 4_000,
}
FEWEST_SPANS = 1000


# They import models, which Django gives only once its servers are known.
def _of_each_size(name: str, run: Run) -> Iterator[Figure]:
    """Measure a part that looks at one number of spans in the database that Django uses."""
    engine = import_module("analytics.storage.engines").engine().name
    measure: Callable[[int], Iterable[Figure]] = import_module(f"benchmarks.{name}").measure
    for spans in run.sizes:
        yield from (replace(figure, engine=engine) for figure in measure(spans))


def _of_the_run(name: str, run: Run) -> Iterable[Figure]:
    """Measure a part that compares sizes or engines."""
    measure: Callable[[Run], Iterable[Figure]] = import_module(f"benchmarks.{name}").measure
    return measure(run)


SIZED = ("stages", "ingest", "live", "edge", "polling", "tenancy", "exports")
# Processes and people come first, before others have left hundreds of thousands of spans for the worker.
PARTS: Mapping[str, Part] = {
    "processes": partial(_of_each_size, "processes"),
    "load": partial(_of_the_run, "load.mixed"),
    **{name: partial(_of_each_size, name) for name in SIZED},
    **{name: partial(_of_the_run, name) for name in ("reads", "pages", "traces", "storage", "forecast", "anomalies")},
    "peers": partial(_of_the_run, "peers.spans"),
}


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks, print their figures and return the exit status: 1 when a target is missed or a part failed.

    Against an earlier run it is 1 when a figure that has a target is worse than then.
    """
    given = _parsed(arguments)
    before = given.against.read_text().splitlines() if given.against else None
    figures: list[Figure] = []
    failed: list[str] = []
    with stores(given.store, server=given.server) as embedded:
        servers = [embedded] if embedded else []
        if "timescaledb" in given.engine and not given.server:
            servers.append(named_server(given.timescale))
        run = Run(
            sizes=[],
            servers=[server for server in servers if server.engine in given.engine],
            environments=given.environments,
            users=given.users,
            minutes=given.minutes,
            soak_minutes=given.soak,
        )
        for name in given.only:
            sizes = given.spans or [FULL.get(name, DEFAULT_SPANS) if given.full else DEFAULT_SPANS]
            _say(sys.stderr, f"Measuring {name} with {', '.join(f'{size:,}' for size in sizes)} spans.")
            try:
                for figure in PARTS[name](replace(run, sizes=sizes)):
                    figures.append(figure)
                    _say(sys.stdout, figure.as_json)
            except Exception:  # noqa: BLE001  what the other parts find is not lost for it
                traceback.print_exc()
                failed.append(name)
        if given.write and figures:
            given.write.write_text(page(figures, run, arguments, failed=failed))
    _say(sys.stdout, table(figures))
    missed = [figure.figure for figure in figures if figure.is_missed]
    if missed:
        _say(sys.stderr, f"Missed: {', '.join(missed)}.")
    if failed:
        _say(sys.stderr, f"Failed, as is told above: {', '.join(failed)}.")
    if before is None:
        return 1 if missed or failed else 0
    found = list(worse(figures, before, slack=given.slack))
    if found:
        _say(sys.stderr, f"Worse than before: {', '.join(found)}.")
    return 1 if found or failed else 0


def _parser() -> argparse.ArgumentParser:
    named = os.environ.get(TIMESCALE_URL)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="example: python -m benchmarks --only storage --spans 1000000 --spans 10000000 --store FOLDER",
    )
    parser.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        help=f"measure this one (may be repeated; {' and '.join(ASKED_FOR)} only so)",
    )
    parser.add_argument(
        "--full", action="store_true", help="measure every part, each with as many spans as fit 40 minutes in all"
    )
    parser.add_argument(
        "--spans",
        type=_spans,
        action="append",
        help=f"spans of each benchmark (default {DEFAULT_SPANS}; may be repeated)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        action="append",
        help=f"measure {', '.join(STORED)} on this engine (may be repeated; default: all that are there)",
    )
    parser.add_argument(
        "--timescale",
        metavar="URL",
        default=named,
        help=f"superuser of a server with TimescaleDB on this machine (default: {TIMESCALE_URL})",
    )
    parser.add_argument(
        "--server",
        metavar="URL",
        default="",
        help=f"superuser of a server to use for everything but {', '.join(STORED)}, such as one with TimescaleDB",
    )
    parser.add_argument("--store", type=Path, metavar="DIR", help="keep loaded databases in this folder and use them")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with what an earlier run has printed")
    parser.add_argument(
        "--slack", type=float, default=20, metavar="PERCENT", help="how much worse a figure may be then (default 20)"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        metavar="DIR",
        default=DEFAULT,
        help=f"where {' and '.join(ASKED_FOR)} keep what they install (default {DEFAULT})",
    )
    parser.add_argument("--users", type=int, default=100, help="users of load (default 100)")
    parser.add_argument("--minutes", type=float, default=5, help="how long they stay (default 5)")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="and so long again, as a soak")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table as a page of the documentation")
    return parser


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    given = parser.parse_args(arguments)
    given.engine = given.engine or (ENGINES if given.timescale else ENGINES[:1])
    if "timescaledb" in given.engine and not given.timescale:
        parser.error(f"name a server with TimescaleDB: --timescale URL or {TIMESCALE_URL}")
    if given.server and set(STORED) & set(given.only or ()):
        parser.error(f"{', '.join(STORED)} are measured on servers of their own: --engine, --timescale")
    wanted = [name for name in PARTS if given.full or name not in ASKED_FOR]
    given.only = given.only or [name for name in wanted if name not in STORED or not given.server]
    return given


def _say(stream: TextIO, *lines: str) -> None:
    stream.write("".join(f"{line}\n" for line in lines))
    stream.flush()


def _spans(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < FEWEST_SPANS:
        raise argparse.ArgumentTypeError(f"write a whole number from {FEWEST_SPANS}, not {text!r}")
    return number


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped then, too
    sys.exit(main(sys.argv[1:]))
