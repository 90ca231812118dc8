"""What a stranger sees after `make run`: the lines that are printed work when they are pasted."""

import json
import stat
import subprocess

import pytest

from observatory.supervisor.greeting import curl_lines

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def pasted(service):
    lines = [line for line in service.said.splitlines() if line.startswith(("curl ", "TOKEN="))]
    done = subprocess.run(["sh", "-c", "\n".join(lines)], capture_output=True, text=True, check=True, timeout=60)
    return lines, done.stdout


def test_three_lines_are_printed(pasted):
    assert [line[:6] for line in pasted[0]] == ["curl -", "TOKEN=", "curl -"]


def test_the_span_that_is_sent_is_the_one_that_is_read_back(pasted):
    lines, said = pasted
    trace_id = lines[0].partition('"traceId":"')[2][:32]
    listed = json.loads(said[said.index('{"status"') :])

    assert [trace["trace_id"] for trace in listed["data"]] == [trace_id]


def test_no_secret_is_printed(service):
    credentials = service.credentials
    secrets = [credentials["ingest_key"], *(user["password"] for user in credentials["users"].values())]

    assert [secret for secret in secrets if secret in service.said] == []


def test_every_start_prints_a_new_span(service):
    first, second = (curl_lines(service.base_url, service.home / "credentials.json") for _ in range(2))

    assert (first[0] != second[0], first[1:]) == (True, second[1:])


@pytest.mark.parametrize("name", ["credentials.json", "service.json", "postgres.secret"])
def test_files_with_secrets_are_their_owners_alone(service, name):
    assert stat.S_IMODE((service.home / name).stat().st_mode) == 0o600
