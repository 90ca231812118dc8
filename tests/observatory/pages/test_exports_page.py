"""Exports as a page: made with a form, listed, and taken away, by the routes of the API."""

import re

import pytest

from analytics.exports.running import export_run
from analytics.models import ExportJob
from observatory.accounts.models import AuditEntry
from observatory.database import tenancy
from tests.analytics.api.payloads import span
from tests.analytics.storage.conftest import committed, owner  # noqa: F401  fixtures
from tests.observatory.asking import ask
from tests.observatory.pages.conftest import BASE, signed_in, text_of

PAGE = f"{BASE}/exports"


def pressed(browser, **boxes):
    """Fill the form in and press its button."""
    (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(PAGE).content.decode()))
    form = {"format": "csv", "compression": "none", "scope": "all", "start_time": "now-7d", "project_id": ""}
    return browser.post(PAGE, form | {"end_time": "", "csrfmiddlewaretoken": token} | boxes)


def test_an_export_is_made_shown_and_downloaded(browser, send):
    send(span(attributes={"gen_ai.request.model": "<b>one</b>"}), span())
    assert "No export yet" in text_of(browser.get(PAGE))

    made = pressed(browser, model="<b>one</b>")
    job = ExportJob.objects.get()
    waiting = browser.get(PAGE)
    export_run(job.id)
    done = browser.get(PAGE).content.decode()
    (link,) = re.findall(rf'href="({PAGE}/[^"]+/file)"', done)
    reply, octets = ask(link, client=browser)

    assert (made.status_code, made["Location"]) == (302, PAGE)
    assert ("every 3s" in waiting.content.decode(), "every 3s" in done) == (True, False)
    assert (reply.status_code, reply["Cache-Control"]) == (200, "private, no-store")
    assert "attachment" in reply["Content-Disposition"]
    assert (octets.count(b"<b>one</b>"), octets.count(b"\n")) == (1, 2)
    with tenancy.only(tenancy.EVERY):
        found = AuditEntry.objects.filter(resource_type="export").order_by("ts")
        assert [(one.action, one.resource_id) for one in found] == [("create", str(job.id)), ("export", str(job.id))]


@pytest.mark.parametrize(
    ("boxes", "field", "said"),
    [
        ({"start_time": "<i>soon</i>"}, "start_time", "Invalid format for field 'start_time'"),
        ({"end_time": "now-30d"}, "start_time|end_time", "the start must be before the end"),
    ],
)
def test_a_box_that_is_wrong_is_told_beside_it_and_nothing_is_made(browser, boxes, field, said):
    reply = pressed(browser, **boxes)

    page = reply.content.decode()
    assert (reply.status_code, ExportJob.objects.count()) == (400, 0)
    beside = re.findall(rf'id="problem-({field})" role="alert">([^<]+)', page)
    assert len(beside) == 1
    assert said in beside[0][1].replace("&#x27;", "'")
    assert "<i>" not in page


@pytest.mark.parametrize("boxes", [{"format": "exe"}, {"project_id": "another"}])
def test_a_choice_that_is_none_is_refused(browser, boxes):
    assert pressed(browser, **boxes).status_code in {400, 403}
    assert ExportJob.objects.count() == 0


def test_a_viewer_has_no_form_and_makes_nothing(member, browser, send):
    send(span())
    pressed(browser)
    job = ExportJob.objects.get()
    export_run(job.id)
    member("viewer")
    viewer = signed_in("viewer")

    page = viewer.get(PAGE).content.decode()
    (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))

    assert ("Make an export" in page, "Download" in page) == (False, True)
    assert viewer.post(PAGE, {"format": "csv", "csrfmiddlewaretoken": token}).status_code == 403
    assert ExportJob.objects.count() == 1


@pytest.mark.parametrize("place", ["exports/nothing/file", "exports/00000000-0000-4000-8000-000000000000/file"])
def test_a_file_that_is_not_there_is_a_page_that_says_so(browser, place):
    reply = browser.get(f"{BASE}/{place}")

    assert (reply.status_code, reply["Content-Type"]) == (404, "text/html; charset=utf-8")
