"""Exports in the admin: seen, downloaded and cancelled by the services of the API; who took a file is recorded."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.models import ExportJob
from observatory.accounts.models import AuditEntry, User
from observatory.database import tenancy
from tests.analytics.exports.conftest import create, exported, spans
from tests.observatory.admin.conftest import SCRIPT, text_of
from tests.observatory.asking import ask

__all__ = ["create", "exported"]  # fixtures
LIST = "/admin/analytics/exportjob/"


def entries():
    with tenancy.only(tenancy.EVERY):
        found = AuditEntry.objects.filter(resource_type="export", user_id__isnull=False).order_by("ts")
        return [(one.action, one.resource_id) for one in found]


def test_a_file_is_the_one_that_the_api_gives_and_its_download_is_recorded(helper, send, exported):
    send(*spans(3))
    job, octets = exported()

    listed = helper.get(LIST)
    reply, taken = ask(f"{LIST}{job['job_id']}/download/", client=helper)

    assert ("completed" in text_of(listed), "Download" in text_of(listed)) == (True, True)
    assert (reply.status_code, taken, int(reply["Content-Length"])) == (200, octets, len(octets))
    assert entries()[-1] == ("export", job["job_id"])


def test_an_export_that_waits_is_cancelled_and_has_no_file(helper, send, create):
    send(*spans(1))
    job_id = create().json()["job_id"]
    assert "thrown away" in text_of(helper.get(f"{LIST}{job_id}/cancel/"))

    assert helper.get(f"{LIST}{job_id}/download/").status_code == 409
    helper.post(f"{LIST}{job_id}/cancel/")
    helper.post(f"{LIST}{job_id}/cancel/")  # refused, and nothing is recorded

    assert ExportJob.objects.get().status == "cancelled"
    assert entries() == [("delete", job_id)]


def test_a_file_whose_time_is_over_is_gone_and_a_page_says_so(helper, send, exported):
    send(*spans(1))
    job, _ = exported()
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    reply = helper.get(f"{LIST}{job['job_id']}/download/")

    assert (reply.status_code, "To the administration" in text_of(reply)) == (410, True)
    assert "expired" in text_of(helper.get(LIST))


@pytest.mark.parametrize(("method", "act"), [("post", "cancel"), ("get", "cancel"), ("get", "download")])
def test_whoever_may_not_see_exports_takes_none(helper, send, create, method, act):
    send(*spans(1))
    job_id = create().json()["job_id"]
    User.objects.get(username="helper").user_permissions.set(Permission.objects.exclude(codename__contains="exportjob"))

    assert getattr(helper, method)(f"{LIST}{job_id}/{act}/").status_code == 403


def test_a_list_asks_as_often_for_many_rows_as_for_one(helper, send, create):
    send(*spans(1))
    job_id = create().json()["job_id"]
    ExportJob.objects.filter(id=job_id).update(asked={"scope": SCRIPT})
    with CaptureQueriesContext(connection) as one:
        page = helper.get(f"{LIST}{job_id}/change/").content.decode()
        helper.get(LIST)
    for _ in range(3):
        create()
    with CaptureQueriesContext(connection) as several:
        helper.get(f"{LIST}{job_id}/change/")
        helper.get(LIST)

    assert len(several) <= len(one)
    assert (SCRIPT in page, "&lt;script&gt;" in page) == (False, True)
