import json
import os
import re
import subprocess
import sys

import pytest
from django.db import connections
from django.test import Client

from observatory import health
from observatory.env import DRAINING_FILE, draining_mark
from observatory.supervisor.valkey import EmbeddedValkey

NOWHERE = "postgresql://nobody:secret@/nothing?host=/nonexistent"
ASK = """
import django, json, sys
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
replies = {path: client.get(path, headers={"X-API-Key": "llmo_sk_live_any"}) for path in sys.argv[1:]}
print(json.dumps({path: [one.status_code, dict(one.items()), one.json()] for path, one in replies.items()}))
"""


def told(reply):
    return reply.status_code, reply.json()


@pytest.fixture
def redis(settings, tmp_path_factory):
    """A Redis of the test's own behind the cache, which the test may stop."""
    with EmbeddedValkey(tmp_path_factory.mktemp("redis")) as server:
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": server.url}}
        yield server


def ask_without_database(*paths):
    """Return status, headers and body of each path as a process answers that cannot reach its database."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK, *paths],
        env=os.environ | {"DATABASE_URL": NOWHERE, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(asked.stdout), asked.stderr


def test_all_is_well_while_database_and_redis_answer(db):
    status, body = told(Client().get("/health"))

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body.pop("timestamp"))
    assert (status, body) == (200, {"status": "healthy", "database": "healthy", "redis": "healthy"})


def test_a_process_that_runs_is_alive():
    assert told(Client().get("/health/live")) == (200, {"status": "alive"})


def test_a_service_is_ready_with_database_and_migrations(db):
    assert told(Client().get("/health/ready")) == (
        200,
        {"status": "ready", "database": "healthy", "redis": "healthy", "migrations": "applied"},
    )


def test_without_redis_the_service_is_degraded_and_still_ready(db, redis):
    redis.stop()

    replies = [Client().get(path) for path in ("/health", "/health/live", "/health/ready")]

    assert [(reply.status_code, reply.json()["status"], reply.json().get("redis")) for reply in replies] == [
        (503, "degraded", "unhealthy"),
        (200, "alive", None),
        (200, "ready", "unhealthy"),
    ]


def test_redis_is_healthy_again_when_it_is_back(db, redis):
    redis.stop()
    before = Client().get("/health").status_code
    redis.start()

    assert (before, Client().get("/health").status_code) == (503, 200)


def test_without_its_database_the_service_is_alive_and_not_ready():
    replies, _ = ask_without_database("/health", "/health/live", "/health/ready")

    bodies = {path: (status, body) for path, (status, _, body) in replies.items()}
    bodies["/health"][1].pop("timestamp")
    assert bodies == {
        "/health": (503, {"status": "degraded", "database": "unhealthy", "redis": "healthy"}),
        "/health/live": (200, {"status": "alive"}),
        "/health/ready": (
            503,
            {"status": "not_ready", "database": "unhealthy", "redis": "healthy", "migrations": "unknown"},
        ),
    }


def test_without_its_database_a_request_fails_with_a_sentence_and_no_insides():
    replies, _ = ask_without_database("/api/v1/traces")

    status, headers, body = replies["/api/v1/traces"]
    assert (status, headers["Retry-After"], body["error"]["code"], body["error"]["error_code"]) == (
        503,
        "5",
        1601,
        "DATABASE_CONNECTION_FAILED",
    )
    assert not re.search("nonexistent|nobody|secret|psycopg|socket", json.dumps(body))


def test_a_database_that_misses_a_migration_is_not_ready(db):
    health._migrations_were_applied.cache_clear()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
        assert cursor.fetchone() > (0,)
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")

    reply = Client().get("/health/ready")

    assert told(reply) == (
        503,
        {"status": "not_ready", "database": "healthy", "redis": "healthy", "migrations": "pending"},
    )


def test_a_service_about_to_stop_is_not_ready(db, monkeypatch, tmp_path):
    monkeypatch.setenv("OBSERVATORY_HOME", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / DRAINING_FILE).touch()

    status, body = told(Client().get("/health/ready"))

    assert (draining_mark().exists(), status, body["status"]) == (True, 503, "not_ready")


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_is_asked_without_credential_limit_or_store(db, settings, path):
    settings.RATE_LIMIT_PER_MINUTE = dict.fromkeys(settings.RATE_LIMIT_PER_MINUTE, 1)

    replies = [Client().get(path, headers={"Accept": "text/html"}) for _ in range(5)]

    assert {(one.status_code, one["Cache-Control"], "RateLimit" in one) for one in replies} == {
        (200, "no-store", False)
    }
