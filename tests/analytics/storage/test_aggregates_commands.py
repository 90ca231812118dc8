"""What operators can do with rollups: see them, refresh them, make them anew, and compare them with spans."""

import json
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics.registry.rollups import ROLLUPS
from tests.analytics.storage.retaining import OLD, TODAY, YOUNG, ask, refresh_all, send

FROM, TO = f"{YOUNG:%Y-%m-%dT%H:%M:%SZ}", f"{YOUNG + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
DAY = ("--from", FROM, "--to", TO)


@pytest.fixture
def project(tenant):
    return tenant.projects[0]


def run(*words):
    out = StringIO()
    call_command("aggregates", *words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def refused(*words):
    with pytest.raises(CommandError) as end:
        run(*words)
    return str(end.value)


def spoil(table, change="span_count = coalesce(span_count, 1) + 1"):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")


def test_the_list_tells_rows_watermark_lag_and_marked_buckets(project):
    send(project, 1, YOUNG)
    before = run("list")["rollups"]
    refresh_all()
    after = run("list")["rollups"]
    assert [one["rollup"] for one in after] == [rollup.table for rollup in ROLLUPS]
    assert [(one["rows"], one["watermark"], one["dirty_buckets"]) for one in before][:2] == [(0, None, 1)] * 2
    assert 0 < before[0]["lag_seconds"] < 60
    assert [(one["rows"], one["dirty_buckets"], one["lag_seconds"]) for one in after] == [(1, 0, 0)] * len(ROLLUPS)
    assert {one["watermark"] for one in after} == {FROM}


def test_the_list_for_people_names_every_rollup(project):
    out = StringIO()
    call_command("aggregates", "list", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()[1:]] == [rollup.table for rollup in ROLLUPS]


def test_refresh_makes_marked_buckets_anew(project):
    send(project, 1, YOUNG)
    assert run("refresh", "--dry-run")["buckets"] == {"1min": 1, "5min": 1, "1hour": 1, "1day": 0}
    assert run("refresh")["buckets"] == {"1min": 1, "5min": 1, "1hour": 1, "1day": 1}
    assert run("refresh")["buckets"] == {"1min": 0, "5min": 0, "1hour": 0, "1day": 0}
    assert ask(project, YOUNG, TODAY).source == "rollup"


def test_refresh_keeps_to_its_range_grain_and_project(make_tenant):
    one, other = make_tenant("acme").projects[0], make_tenant("globex").projects[0]
    for number, project in enumerate((one, other), 1):
        send(project, number, YOUNG)
        send(project, number + 10, OLD)
    assert run("refresh", "--granularity", "1hour", *DAY, "--project", "acme/main")["buckets"] == {"1hour": 1}
    assert run("refresh", "--dry-run")["buckets"] == {"1min": 4, "5min": 4, "1hour": 3, "1day": 1}


def test_a_refresh_keeps_the_count_of_changes(project):
    send(project, 1, YOUNG)
    run("refresh")
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(changes) FROM data_version")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("table", [rollup.table for rollup in ROLLUPS])
def test_verify_finds_what_a_rollup_says_wrongly(project, table):
    send(project, 1, YOUNG)
    refresh_all()
    spoil(table)
    out = StringIO()
    with pytest.raises(CommandError) as end:
        call_command("aggregates", "verify", *DAY, "--json", stdout=out)
    found = json.loads(out.getvalue())["differences"]
    assert (end.value.returncode, len(found)) == (4, 1)
    assert {name: found[0][name] for name in ("table", "bucket", "column", "stored", "expected")} == {
        "table": table,
        "bucket": FROM,
        "column": "span_count",
        "stored": 2,
        "expected": 1,
    }


def test_verify_names_project_labels_and_column_for_people(project):
    send(project, 1, YOUNG)
    refresh_all()
    spoil("llm_metrics_1hour", "duration_sum = 7")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("aggregates", "verify", *DAY, stdout=out)
    assert "llm_metrics_1hour acme/main" in out.getvalue()
    assert "model=gpt-4o" in out.getvalue()
    assert "duration_sum: stored 7, spans say 100" in out.getvalue()


def test_verify_finds_rows_that_are_missing_and_rows_too_many(project):
    send(project, 1, YOUNG)
    refresh_all()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM llm_totals_1hour")
        cursor.execute("UPDATE llm_totals_1day SET bucket = bucket + interval '1 day'")
    with pytest.raises(CommandError, match="differences"):
        run("verify", "--from", FROM, "--to", TODAY.isoformat())


def test_what_agrees_and_what_waits_is_told(project):
    send(project, 1, YOUNG)
    refresh_all()
    send(project, 2, YOUNG + timedelta(hours=2))
    found = run("verify", *DAY)
    assert found["differences"] == []
    assert (found["compared"]["llm_metrics_1hour"], found["waiting"]["llm_metrics_1hour"]) == (1, 1)
    assert (found["compared"]["llm_totals_1day"], found["waiting"]["llm_totals_1day"]) == (0, 1)


@pytest.mark.parametrize("grain", [(), ("--granularity", "1day"), ("--granularity", "1hour")])
def test_rebuild_mends_what_verify_found(project, grain):
    send(project, 1, YOUNG)
    send(project, 2, YOUNG + timedelta(hours=5))
    refresh_all()
    for rollup in ROLLUPS:
        if not grain or rollup.grain not in {"1min", "5min"}:
            spoil(rollup.table)
    assert run("rebuild", *DAY, *grain, "--dry-run")["buckets"]["1hour"] == 2
    run("rebuild", *DAY, *grain)
    assert run("verify", *DAY)["differences"] == []


def test_a_rebuild_changes_the_version_of_its_hours(project):
    send(project, 1, YOUNG)
    refresh_all()
    before = ask(project, YOUNG, TODAY).answers[0].as_of
    run("rebuild", *DAY)
    assert ask(project, YOUNG, TODAY).answers[0].as_of > before


def test_a_rebuild_removes_rows_that_no_span_stands_behind(project):
    send(project, 1, YOUNG)
    refresh_all()
    spoil("llm_metrics_1hour", "model = 'nobody'")
    run("rebuild", *DAY, "--granularity", "1hour")
    assert run("verify", *DAY)["differences"] == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("rebuild", "--from", TO, "--to", FROM), "reversed"),
        (("verify", "--from", FROM, "--to", FROM), "reversed"),
        (("refresh", "--granularity", "1week"), "no such granularity 1week"),
        (("verify", "--from", "2001-01-01", "--to", "2001-01-02"), "outside the data"),
        (("rebuild", "--from", "2001-01-01", "--to", TO), "Spans are kept since"),
        (("rebuild", "--from", "yesterday", "--to", TO), "write a date"),
        (("verify", *DAY, "--project", "nothing"), "no project nothing"),
        (("rebuild", "--from", FROM), "--to"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(project, words, reason):
    send(project, 1, YOUNG)
    assert reason in refused(*words)


def test_without_spans_every_range_is_outside_the_data(project):
    assert "there are no spans" in refused("verify", *DAY)


def test_nothing_is_rebuilt_where_spans_were_dropped(project):
    send(project, 1, OLD)
    send(project, 2, YOUNG)
    call_command("retention", "set", "spans", "10", stdout=StringIO())
    call_command("retention", "apply", stdout=StringIO())
    assert "Spans are kept since" in refused("rebuild", "--from", OLD.isoformat(), "--to", TO)
    assert ask(project, OLD, TODAY).totals["request_count_sum"] == 2


def test_a_second_run_at_the_same_time_is_refused(project, owner: psycopg.Connection):
    send(project, 1, YOUNG)
    owner.execute("SELECT pg_advisory_lock(hashtext('llm-observatory aggregates'))")
    assert f"server process {owner.info.backend_pid}" in refused("rebuild", *DAY)
