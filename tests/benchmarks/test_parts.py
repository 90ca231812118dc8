"""What of the parts beside others can be known without them: arguments, counting, figures, processes."""

import os
import subprocess
import sys
from contextlib import nullcontext

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import benchmarks.__main__
from benchmarks.__main__ import ASKED_FOR, PARTS, _parsed, main
from benchmarks.environments import environment
from benchmarks.figures import Figure
from benchmarks.load.mixed import hits
from benchmarks.page import page
from benchmarks.peers.contenders import COMMON, MLFLOW, OWN, PHOENIX, RARE
from benchmarks.peers.running import _MARK, processes
from benchmarks.peers.spans import Found, figures, lost
from benchmarks.requests import SPANS_A_REQUEST, bodies
from benchmarks.run import Run

QUESTIONS = ("cost_by_model", "p95_by_hour", "text")


def found(**given):
    known = {
        "acknowledged": 400.0,
        "committed": 200.0,
        "behind_seconds": 1.0,
        "visible_ms": 30.0,
        "answering_seconds": 0.5,
        "refused": 0,
        "lost": 0,
        "memory_mb": 500.0,
        "bytes_a_span": 3000.0,
        "seconds": dict.fromkeys(QUESTIONS, 0.2),
    }
    return Found(**(known | given))


FOUND = {
    OWN: found(committed=4000.0, memory_mb=250.0, bytes_a_span=1500.0, seconds=dict.fromkeys(QUESTIONS, 0.01)),
    PHOENIX: found(lost=800),
    MLFLOW: found(committed=100.0),
}


def test_what_needs_others_is_measured_when_it_is_asked_for():
    assert set(_parsed([]).only) == set(PARTS) - set(ASKED_FOR)
    assert _parsed(["--full"]).only == list(PARTS)
    assert _parsed(["--only", "peers", "--only", "load"]).only == ["peers", "load"]


def test_the_time_and_the_number_of_people_are_arguments():
    given = _parsed(["--only", "load", "--users", "20", "--minutes", "0.5", "--soak", "60"])

    assert (given.users, given.minutes, given.soak) == (20, 0.5, 60)


def test_peers_share_no_server_that_is_named(capsys):
    with pytest.raises(SystemExit):
        _parsed(["--only", "peers", "--server", "postgresql://localhost"])

    assert "servers of their own" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "missing"), [(100, 300, 0), (100, 250, 50), (100, 100, 200), (0, 0, 200), (100, 310, 0)]
)
def test_lost_is_what_was_acknowledged_and_is_not_there(before, after, missing):
    assert lost(acknowledged=200, before=before, after=after) == missing


def test_ratios_come_first_and_are_against_the_best_peer():
    told = list(figures(FOUND, spans=1000))
    values = {one.figure: one.value for one in told}

    assert [one.figure for one in told[:4]] == [
        "peers.committed_vs_best",
        "peers.own.lost_after_kill",
        "peers.phoenix.lost_after_kill",
        "peers.mlflow.lost_after_kill",
    ]
    assert values["peers.committed_vs_best"] == 20
    assert values["peers.committed_vs_mlflow"] == 40
    assert values["peers.phoenix_vs_own.text"] == 20
    assert values["peers.phoenix_vs_own.memory"] == 2
    assert values["peers.mlflow.p95_by_hour"] == 200
    assert not [one.figure for one in told if one.is_missed]


def test_a_span_of_ours_that_is_lost_misses_the_target():
    told = figures(FOUND | {OWN: found(lost=1)}, spans=1000)

    assert [one.figure for one in told if one.is_missed] == ["peers.committed_vs_best", "peers.own.lost_after_kill"]


def test_the_page_of_peers_names_the_commit_and_has_a_row_for_each_figure(tmp_path):
    told = list(figures(FOUND, spans=1000))

    arguments = ["--only", "peers", "--environments", "/home/me/cache"]
    written = page(told, Run(sizes=[1000], servers=[], environments=tmp_path), arguments)

    assert written.startswith("# Peers side by side\n")
    assert "--only peers --environments DIR" in written
    assert "commit" in written
    assert "* mlflow (`mlflow`): `mlflow server` with" in written
    assert len([line for line in written.splitlines() if line.startswith("| `peers.")]) == len(told)


def test_the_rare_word_keeps_the_lengths_of_a_message():
    assert len(RARE.encode()) == len(COMMON)


def test_the_share_of_reads_that_were_kept():
    assert hits({"kept": 3, "computed": 1}) == 0.75
    assert hits({}) == 0


def test_an_environment_that_is_whole_is_used_without_asking_anybody(tmp_path):
    (tmp_path / ".installed").touch()

    assert environment(tmp_path, ["no-such-package"]) == tmp_path / "bin"


def test_processes_are_found_by_their_mark_and_no_others():
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | {_MARK: "one"}) as child:
        try:
            assert (processes("one"), processes("on"), processes("two")) == ([child.pid], [], [])
        finally:
            child.kill()


@pytest.mark.parametrize("spans", [200, 250, 1250])
def test_no_span_starts_after_the_end_that_was_given(spans):
    sent = [ExportTraceServiceRequest.FromString(one.protobuf) for one in bodies(spans=spans, end_ns=10**18, step_ns=7)]
    starts = [span.start_time_unix_nano for one in sent for span in one.resource_spans[0].scope_spans[0].spans]

    assert len(starts) == -(-spans // SPANS_A_REQUEST) * SPANS_A_REQUEST
    assert starts == sorted(starts)
    assert starts[-1] == 10**18 - 7


def test_a_part_that_fails_takes_nothing_from_the_others(monkeypatch, tmp_path, capsys):
    def fails(_run):
        raise RuntimeError("no worker")
        yield

    monkeypatch.setattr(benchmarks.__main__, "stores", lambda *_, **__: nullcontext())
    monkeypatch.setitem(PARTS, "forecast", fails)
    monkeypatch.setitem(PARTS, "anomalies", lambda _run: [Figure(figure="of.another", value=1.0, unit="x", rows=1)])
    written = tmp_path / "page.md"

    status = main(["--only", "forecast", "--only", "anomalies", "--write", str(written)])

    assert (status, "RuntimeError: no worker" in capsys.readouterr().err) == (1, True)
    assert "something failed: forecast." in written.read_text()
    assert "`of.another`" in written.read_text()
