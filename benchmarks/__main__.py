"""`python -m benchmarks`: measure this checkout on this machine and compare with the targets."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TextIO

from benchmarks.figures import Figure, table
from benchmarks.stores import stores

NAMES = ("stages", "ingest", "reads", "traces", "edge")
DEFAULT_SPANS = 20_000
FEWEST_SPANS = 1000


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks, print their figures and return the exit status: 1 when a target is missed."""
    given = _parser().parse_args(arguments)
    figures: list[Figure] = []
    with stores(given.server):
        engine = import_module("analytics.storage.engines").engine().name
        for name in given.only or NAMES:
            _say(sys.stderr, f"Measuring {name} with {given.spans} spans.")
            # They import models, which Django gives only once its servers are known.
            measure: Callable[[int], list[Figure]] = import_module(f"benchmarks.{name}").measure
            figures += [replace(figure, engine=engine) for figure in measure(given.spans)]
    _say(sys.stdout, table(figures), *(figure.as_json for figure in figures))
    missed = [figure.figure for figure in figures if figure.is_missed]
    if missed:
        _say(sys.stderr, f"Missed: {', '.join(missed)}.")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="example: python -m benchmarks --only ingest --spans 5000",
    )
    parser.add_argument("--only", choices=NAMES, action="append", help="measure this one (may be repeated)")
    parser.add_argument(
        "--spans", type=_spans, default=DEFAULT_SPANS, help=f"spans of each benchmark (default {DEFAULT_SPANS})"
    )
    parser.add_argument(
        "--server", default="", help="superuser's address of a server to use, such as one with TimescaleDB"
    )
    return parser


def _say(stream: TextIO, *lines: str) -> None:
    stream.write("".join(f"{line}\n" for line in lines))
    stream.flush()


def _spans(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < FEWEST_SPANS:
        raise argparse.ArgumentTypeError(f"write a whole number from {FEWEST_SPANS}, not {text!r}")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
