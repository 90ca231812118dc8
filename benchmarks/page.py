"""The figures of a run as a page of the documentation."""

import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.figures import HEAD, Figure
from benchmarks.peers.contenders import PACKAGES, SETTINGS, version
from benchmarks.run import Run
from benchmarks.stores import Server
from observatory.env import BASE_DIR

# By the part that a page is of.
_TITLES = {
    "anomalies": "How well anomalies are found",
    "load": "People and emitters together",
    "peers": "Peers side by side",
    "storage": "Storage under months of spans",
    "traces": "Finding calls among months of spans",
    "reads": "Questions about months of spans",
    "pages": "The overview of months of spans",
}
# Arguments that name places on the machine, and what is told of them.
_WORDS = {
    "--timescale": "URL",
    "--server": "URL",
    "--store": "DIR",
    "--environments": "DIR",
    "--against": "FILE",
    "--write": "FILE",
}


def page(figures: Sequence[Figure], run: Run, arguments: Sequence[str], *, failed: Sequence[str] = ()) -> str:
    """Return the page: the command, the machine, the versions, parts that failed, and the table."""
    rows = "projects" if figures[0].figure.startswith("anomalies.") else "spans"
    lines = [
        f"# {_title(figures)}",
        "",
        "Written by the command itself; what the figures mean is told in [benchmarks](../explanation/benchmarks.md).",
        "",
        "```",
        f"python -m benchmarks {shlex.join(_told(arguments))}",
        "```",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}; {'; '.join([_commit(), _machine(), *map(_version, run.servers)])}.",
        "",
        *([f"Not measured to the end, since something failed: {', '.join(failed)}.", ""] if failed else []),
        *_contenders(figures, run),
        *_table(figures, rows),
    ]
    return "\n".join(lines) + "\n"


def _contenders(figures: Sequence[Figure], run: Run) -> Iterator[str]:
    """Yield what was compared and how it was set up, where others were."""
    if any(figure.figure.startswith("peers.") for figure in figures):
        for name, settings in SETTINGS.items():
            said = version(run.environments, name) if name in PACKAGES else "this checkout"
            yield f"* {said} (`{name}`): {settings}."
        yield ""


def _title(figures: Sequence[Figure]) -> str:
    """Return what was measured, when it was one thing."""
    parts = {figure.figure.partition(".")[0] for figure in figures}
    return _TITLES.get(parts.pop(), "Benchmarks") if len(parts) == 1 else "Benchmarks"


def _told(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments; a place on this machine becomes a word in capitals."""
    hidden = ""
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if name in _WORDS and equals:
            yield f"{name}={_WORDS[name]}"
        else:
            yield _WORDS.get(hidden, argument)
        hidden = argument


def _commit() -> str:
    git = shutil.which("git")
    done = git and subprocess.run(  # noqa: S603  words of ours
        [git, "describe", "--always", "--dirty"], cwd=BASE_DIR, stdout=subprocess.PIPE, text=True, check=False
    )
    return f"commit {done.stdout.strip()}" if done and done.returncode == 0 else "no commit"


def _machine() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{os.cpu_count()} processors, {next(named, platform.machine())}; Python {platform.python_version()}"


def _version(server: Server) -> str:
    with psycopg.connect(server.superuser_url) as connection:
        (version,) = connection.execute("SHOW server_version").fetchone() or ("",)
        extension = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
        ).fetchone()
    said = f"PostgreSQL {version}"
    return said if server.engine == "plain" else f"{said} with TimescaleDB {extension and extension[0]}"


def _table(figures: Sequence[Figure], rows: str) -> Iterator[str]:
    yield f"| {' | '.join(HEAD).replace('spans', rows)} |"
    yield f"|{' --- |' * len(HEAD)}"
    for figure in figures:
        name, *rest = figure.cells
        yield f"| `{name}` | {' | '.join(rest)} |"
