"""What the list of traces is told for its tail, and the ticket that it buys."""

import re

import pytest
from django.test import override_settings

from observatory.accounts import tickets
from tests.analytics.api.payloads import span
from tests.observatory.pages.conftest import BASE, signed_in


def tail(reply):
    """Return the query of the page's stream, `None` when it has no tail."""
    found = re.findall(r'data-live="([^"]*)"', reply.content.decode())
    return found[0].replace("&amp;", "&") if found else None


def buy(browser, **form):
    page = browser.get(f"{BASE}/traces").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
    return browser.post(f"{BASE}/traces/ticket", {"csrfmiddlewaretoken": token} | form)


def test_the_stream_is_narrowed_by_the_filters_in_the_address(browser, stored):
    given = {"model": "gpt-4o", "user_id": "ada", "min_cost": "0.5", "q": "status:error", "sort_by": "duration_ms"}

    assert tail(browser.get(f"{BASE}/traces", given)) == ("events=trace_created&model=gpt-4o&user_id=ada&min_cost=0.5")


@pytest.mark.parametrize("given", [{"end_time": "2026-03-01T00:00:00Z", "start_time": "2026-02-01T00:00:00Z"}])
def test_a_range_that_has_ended_has_no_tail(browser, stored, given):
    assert tail(browser.get(f"{BASE}/traces", given)) is None


def test_an_address_says_whether_the_tail_runs(browser, stored):
    pages = [browser.get(f"{BASE}/traces", given).content.decode() for given in ({}, {"live": "true"})]

    assert ["data-on" in page for page in pages] == [False, True]


def test_a_ticket_stands_for_the_member_in_the_organisation_that_is_looked_at(browser, stored, tenant):
    reply = buy(browser)
    shown = tickets.redeem(reply.json()["ticket"])

    assert (reply.status_code, reply["Cache-Control"]) == (200, "private, no-store")
    assert reply.json()["sse_url"] == "http://localhost:8081/api/v1/events"
    assert shown.listener().organisation_id == tenant.organisation.pk
    assert "traces:read" in shown.listener().permissions


def test_without_the_form_s_token_there_is_no_ticket(browser, stored):
    assert browser.post(f"{BASE}/traces/ticket").status_code == 403


def test_who_may_not_read_traces_gets_none(member, browser, stored):
    member("billing")
    clerk = signed_in("billing")
    token = clerk.cookies["csrftoken"].value

    assert clerk.post(f"{BASE}/traces/ticket", headers={"X-CSRFToken": token}).status_code == 403


def test_where_tokens_are_made_elsewhere_it_says_so(browser, stored):
    with override_settings(JWT_ALGORITHM="RS256", JWT_PRIVATE_KEY=""):
        assert buy(browser).status_code == 501


def test_pages_may_ask_no_other_host_where_streams_are_on_theirs(browser):
    with override_settings(LIVE_BASE_URL="http://testserver"):
        policy = browser.get(f"{BASE}/traces")["Content-Security-Policy"]

    assert "connect-src" not in policy


def test_who_looks_because_something_came_sees_it(browser, send, settings):
    settings.CACHE_OPEN_SECONDS = 60
    before = browser.get(f"{BASE}/traces").content.decode()
    send(span(name="sent meanwhile"))
    kept = browser.get(f"{BASE}/traces").content.decode()
    looked = browser.get(f"{BASE}/traces", headers={"Cache-Control": "no-cache"}).content.decode()

    assert ["sent meanwhile" in page for page in (before, kept, looked)] == [False, False, True]
