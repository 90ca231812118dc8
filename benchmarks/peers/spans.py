"""Phoenix and MLflow beside this service: the same spans over as many connections, into the same PostgreSQL."""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.environments import environment
from benchmarks.figures import Figure
from benchmarks.peers.contenders import COMMON, OWN, PACKAGES, PEERS, RARE, SETTINGS, Contender, own
from benchmarks.peers.running import Subject, running
from benchmarks.requests import SPANS_A_REQUEST, bodies
from benchmarks.run import Run
from benchmarks.stores import Server
from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create

HISTORY_DAYS, HISTORY_SHARE, FEWEST_BEFORE = 30, 4, 1000
STEP_NS = 1_000_000
LOOKS, ASKED = 5, 9
KILLED_AFTER = 10  # requests
TARGET = 20.0  # times the committed spans per second of the best peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What each contender gets, in this order."""

    history: Sequence[bytes]
    load: Sequence[bytes]
    single: Sequence[bytes]
    before_the_kill: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was measured of one contender; `seconds` are those of each question."""

    acknowledged: float
    committed: float
    behind_seconds: float
    visible_ms: float
    answering_seconds: float
    refused: int
    lost: int
    memory_mb: float
    bytes_a_span: float
    seconds: Mapping[str, float]


def measure(run: Run) -> Iterator[Figure]:
    """Yield how this service compares, then what was measured of each, for each number of spans."""
    server = run.servers[0]
    programs = {name: environment(run.environments / name, PACKAGES[name]) for name in PEERS}
    for spans in run.sizes:
        sent, found = _requests(spans, datetime.now(UTC)), {}
        with _own(server) as contender:
            found[OWN] = _measured(contender, server, sent)
        for name, make in PEERS.items():
            with _database(server, f"bench_peer_{name}") as (database, url):
                found[name] = _measured(make(programs[name], database, url), server, sent)
        yield from figures(found, spans=spans)


def figures(found: Mapping[str, Found], *, spans: int) -> Iterator[Figure]:
    """Yield ratios, then the values of each."""
    figure, ours = partial(Figure, rows=spans), found[OWN]
    more = partial(figure, direction="at_least")
    peers = {name: one for name, one in found.items() if name != OWN}
    best = max(one.committed for one in peers.values())
    yield more(figure="peers.committed_vs_best", value=ours.committed / best, unit="x", target=TARGET)
    yield figure(figure="peers.own.lost_after_kill", value=ours.lost, unit="spans", target=0)
    for name, one in peers.items():
        yield figure(figure=f"peers.{name}.lost_after_kill", value=one.lost, unit="spans")
    for name, one in peers.items():
        ratios = {question: one.seconds[question] / ours.seconds[question] for question in ours.seconds}
        ratios |= {"memory": one.memory_mb / ours.memory_mb, "bytes_a_span": one.bytes_a_span / ours.bytes_a_span}
        yield more(figure=f"peers.committed_vs_{name}", value=ours.committed / one.committed, unit="x")
        for what, ratio in ratios.items():
            yield more(figure=f"peers.{name}_vs_own.{what}", value=ratio, unit="x")
    for name, one in found.items():
        values = {
            "committed": (one.committed, "spans/s"),
            "acknowledged": (one.acknowledged, "spans/s"),
            "behind_after_load": (one.behind_seconds, "s"),
            "visible_after": (one.visible_ms, "ms"),
            "answering_after": (one.answering_seconds, "s"),
            "refused": (one.refused, "requests"),
            **{question: (seconds * 1000, "ms") for question, seconds in one.seconds.items()},
            "memory": (one.memory_mb, "MB"),
            "bytes_a_span": (one.bytes_a_span, "bytes"),
        }
        for what, (value, unit) in values.items():
            yield figure(figure=f"peers.{name}.{what}", value=value, unit=unit)


def lost(*, acknowledged: int, before: int, after: int) -> int:
    """Return how many acknowledged spans are not there; more than were acknowledged means none is missing."""
    return max(0, before + acknowledged - after)


def _requests(spans: int, now: datetime) -> Sent:
    """Return a month of history with one rare word in it, the load, and what is sent later; all the same every time."""
    before = -(-max(FEWEST_BEFORE, spans // HISTORY_SHARE) // SPANS_A_REQUEST) * SPANS_A_REQUEST  # whole requests
    hour_ago = now - timedelta(hours=1)
    step = int(timedelta(days=HISTORY_DAYS - 1).total_seconds()) * 1_000_000_000 // before
    history = [one.protobuf for one in bodies(spans=before, end_ns=_ns(hour_ago), step_ns=step, seed=1)]
    history[0] = history[0].replace(COMMON, RARE.encode(), 1)
    later = LOOKS + KILLED_AFTER
    whole = bodies(spans=spans + later * SPANS_A_REQUEST, end_ns=_ns(now), step_ns=STEP_NS, seed=2)
    requests = [one.protobuf for one in whole]
    load = len(requests) - later
    return Sent(
        history=history,
        load=requests[:load],
        single=requests[load : load + LOOKS],
        before_the_kill=requests[load + LOOKS :],
    )


def _measured(contender: Contender, server: Server, sent: Sent) -> Found:
    folder = Path(tempfile.mkdtemp(prefix="llmo-peers-"))
    folder.chmod(0o755)
    try:
        with running(contender, folder, server.superuser_url) as subject:
            _say(f"{contender.name}: {SETTINGS[contender.name]}")
            return _of(subject, sent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _of(subject: Subject, sent: Sent) -> Found:
    first = subject.committed()
    subject.send(sent.history)
    known = first + len(sent.history) * SPANS_A_REQUEST
    subject.wait_for(known)
    subject.wait_until_quiet()
    size, loaded, refused = subject.size(), len(sent.load) * SPANS_A_REQUEST, subject.refused
    begun = time.perf_counter()
    acknowledged = subject.send(sent.load)
    known += loaded
    committed = max(acknowledged, subject.wait_for(known))
    memory, refused = subject.memory_mb(), subject.refused - refused
    subject.wait_until_quiet()
    grown = subject.size() - size
    waits = []
    for body in sent.single:
        known += SPANS_A_REQUEST
        told = subject.send([body])
        waits.append(max(0.0, subject.wait_for(known) - told))
        time.sleep(0.2)  # so that what looks now and then is met at any moment
    questions = subject.contender.questions(datetime.now(UTC))
    answering = max(subject.wait_for_answer(one) for one in questions.values())
    seconds = {name: statistics.median([subject.ask(one) for _ in range(ASKED)][1:]) for name, one in questions.items()}
    return Found(
        acknowledged=loaded / (acknowledged - begun),
        committed=loaded / (committed - begun),
        behind_seconds=committed - acknowledged,
        visible_ms=statistics.median(waits) * 1000,
        answering_seconds=answering,
        refused=refused,
        lost=_lost_after_kill(subject, sent.before_the_kill),
        memory_mb=memory,
        bytes_a_span=grown / loaded,
        seconds=seconds,
    )


def _lost_after_kill(subject: Subject, requests: Sequence[bytes]) -> int:
    before = subject.wait_until_quiet()
    subject.send(requests)
    subject.kill()
    subject.start()
    return lost(acknowledged=len(requests) * SPANS_A_REQUEST, before=before, after=subject.wait_until_quiet())


@contextmanager
def _own(server: Server) -> Iterator[Contender]:
    store = server.store("bench_peer_own")
    try:
        with store.chosen():
            organisation = Organisation.objects.create(slug="bench-peers", name="Bench")
            project = Project.objects.create(organisation=organisation, slug="main", name="Main")
            key = api_key_create(
                organisation=organisation, name="bench", projects=[project], permissions=["*"], tier="admin"
            )
        yield own(store, key.secret)
    finally:
        server.drop(store)


@contextmanager
def _database(server: Server, name: str) -> Iterator[tuple[str, str]]:
    """Make an empty database and give its name and the address that peers take; it is dropped afterwards."""
    made, parts = sql.Identifier(name), conninfo_to_dict(server.superuser_url)
    with psycopg.connect(server.superuser_url, autocommit=True) as superuser:
        superuser.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(made))
        superuser.execute(sql.SQL("CREATE DATABASE {}").format(made))
        login = ":".join(quote(str(parts[one]), safe="") for one in ("user", "password") if parts.get(one))
        host = quote(str(parts.get("host", "localhost")), safe="")
        try:
            yield name, f"postgresql://{login}@/{name}?host={host}&port={parts.get('port', 5432)}"
        finally:
            superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
