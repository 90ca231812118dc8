import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from analytics.ingest.service import receive
from analytics.jobs import partitions
from analytics.storage.engines.plain import Plain
from analytics.storage.engines.timescale import Timescale
from observatory import diagnosis
from observatory.diagnosis import CHECKS
from observatory.policies import policies
from tests import timescale
from tests.analytics.ingest.spans import raw
from tests.analytics.storage.engines.test_detection import READY
from tests.analytics.storage.retaining import OLD, TODAY, scope_of, send


def doctor():
    out = StringIO()
    try:
        call_command("doctor", json=True, stdout=out)
        status = 0
    except SystemExit as end:
        status = end.code
    told = json.loads(out.getvalue())
    assert all(one["cure"] for one in told["findings"] if one["level"] != "ok")
    return status, {one["check"]: one for one in told["findings"]}


@pytest.fixture
def healthy(db, monkeypatch):
    partitions()
    if timescale.wanted():  # on a server that somebody named
        monkeypatch.setattr(diagnosis, "_host", lambda: str(diagnosis.home()))


@pytest.fixture
def httpserver_of():
    """Return a function that starts a server which answers everything with one status, and gives its address."""
    servers = []

    def start(status):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_given):
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=servers[-1].serve_forever).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for one in servers:
        one.shutdown()
        one.server_close()


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
    assert {name: one["level"] for name, one in found.items() if one["level"] != "ok"} == {
        "jobs": "note",
        "live": "note",
    }


def test_every_line_names_its_check(healthy):
    out = StringIO()
    call_command("doctor", stdout=out)
    assert [line.split()[1] for line in out.getvalue().splitlines()] == [name for name, _, _ in CHECKS]


def test_the_engine_is_named(healthy):
    name = "TimescaleDB 2." if timescale.wanted() else "plain PostgreSQL"
    assert doctor()[1]["engine"]["text"].startswith(name)


def test_limits_that_contradict_each_other_are_found(healthy, settings):
    settings.RETENTION_HOUR_DAYS = 10
    status, found = doctor()
    assert (status, found["retention"]["level"], "retention set" in found["retention"]["cure"]) == (1, "wrong", True)


@pytest.mark.skipif(timescale.wanted(), reason="chunks are made as spans arrive")
def test_partitions_that_are_missing_are_found_and_made_as_the_cure_says(healthy, settings):
    settings.PARTITIONS_AHEAD_DAYS = 20
    status, found = doctor()
    assert (status, found["partitions"]["level"], found["partitions"]["cure"]) == (
        1, "wrong", "Run `worker --once --only partitions`.",
    )  # fmt: skip
    call_command("worker", "--once", "--only", "partitions", stdout=StringIO())
    assert doctor()[1]["partitions"]["level"] == "ok"


@pytest.mark.skipif(not timescale.wanted(), reason="there is no columnstore")
def test_days_that_nobody_compresses_are_found_and_compressed_as_the_cure_says(healthy, tenant):
    send(tenant.projects[0], 1, OLD)
    status, found = doctor()
    assert (status, found["columnstore"]) == (
        0,
        {
            "check": "columnstore",
            "level": "note",
            "text": f"days that wait to be in it: 1, the oldest {OLD:%Y-%m-%d}; it takes over after 7 days",
            "cure": "Run `compression apply`; the worker does it every night.",
        },
    )
    call_command("compression", "apply", stdout=StringIO(), stderr=StringIO())
    assert doctor()[1]["columnstore"]["level"] == "ok"


def test_days_that_wait_for_tonight_are_sound(healthy, tenant):
    send(tenant.projects[0], 1, TODAY - timedelta(days=9))
    assert doctor()[1]["columnstore"]["level"] == "ok"


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
    assert "See that the worker runs" in found["jobs"]["cure"]


def test_a_late_job_is_found(healthy):
    run_of("rollups", ago=timedelta(minutes=10))
    assert doctor()[1]["jobs"]["text"] == "rollups is late"


def test_too_few_connections_are_found(healthy, settings):
    settings.DATABASE_POOL_SIZE = 1000
    found = doctor()[1]["connections"]
    assert (found["level"], "Raise max_connections to 1014 or more" in found["cure"]) == ("wrong", True)


def test_clocks_apart_are_found(healthy, monkeypatch):
    monkeypatch.setattr(diagnosis, "LARGEST_SKEW", timedelta(seconds=-1))
    found = doctor()[1]["clock"]
    assert (found["level"], found["cure"]) == ("wrong", "Let every machine take its time from NTP.")


def test_a_redis_that_is_away_is_found_and_the_rest_is_checked(healthy, settings, monkeypatch):
    def away(_alias):
        raise ConnectionRefusedError

    monkeypatch.setattr(diagnosis, "get_redis_connection", away)
    status, found = doctor()
    assert (status, found["redis"]["level"], found["models"]["level"]) == (1, "wrong", "ok")
    assert found["redis"]["cure"] == "Start Redis or Valkey, or correct REDIS_URL."


def test_a_database_that_is_away_is_found_and_not_asked_again(monkeypatch):
    # No database fixture: whoever asks the database is refused by the test suite, so the connection is pointed away.
    monkeypatch.setattr(diagnosis, "_one", _unreachable)
    monkeypatch.setattr(diagnosis.connection, "close", lambda: None)
    status, found = doctor()
    assert (status, list(found)) == (1, ["settings", "database", "redis", "live", "disk"])
    assert found["database"]["cure"].startswith("Start PostgreSQL, or correct DATABASE_URL")


def _unreachable(_sql):
    raise diagnosis.DatabaseError("connection refused")


def test_policies_tell_last_run_result_and_next_run(db):
    run_of("retention", ago=timedelta(minutes=1))
    found = {one.name: one for one in policies(now=timezone.now())}
    one = found["retention"]
    assert {"partitions", "retention", "rollups", "tokens"} <= set(found)
    assert (one.last_result, one.late, found["tokens"].last_result) == ("succeeded", False, "never")
    assert (one.next_run.minute, one.next_run > datetime.now(UTC)) == (41, True)


def deferred(name, *, ago, finished=True, now=None):
    """A run as the worker makes it: the queue keeps when it was due; of one that succeeded nothing else is left."""
    due = int(((now or timezone.now()) - ago).timestamp())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_defer_periodic_job_v2('default', NULL, NULL, %s, 0, '', %s, '{}')", [name, due]
        )
        (job,) = cursor.fetchone()
        if finished:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job])
            cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", [job])
    return datetime.fromtimestamp(due, tz=UTC)


def test_a_run_that_succeeded_is_told_although_its_job_is_deleted(db):
    run_of("retention", ago=timedelta(hours=3), status="failed")
    now = timezone.now().replace(minute=51)  # it is due at minute 41 of each hour
    at = deferred("retention", ago=timedelta(minutes=10), now=now)
    one = {one.name: one for one in policies(now=now)}["retention"]
    assert (one.last_run, one.last_result, one.late) == (at, "succeeded", False)


def test_a_run_that_succeeded_long_ago_is_late(db):
    deferred("rollups", ago=timedelta(minutes=10))
    assert {one.name: one for one in policies(now=timezone.now())}["rollups"].late


@pytest.mark.parametrize(("ago", "late"), [(timedelta(seconds=5), False), (timedelta(minutes=6), True)])
def test_a_job_that_no_worker_takes_waits_and_is_late(db, ago, late):
    deferred("tokens", ago=ago, finished=False)
    one = {one.name: one for one in policies(now=timezone.now())}["tokens"]
    assert (one.last_run, one.last_result, one.late) == (None, "waiting", late)


def test_the_policies_command_prints_a_line_for_each_job(db):
    out = StringIO()
    call_command("policies", stdout=out)
    lines = [line.split()[0] for line in out.getvalue().splitlines()[1:]]
    out = StringIO()
    call_command("policies", json=True, stdout=out)
    assert lines == [one["name"] for one in json.loads(out.getvalue())["policies"]]


def test_a_variable_that_cannot_be_used_is_found(healthy, monkeypatch):
    monkeypatch.setenv("DATABASE_POOL_SIZE", "many")
    status, found = doctor()
    assert (status, found["settings"]["level"], "DATABASE_POOL_SIZE" in found["settings"]["text"]) == (1, "wrong", True)
    assert found["settings"]["cure"] == "Set the variable as it says."


def test_a_server_that_is_too_old_is_found_and_not_asked_again(monkeypatch):
    def old(_sql):
        raise diagnosis.NotSupportedError("PostgreSQL 14 or later is required (found 13.9).")

    monkeypatch.setattr(diagnosis, "_one", old)
    status, found = doctor()
    assert (status, list(found)) == (1, ["settings", "database", "redis", "live", "disk"])
    assert (found["database"]["text"], found["database"]["cure"]) == (
        "PostgreSQL 14 or later is required (found 13.9)",
        "Use PostgreSQL 14 or newer.",
    )


@pytest.mark.parametrize(
    ("of", "server", "found"),
    [
        (Plain(), READY, ("note", "TimescaleDB 2.29.2 is there and not used")),
        (Plain(), replace(READY, licence="apache"), ("ok", "licence apache: it has no columnstore")),
        (Timescale(), READY, ("ok", "TimescaleDB 2.29.2 with community functions")),
        (Timescale(), replace(READY, postgres=150_020), ("wrong", "PostgreSQL 15.20, where its scheduled jobs fail")),
        (Timescale(), replace(READY, licence="apache"), ("wrong", "licence apache")),
        (Timescale(), replace(READY, installed="2.20.1"), ("wrong", "too old: 2.22")),
    ],
)
def test_what_the_server_says_of_timescale_is_told(monkeypatch, of, server, found):
    monkeypatch.setattr(diagnosis, "engine", lambda: of)
    monkeypatch.setattr(diagnosis, "server", lambda _connection: server)
    level, text = found
    told = diagnosis._engine("engine")
    assert (told.level, text in told.text, bool(told.cure)) == (level, True, level != "ok")


@pytest.mark.parametrize(
    ("superuser", "bypasses", "text"),
    [(True, False, "has SUPERUSER:"), (False, True, "has BYPASSRLS:"), (True, True, "has SUPERUSER and BYPASSRLS:")],
)
def test_a_role_that_the_server_does_not_restrain_is_found(monkeypatch, superuser, bypasses, text):
    monkeypatch.setattr(diagnosis, "_one", lambda _sql: ("service", superuser, bypasses))
    found = diagnosis._role("role")
    assert (found.level, text in found.text, "external-servers.md" in found.cure) == ("wrong", True, True)


def test_a_role_that_owns_what_guards_it_is_found(monkeypatch):
    answers = iter([("service", False, False), (3,)])
    monkeypatch.setattr(diagnosis, "_one", lambda _sql: next(answers))
    found = diagnosis._role("role")
    assert (found.level, "owns the tenant tables" in found.text, "external-servers.md" in found.cure) == (
        "wrong",
        True,
        True,
    )


def test_migrations_that_are_not_applied_are_found(healthy):
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'analytics'"
            " AND name = (SELECT max(name) FROM django_migrations WHERE app = 'analytics')"
        )
    status, found = doctor()
    assert (status, found["migrations"]["level"], "manage.py prepare" in found["migrations"]["cure"]) == (
        1,
        "wrong",
        True,
    )


def test_a_disk_that_is_nearly_full_is_found(healthy, monkeypatch):
    monkeypatch.setattr(diagnosis.shutil, "disk_usage", lambda _path: SimpleNamespace(total=100, free=9))
    status, found = doctor()
    assert (status, found["disk"]["level"], "retention apply" in found["disk"]["cure"]) == (1, "wrong", True)


def test_models_without_a_price_are_noted(healthy, tenant):
    span = raw(
        start_ns=time.time_ns() - 10**9,
        end_ns=time.time_ns(),
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "nobody-knows-it",
            "gen_ai.usage.input_tokens": 3,
        },
    )
    receive(scope=scope_of(tenant.projects[0]), spans=[span], received_at=timezone.now())
    status, found = doctor()
    assert (status, found["models"]["level"], found["models"]["text"]) == (
        0,
        "note",
        "1 without a price in the last day",
    )
    assert found["models"]["cure"] == "Add their prices with `import_prices`, then run `recompute_costs`."


GIGABYTE = 2**30


@pytest.mark.parametrize(
    ("memory", "lines"),
    [
        (1.5, []),
        (32, ["shared_buffers = '8192MB'", "effective_cache_size = '24576MB'"]),
        (0.4, ["shared_buffers = '102MB'", "effective_cache_size = '307MB'", "work_mem = '4MB'"]),
    ],
)
def test_memory_that_does_not_fit_the_machine_is_noted_with_the_lines_that_set_it(healthy, monkeypatch, memory, lines):
    monkeypatch.setattr(diagnosis, "_host", lambda: "localhost")
    monkeypatch.setattr(diagnosis, "machine_memory", lambda: int(memory * GIGABYTE))
    monkeypatch.setattr(diagnosis, "_one", lambda _sql: (256 * 2**20, GIGABYTE, 8 * 2**20, 100))
    found = diagnosis._memory("memory")
    assert (found.level, [one.split(";")[0] for one in found.cure.split("ALTER SYSTEM SET ")[1:]]) == (
        "note" if lines else "ok",
        lines,
    )


def test_memory_of_a_container_is_its_limit(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(diagnosis, "CONTAINER_LIMIT", limit)
    without = diagnosis.machine_memory()
    limit.write_text("max\n")
    unlimited = diagnosis.machine_memory()
    limit.write_text("1048576\n")
    assert (without == unlimited, diagnosis.machine_memory()) == (True, 1_048_576)


def test_memory_of_another_machine_is_unknown(healthy, monkeypatch):
    monkeypatch.setattr(diagnosis, "_host", lambda: "db.example.com")
    found = diagnosis._memory("memory")
    assert (found.level, "another machine's" in found.text) == ("ok", True)


def test_the_disk_of_a_server_elsewhere_is_unknown(healthy, monkeypatch):
    monkeypatch.setattr(diagnosis, "_host", lambda: "db.example.com")
    found = diagnosis._disk("disk")
    assert (found.level, found.text) == ("ok", "unknown: the database is not one that `up` started here")


def test_a_live_process_that_cannot_be_reached_is_found(settings):
    settings.LIVE_BASE_URL = "http://127.0.0.1:1"

    found = diagnosis._live("live")

    assert "manage.py live" in found.cure
    assert (found.level, found.text) == (
        "note", "no answer at http://127.0.0.1:1/api/v1/events (ConnectionRefusedError)",
    )  # fmt: skip


@pytest.mark.parametrize(("status", "level"), [(401, "ok"), (429, "ok"), (307, "note"), (200, "note")])
def test_what_answers_for_the_live_process_is_told_from_it(settings, httpserver_of, status, level):
    settings.LIVE_BASE_URL = httpserver_of(status)

    found = diagnosis._live("live")

    assert (found.level, "LIVE_BASE_URL" in found.cure) == (level, level == "note")


def test_a_job_that_succeeded_and_is_deleted_was_last_run_when_it_was_due(db):
    due = int((timezone.now() - timedelta(minutes=10)).timestamp())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp, periodic_id) VALUES ('tokens', %s, '')",
            [due],
        )
    one = next(one for one in policies(now=timezone.now()) if one.name == "tokens")

    assert (one.last_result, int(one.last_run.timestamp())) == ("succeeded", due)


HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def first_column(page, head):
    """Return the first cells of the table of a how-to page whose first head is `head`."""
    table = (HOW_TO / page).read_text().partition(f"| {head} |")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def test_the_page_of_the_doctor_tells_of_every_check():
    assert first_column("doctor.md", "check") == [name for name, _, _ in CHECKS]


def test_the_page_of_background_jobs_tells_of_every_job(db):
    assert first_column("background-jobs.md", "job") == [one.name for one in policies(now=timezone.now())]
