import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from analytics.jobs import partitions
from observatory import diagnosis
from observatory.diagnosis import CHECKS
from observatory.policies import policies


def doctor():
    out = StringIO()
    try:
        call_command("doctor", json=True, stdout=out)
        status = 0
    except SystemExit as end:
        status = end.code
    told = json.loads(out.getvalue())
    return status, {one["check"]: one for one in told["findings"]}


@pytest.fixture
def healthy(db):
    partitions()


def run_of(task, *, ago, status="succeeded"):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('default', %s, %s) RETURNING id",
            [task, status],
        )
        cursor.execute(
            "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, 'started', %s)",
            [cursor.fetchone()[0], timezone.now() - ago],
        )


def test_a_sound_installation_has_nothing_wrong(healthy):
    status, found = doctor()
    assert (status, list(found)) == (0, [name for name, _, _ in CHECKS])
    assert {name: one["level"] for name, one in found.items() if one["level"] != "ok"} == {"jobs": "note"}


def test_every_line_names_its_check(healthy):
    out = StringIO()
    call_command("doctor", stdout=out)
    assert [line.split()[1] for line in out.getvalue().splitlines()] == [name for name, _, _ in CHECKS]


def test_the_engine_is_named(healthy):
    assert doctor()[1]["engine"]["text"].startswith("plain PostgreSQL")


def test_limits_that_contradict_each_other_are_found(healthy, settings):
    settings.RETENTION_HOUR_DAYS = 10
    status, found = doctor()
    assert (status, found["retention"]["level"], "retention set" in found["retention"]["cure"]) == (1, "wrong", True)


def test_partitions_that_are_missing_are_found(healthy, settings):
    settings.PARTITIONS_AHEAD_DAYS = 20
    status, found = doctor()
    assert (status, found["partitions"]["level"]) == (1, "wrong")


def test_rollups_that_nobody_refreshes_are_found(healthy):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bucket_change VALUES (1, 1, '1min', %(at)s, %(at)s)",
            {"at": timezone.now() - timedelta(hours=1)},
        )
    status, found = doctor()
    assert (status, found["rollups"]["level"], "aggregates refresh" in found["rollups"]["cure"]) == (1, "wrong", True)


def test_a_failed_job_is_found(healthy):
    run_of("partitions", ago=timedelta(minutes=1), status="failed")
    status, found = doctor()
    assert (status, found["jobs"]["text"]) == (1, "partitions failed")


def test_a_late_job_is_found(healthy):
    run_of("rollups", ago=timedelta(minutes=10))
    assert doctor()[1]["jobs"]["text"] == "rollups is late"


def test_too_few_connections_are_found(healthy, settings):
    settings.DATABASE_POOL_SIZE = 1000
    assert doctor()[1]["connections"]["level"] == "wrong"


def test_clocks_apart_are_found(healthy, monkeypatch):
    monkeypatch.setattr(diagnosis, "LARGEST_SKEW", timedelta(seconds=-1))
    assert doctor()[1]["clock"]["level"] == "wrong"


def test_a_redis_that_is_away_is_found_and_the_rest_is_checked(healthy, settings, monkeypatch):
    def away(_alias):
        raise ConnectionRefusedError

    monkeypatch.setattr(diagnosis, "get_redis_connection", away)
    status, found = doctor()
    assert (status, found["redis"]["level"], found["models"]["level"]) == (1, "wrong", "ok")


def test_a_database_that_is_away_is_found_and_not_asked_again(monkeypatch):
    # No database fixture: whoever asks the database is refused by the test suite, so the connection is pointed away.
    monkeypatch.setattr(diagnosis, "_one", _unreachable)
    monkeypatch.setattr(diagnosis.connection, "close", lambda: None)
    status, found = doctor()
    assert (status, list(found)) == (1, ["settings", "database", "redis", "disk"])


def _unreachable(_sql):
    raise diagnosis.DatabaseError("connection refused")


def test_policies_tell_last_run_result_and_next_run(db):
    run_of("retention", ago=timedelta(minutes=1))
    found = {one.name: one for one in policies(now=timezone.now())}
    one = found["retention"]
    assert {"partitions", "retention", "rollups", "tokens"} <= set(found)
    assert (one.last_result, one.late, found["tokens"].last_result) == ("succeeded", False, "never")
    assert (one.next_run.minute, one.next_run > datetime.now(UTC)) == (41, True)


def test_the_policies_command_prints_a_line_for_each_job(db):
    out = StringIO()
    call_command("policies", stdout=out)
    lines = [line.split()[0] for line in out.getvalue().splitlines()[1:]]
    out = StringIO()
    call_command("policies", json=True, stdout=out)
    assert lines == [one["name"] for one in json.loads(out.getvalue())["policies"]]
