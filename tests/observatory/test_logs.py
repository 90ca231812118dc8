import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.observatory.accounts.credentials import PASSWORD, client, sign_in

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def lines(capsys):
    """Return a function that gives the fields of every line since it was made."""
    capsys.readouterr()
    found = []

    def read():
        found.extend(map(json.loads, capsys.readouterr().err.splitlines()))
        return list(found)

    return read


def test_a_request_is_one_line_with_what_an_operator_asks_for(api, tenant, lines):
    reply = api.get(
        "/api/v1/traces/" + "ab" * 16, headers={"X-Request-ID": "from-the-caller", "traceparent": TRACEPARENT}
    )

    (line,) = [one for one in lines() if one["event"] == "request"]
    del line["time"], line["duration_ms"]
    assert (reply.status_code, line) == (
        404,
        {
            "event": "request",
            "level": "info",
            "logger": "observatory.request",
            "request_id": "from-the-caller",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "method": "GET",
            "route": "/api/v1/traces/<str:trace_id>",
            "status": 404,
            "organisation": str(tenant.organisation.public_id),
            "principal": f"key:{tenant.organisation.api_keys.get().id}",
        },
    )


def test_a_caller_who_is_nobody_has_no_name(db, lines):
    client().get("/api/v1/traces", headers={"X-API-Key": "llmo_sk_live_wrong", "traceparent": "nonsense"})

    (line,) = lines()
    assert (line["principal"], line["organisation"], line["status"], "trace_id" in line) == (None, None, 401, False)


def test_no_line_holds_a_secret(api, tenant, member, lines):
    member("developer")
    pair = sign_in("developer").json()
    sign_in("developer", password="another secret")
    client().get("/api/v1/traces?user_id=jane", headers={"Authorization": f"Bearer {pair['access_token']}"})
    client().post("/auth/refresh", {"refresh_token": pair["refresh_token"]}, "application/json")
    api.post("/v1/traces", b"{", content_type="application/json")

    written = json.dumps(lines())
    secrets = (PASSWORD, "another secret", tenant.key, pair["access_token"], pair["refresh_token"], "jane")
    assert (len(lines()) >= 5, [one for one in secrets if one in written]) == (True, [])


def log_in_a_process(code, **environment):
    """Return what a process that set up Django and then ran `code` wrote to standard error."""
    return subprocess.run(
        [sys.executable, "-c", f"import django, logging, structlog; django.setup()\n{code}"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stderr


def test_lines_of_ours_and_of_libraries_are_json():
    written = log_in_a_process(
        "structlog.get_logger('ours').info('hello', count=1)\nlogging.getLogger('theirs').warning('of %s', 'a library')"
    )

    lines = [json.loads(line) for line in written.splitlines()]
    assert ["time" in line and line.pop("time")[-1] for line in lines] == ["Z", "Z"]
    assert lines == [
        {"event": "hello", "count": 1, "level": "info", "logger": "ours"},
        {"event": "of a library", "level": "warning", "logger": "theirs"},
    ]


def test_a_traceback_stays_on_its_line():
    (line,) = log_in_a_process(
        "try:\n  1 / 0\nexcept ZeroDivisionError:\n  structlog.get_logger('ours').exception('failed')"
    ).splitlines()

    assert "ZeroDivisionError: division by zero" in json.loads(line)["exception"]


@pytest.mark.parametrize(("level", "shown"), [("info", 1), ("warning", 0), ("error", 0)])
def test_lines_below_the_level_are_left_out(level, shown):
    assert len(log_in_a_process("structlog.get_logger().info('x')", LOG_LEVEL=level).splitlines()) == shown


def test_a_terminal_can_have_lines_for_people():
    written = log_in_a_process("structlog.get_logger().info('hello', count=1)", LOG_FORMAT="console")

    assert ("hello" in written, written.startswith("{")) == (True, False)


def test_a_slow_statement_is_logged_without_its_values(db, settings, lines):
    settings.SLOW_QUERY_MS = 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.01), %s", ["a prompt"])

    (line,) = [one for one in lines() if one["event"] == "slow statement"]
    assert (line["sql"], line["duration_ms"] >= 10) == ("SELECT pg_sleep(0.01), %s", True)
