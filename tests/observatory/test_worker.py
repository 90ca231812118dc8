import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from psycopg import sql

from analytics.storage.queue import LONG
from observatory.accounts.models import RevokedToken
from observatory.env import BASE_DIR
from observatory.management.commands.worker import GRACE_SECONDS, JOBS

NOWHERE = "postgresql://nobody@/nothing?host=/nonexistent"


def once(**options):
    out = StringIO()
    call_command("worker", once=True, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def dead_token(db):
    RevokedToken.objects.create(
        jti="6f1c1a52-0000-4000-8000-000000000000", expires_at=timezone.now() - timedelta(seconds=1)
    )


def test_every_job_runs_once_and_says_what_it_did(dead_token):
    lines = once().splitlines()

    assert ([line.partition(":")[0] for line in lines], "tokens: 1 done" in lines) == (list(JOBS), True)


def test_one_job_can_be_named(dead_token):
    assert (once(only=["tokens"]), once(only=["tokens"])) == ("tokens: 1 done\n", "tokens: 0 done\n")


def test_what_was_done_can_be_json(dead_token):
    assert json.loads(once(only=["tokens"], json=True)) == {"tokens": 1}


def test_a_second_run_of_every_job_finds_nothing_to_do(dead_token):
    once()

    assert json.loads(once(json=True)) == dict.fromkeys(JOBS, 0)


def test_every_periodic_job_can_be_named():
    assert {name for name, _ in app.periodic_registry.periodic_tasks} == {*JOBS}


def test_every_job_is_of_a_queue_that_the_worker_works_on():
    assert {task.queue for task in app.tasks.values()} - {"builtin"} == {*GRACE_SECONDS}


def test_jobs_that_may_take_minutes_keep_none_waiting_that_is_due_every_few_seconds():
    assert {name for name in JOBS if app.tasks[name].queue == LONG} == {"anomalies", "schedules"}


def test_naming_a_job_without_once_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        call_command("worker", only=["tokens"])

    assert (end.value.code, capsys.readouterr().err) == (
        2,
        "--only goes with --once: a running worker does all jobs.\n",
    )


def test_an_unknown_job_is_refused():
    with pytest.raises(CommandError, match="invalid choice: 'nothing'"):
        call_command("worker", "--once", "--only", "nothing")


@pytest.fixture
def worker():
    """Return a function that starts a worker."""
    started = []

    def start(**environment):
        process = subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "worker"],
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    with psycopg.connect(os.environ["DATABASE_MIGRATION_URL"], autocommit=True) as owner:
        owner.execute("TRUNCATE retention_horizons")  # a true worker's retention has run


def events(process):
    """Yield what the worker itself says; libraries have their own loggers."""
    for line in process.stderr:
        told = json.loads(line)
        if told["logger"] == "observatory.worker":
            yield told["event"]


def wait_until_registered():
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM procrastinate_workers")
            if cursor.fetchone() > (0,):
                time.sleep(1)  # it listens to signals a moment later
                return
        time.sleep(0.05)
    raise TimeoutError("the worker did not register")


def test_a_worker_works_until_it_is_told_to_stop(db, worker):
    process = worker()
    first = next(events(process))
    wait_until_registered()

    process.send_signal(signal.SIGTERM)

    assert (first, process.wait(timeout=30)) == ("worker started", 0)


def test_a_worker_without_its_database_goes_on_trying(worker):
    process = worker(DATABASE_URL=NOWHERE)
    said = events(process)

    assert ([next(said), next(said)], process.poll()) == (["database is away"] * 2, None)


@contextmanager
def closed_to_new_connections():
    """Let nobody connect to this test's database; who is connected stays so."""
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], autocommit=True) as server:
        name = sql.Identifier(connection.settings_dict["NAME"])
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            yield server
        finally:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def test_a_worker_that_has_lost_the_listener_of_one_queue_begins_anew(db, worker):
    process = worker()
    said = events(process)
    assert next(said) == "worker started"
    wait_until_registered()

    with closed_to_new_connections() as server:
        listens = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND query LIKE %s"
        ended = server.execute(listens, [connection.settings_dict["NAME"], 'LISTEN %#search";']).fetchall()
        away = next(said)

    told = (ended, away, next(said))
    wait_until_registered()
    process.send_signal(signal.SIGTERM)
    assert (told, process.wait(timeout=30)) == (([(True,)], "database is away", "worker started"), 0)
