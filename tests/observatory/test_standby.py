"""Reads from a streaming standby of the suite's own PostgreSQL, whose replay a test can hold."""

import os
import tempfile
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client

from observatory.accounts.models import Organisation, Project
from observatory.accounts.services import api_key_create
from observatory.settings.base import _database
from tests import servers
from tests.analytics.api.payloads import request, span
from tests.observatory.test_doctor import doctor
from tests.standbys import Standby

TRACES = "/api/v1/traces"
TABLES = (
    "organisations",
    "llm_traces",
    "llm_contents",
    "trace_index",
    "bucket_change",
    "data_version",
    "trace_feedback",
    "audit_log",
)


@pytest.fixture(scope="module")
def server(django_db_setup):
    with tempfile.TemporaryDirectory(prefix="llmo-standby-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # root's PostgreSQL runs as another user
        primary, url = Path(os.environ["OBSERVATORY_HOME"]), os.environ["TEST_SUPERUSER_URL"]
        with Standby(home, primary=primary, primary_url=url, durable=False) as running:
            yield running


@pytest.fixture
def committing(django_db_setup, django_db_blocker):
    """What is written commits, else no standby would see it, and is gone afterwards."""
    with django_db_blocker.unblock():
        with connections["default"].cursor() as cursor:
            cursor.execute("SET synchronous_commit TO on")  # the suite's server tells of commits before they are kept
        yield
        connections.close_all()
    with psycopg.connect(os.environ["TEST_SUPERUSER_URL"], dbname=servers.DATABASE) as superuser:
        superuser.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


@pytest.fixture
def standby(committing, server, settings, monkeypatch):
    """The superuser's connection to the standby that reads go to."""
    url = server.url(servers.DATABASE, servers.SERVICE, servers.SERVICE)
    monkeypatch.setitem(django_settings.DATABASES, "standby", connections["default"].settings_dict | _database(url))
    settings.CACHE_OPEN_SECONDS = 0
    settings.READ_AFTER_MAX_WAIT_MS = 20_000
    with psycopg.connect(server.superuser_url, autocommit=True) as superuser:
        yield superuser
        superuser.execute("SELECT pg_wal_replay_resume()")
    connections["standby"].close()
    del connections["standby"]


@pytest.fixture
def api(standby):
    organisation = Organisation.objects.create(slug="standby", name="Standby")
    project = Project.objects.create(organisation=organisation, slug="main", name="Main")
    key = api_key_create(organisation=organisation, name="test", projects=[project], permissions=["*"]).secret
    return Client(headers={"Authorization": f"Bearer {key}"}, raise_request_exception=False)


def ingested(api):
    return api.post("/v1/traces", request(span()), content_type="application/json")["X-Ingest-Position"]


def hold(standby):
    standby.execute("SELECT pg_wal_replay_pause()")


def traces_of(reply):
    return reply.status_code, len(reply.json()["data"])


def test_a_read_waits_for_its_position_and_sees_what_was_written(api):
    assert traces_of(api.get(TRACES, headers={"X-Read-After": ingested(api)})) == (200, 1)


def test_a_read_that_names_no_position_sees_the_standby_as_it_is(api, standby):
    ingested_before = api.get(TRACES, headers={"X-Read-After": ingested(api)})
    hold(standby)
    ingested(api)

    assert (traces_of(ingested_before), traces_of(api.get(TRACES))) == ((200, 1), (200, 1))


def test_a_position_that_the_standby_does_not_reach_is_told_to_come_again(api, standby, settings):
    settings.READ_AFTER_MAX_WAIT_MS = 50
    hold(standby)
    reply = api.get(TRACES, headers={"X-Read-After": ingested(api)})

    assert (reply.status_code, reply.json()["error"]["code"], reply["Retry-After"]) == (503, 1604, "1")


def test_a_version_is_that_of_the_data_it_is_told_with(api, standby):
    first = api.get(TRACES, headers={"X-Read-After": ingested(api)})
    hold(standby)
    position = ingested(api)
    held = api.get(TRACES, headers={"If-None-Match": first["ETag"]})
    standby.execute("SELECT pg_wal_replay_resume()")
    caught_up = api.get(TRACES, headers={"If-None-Match": first["ETag"], "X-Read-After": position})

    assert (held.status_code, traces_of(caught_up)) == (304, (200, 2))


def test_texts_without_vectors_are_searched_on_the_standby(api):
    sent = request(span(attributes={"gen_ai.input.messages": "a refund"}))
    position = api.post("/v1/traces", sent, content_type="application/json")["X-Ingest-Position"]
    found, missed = (
        api.get(TRACES, {"search": word}, headers={"X-Read-After": position}) for word in ("refund", "invoice")
    )

    assert (traces_of(found), traces_of(missed)) == ((200, 1), (200, 0))


def test_what_is_managed_is_read_where_it_is_written(api, standby):
    hold(standby)
    path = f"/api/v1/projects/{Project.objects.get().public_id}"
    api.patch(path, {"name": "Renamed"}, content_type="application/json")

    assert api.get(path).json()["name"] == "Renamed"


def test_opinions_are_written_while_reads_go_to_the_standby(api):
    api.get(TRACES, headers={"X-Read-After": ingested(api)})
    trace = api.get(TRACES).json()["data"][0]["trace_id"]
    reply = api.post(f"{TRACES}/{trace}/feedback", {"score": 1}, content_type="application/json")

    assert reply.status_code == 201


def test_the_doctor_tells_of_the_standby(standby):
    _, found = doctor()

    assert (found["standby"]["level"], "follows" in found["standby"]["text"]) == ("ok", True)


def test_the_doctor_tells_of_a_standby_that_is_none(standby, monkeypatch):
    monkeypatch.setitem(django_settings.DATABASES, "standby", connections["default"].settings_dict)
    _, found = doctor()

    assert found["standby"]["level"] == "wrong"
