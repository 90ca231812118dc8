"""Spans to export, and what creates, runs and reads exports."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from analytics.exports.running import export_run
from analytics.models import ExportJob
from tests.analytics.api.conftest import send  # noqa: F401  a fixture
from tests.analytics.api.payloads import NS, span
from tests.analytics.storage.conftest import committed, owner  # noqa: F401  fixtures
from tests.observatory.asking import ask

PATH = "/api/v1/export"
DAY = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
RANGE = {"start_time": DAY.isoformat(), "end_time": (DAY + timedelta(days=1)).isoformat()}


@pytest.fixture
def create(api: Client):
    """Return a function that creates an export of the day and returns its reply."""

    def post(client: Client = api, **body):
        return client.post(f"{PATH}/traces", RANGE | {"format": "jsonl"} | body, content_type="application/json")

    return post


@pytest.fixture
def exported(create, api: Client):
    """Return a function that creates an export, runs it, and returns the job and the octets of its file."""

    def export(**body):
        reply = create(**body)
        assert reply.status_code == 202, reply.content
        job_id = reply.json()["job_id"]
        export_run(ExportJob.objects.get(id=job_id).id)
        job = api.get(f"{PATH}/jobs/{job_id}").json()
        assert job["status"] == "completed", job
        return job, ask(f"{PATH}/jobs/{job_id}/download", client=api)[1]

    return export


def spans(count: int, **attributes):
    """Return spans of the day, a second apart, the later ones first."""
    begin = int(DAY.timestamp()) * NS
    return [span(start_ns=begin + number * NS, attributes=attributes) for number in reversed(range(count))]


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field", "")


def download(api, job, **headers):
    return ask(f"{PATH}/jobs/{job['job_id']}/download", client=api, headers=headers)
