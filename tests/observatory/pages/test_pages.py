"""What every page holds to: who sees it, what it lets in, what it asks and how often."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from observatory.accounts.models import Membership, Organisation, Project
from tests.analytics.api.payloads import span
from tests.observatory.asking import ask
from tests.observatory.pages.conftest import BASE, EVERY_PAGE, signed_in, text_of

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none';"
    " connect-src 'self' http://localhost:8081"  # where streams are
)
SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
# Statements of a whole page. Those of sessions, members and limits are about a dozen of them.
BUDGET = {
    "overview": 75,
    "cost": 75,
    "performance": 75,
    "quality": 55,
    "models": 60,
    "anomalies": 30,
    "budgets": 30,
    "traces": 25,
}


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_page_opens_with_data_and_without(browser, send, page):
    empty = browser.get(f"{BASE}/{page}")
    send(span(), span(attributes={"gen_ai.request.model": "gpt-4o-mini"}))
    full = browser.get(f"{BASE}/{page}")

    assert (empty.status_code, full.status_code) == (200, 200)
    assert "Demo" not in text_of(full)


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_a_page_has_nothing_that_its_policy_forbids(browser, stored, page):
    reply = browser.get(f"{BASE}/{page}")

    assert reply["Content-Security-Policy"] == POLICY
    found = re.findall(r"<script>|<style|\sstyle=|\son\w+=|javascript:", reply.content.decode())
    assert found == []


@pytest.mark.parametrize("page", ["overview", "traces"])
def test_everything_a_page_needs_comes_from_the_service_itself(browser, stored, page):
    shown = browser.get(f"{BASE}/{page}").content.decode()

    wanted = re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', shown)
    found = {one: ask(one)[0].status_code for one in wanted}
    assert found == dict.fromkeys(found, 200)
    assert [one for one in found if not one.startswith("/static/")] == []


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_a_page_asks_no_more_of_the_database_than_it_may(browser, stored, page):
    browser.get(f"{BASE}/{page}")
    send_anew(browser)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert browser.get(f"{BASE}/{page}?start_time=now-6d").status_code == 200

    assert len(asked) <= BUDGET[page]


def send_anew(browser):
    """Leave nothing in the browser that would shorten the way."""
    assert browser.get("/app").status_code == 302


def test_the_overview_tells_what_the_api_tells(browser, api, stored):
    told = api.get("/api/v1/metrics/summary?start_time=now-7d").json()["current_period"]

    page = browser.get(f"{BASE}/overview").content.decode()

    assert (told["total_requests"], told["total_tokens"]) == (3, 4500)
    values = re.findall(r'class="value" title="([^"]*)"', page)
    assert values[:2] == ["3", f"{told['total_cost_usd']}"]
    (asked,) = api.post(
        "/api/v1/metrics/query",
        {
            "metrics": [{"metric": one, "alias": one} for one in ("request_count", "total_cost")],
            "interval": "all",
            "start_time": "now-7d",
            "end_time": "now",
        },
        content_type="application/json",
    ).json()["data"]
    costs = api.get("/api/v1/costs/summary?start_time=now-7d").json()["overview"]
    performance = api.get("/api/v1/metrics/performance?start_time=now-7d").json()
    assert {told["total_requests"], asked["request_count"], costs["total_requests"], performance["request_count"]} == {
        3
    }
    assert told["total_cost_usd"] == asked["total_cost"] == costs["total_cost"]


def test_a_page_asks_the_limits_that_the_api_asks(browser, stored, settings):
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"developer": 3}

    reply = browser.get(f"{BASE}/overview")

    assert (reply.status_code, reply["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert "Retry-After" in reply


@pytest.mark.parametrize(
    ("role", "seen"),
    [("admin", EVERY_PAGE), ("developer", EVERY_PAGE), ("viewer", EVERY_PAGE), ("billing", ("cost", "budgets"))],
)
def test_a_member_sees_the_pages_of_their_role(member, stored, role, seen):
    member(role)
    browser = signed_in(role)

    replies = {page: browser.get(f"{BASE}/{page}").status_code for page in EVERY_PAGE}

    assert replies == {page: 200 if page in seen else 403 for page in EVERY_PAGE}
    nav = browser.get(f"{BASE}/{seen[0]}").content.decode()
    assert re.findall(rf'<li><a href="{BASE}/(\w+)"', nav) == list(seen)
    assert browser.get(BASE)["Location"] == f"{BASE}/{seen[0]}"


def test_a_member_for_costs_is_shown_no_span(member, stored):
    member("billing")

    page = signed_in("billing").get(f"{BASE}/cost").content.decode()

    assert ("Most expensive calls" in page, "Attributed to" in page) == (False, True)


@pytest.mark.parametrize(
    "page", [*EVERY_PAGE, "traces/worst", "traces/00000000000000000000000000000001", "values/model"]
)
def test_another_organisation_is_out_of_sight_whatever_the_url(browser, make_tenant, send, page):
    other = make_tenant("rival")
    send(span(traceId="0" * 31 + "1", attributes={"gen_ai.request.model": "secret-model"}), key=other.key)

    reply = browser.get(f"/app/o/rival/{page}")

    assert (reply.status_code, "secret-model" in reply.content.decode()) == (403, False)


def test_a_project_of_another_organisation_is_refused(browser, make_tenant, stored):
    theirs = make_tenant("rival", projects=("theirs",)).projects[0]

    by_slug = browser.get(f"{BASE}/overview?project_id=theirs")
    by_id = browser.get(f"{BASE}/overview?project_id={theirs.public_id}")

    assert (by_slug.status_code, by_id.status_code) == (403, 403)


def test_a_project_that_a_member_does_not_reach_is_not_in_their_figures(tenant, member, send):
    hidden = Project.objects.create(organisation=tenant.organisation, slug="hidden", name="Hidden")
    mine = member("viewer")
    send(span(), span())
    assert [one.slug for one in mine.projects.all()] == ["main"]
    assert hidden.slug not in [one.slug for one in mine.projects.all()]

    page = signed_in("viewer").get(f"{BASE}/overview?compare=none")

    assert (re.findall(r'class="value" title="(\d+)"', page.content.decode())[0], "Hidden" in text_of(page)) == (
        "2",
        False,
    )


def test_a_member_can_change_to_their_other_organisations(browser, member):
    other = Organisation.objects.create(slug="zoo", name="Zoo")
    Membership.objects.create(user=Membership.objects.get().user, organisation=other, role="viewer")
    Project.objects.create(organisation=other, slug="apes", name="Apes")

    page = browser.get(f"{BASE}/overview").content.decode()

    assert 'href="/app/o/zoo/overview"' in page


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_scripts_in_what_was_sent_are_shown_as_text(browser, send, page):
    names = ("gen_ai.request.model", "gen_ai.provider.name", "error.type", "user.id", "session.id", "gen_ai.tool.name")
    send(
        span(
            name=SCRIPT,
            status={"code": 2, "message": SCRIPT},
            attributes=dict.fromkeys(names, SCRIPT) | {"gen_ai.input.messages": SCRIPT, "llm.prompt": SCRIPT},
        )
    )

    shown = browser.get(f"{BASE}/{page}").content.decode()

    assert ("<script>alert" in shown, "<img src=x" in shown) == (False, False)


@pytest.mark.parametrize("page", EVERY_PAGE)
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("start_time=yesterday", "expected RFC 3339 with an offset"),
        ("start_time=now&end_time=now-1d", "start"),
        ("start_time=now-500d", "365"),
        ("nonsense=1", "nonsense"),
        ("model=a&model=b", "model"),
        ("compare=maybe", "compare"),
        ("start_time=now-1d&from=now-2d", "from"),
        ("model=%00", "U+0000"),
    ],
)
def test_a_wrong_parameter_is_told_beside_the_filters(browser, page, query, sentence):
    reply = browser.get(f"{BASE}/{page}?{query}")

    assert (reply.status_code, reply["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert sentence in text_of(reply)
    assert f'<form class="filters" method="get" action="{BASE}/{page}"' in reply.content.decode()


def test_boxes_that_were_left_empty_are_left_out(browser, stored):
    assert browser.get(f"{BASE}/overview?model=&provider=+&start_time=&end_time=&project_id=").status_code == 200


def test_filters_narrow_the_page_and_stand_in_its_links(browser, stored):
    page = browser.get(f"{BASE}/overview?model=gpt-4o-mini&start_time=now-1d&compare=none").content.decode()

    assert re.findall(r'class="value" title="(\d+)"', page)[0] == "1"
    assert f'href="{BASE}/cost?model=gpt-4o-mini&amp;start_time=now-1d&amp;compare=none"' in page


@pytest.mark.parametrize("span_of", ["now-1h", "now-12h", "now-7d", "now-30d", "now-90d"])
@pytest.mark.parametrize("page", [one for one in EVERY_PAGE if one != "traces"])
def test_every_range_of_the_menu_opens_on_every_page(browser, stored, page, span_of):
    reply = browser.get(f"{BASE}/{page}?start_time={span_of}")

    assert (reply.status_code, 'role="alert"' in reply.content.decode()) == (200, page == "cost")


@pytest.mark.parametrize("page", [one for one in EVERY_PAGE if one != "traces"])
def test_every_panel_with_a_table_is_a_file_too(browser, stored, page):
    shown = browser.get(f"{BASE}/{page}").content.decode()
    files = re.findall(rf'href="({BASE}/{page}/[\w-]+\.csv)"', shown)

    replies = [browser.get(one) for one in files]

    assert files
    assert [(one.status_code, one["Content-Type"]) for one in replies] == [(200, "text/csv; charset=utf-8")] * len(
        files
    )
    rows = [list(csv.reader(io.StringIO(one.content.decode()))) for one in replies]
    assert {len(one) for found in rows for one in found} - {0, 1} == {len(one) for found in rows for one in found}


def test_a_file_has_exact_numbers_and_no_text_that_a_spreadsheet_computes(browser, send):
    send(span(attributes={"gen_ai.request.model": "=1+1", "gen_ai.usage.input_tokens": 1}), span())

    found = browser.get(f"{BASE}/overview/models.csv").content.decode()

    assert list(csv.reader(io.StringIO(found))) == [
        ["Model", "Provider", "Cost", "Share"],
        ["gpt-4o", "openai", "0.0075", "100"],
    ]
    attributed = browser.get(f"{BASE}/performance/models.csv").content.decode()
    assert "'=1+1" in attributed


@pytest.mark.parametrize(
    "path", ["overview/nothing.csv", "overview/figures.csv", "nothing", "values/nothing", "traces/%2e"]
)
def test_what_is_not_there_has_a_page_that_says_so(browser, path):
    reply = browser.get(f"{BASE}/{path}")

    assert (reply.status_code, reply["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/app/nothing", "/app/", "/app/o/acme/overview/"])
def test_a_path_below_the_pages_that_is_none_has_a_page_of_its_own(browser, path):
    reply = browser.get(path)

    assert (reply.status_code, "There is nothing at this path" in text_of(reply)) == (404, True)


def test_a_method_that_a_page_does_not_take_has_a_page_of_its_own(browser):
    reply = Client().put("/app/sign-in")

    assert (reply.status_code, reply["Content-Type"]) == (405, "text/html; charset=utf-8")


def test_an_error_that_nobody_foresaw_has_a_page_that_tells_nothing_of_our_insides(browser, monkeypatch):
    def broken(*_given):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("observatory.pages.questions.Asker.ask", broken)

    reply = browser.get(f"{BASE}/overview")

    assert (reply.status_code, reply["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "hunter2" not in reply.content.decode()


def test_the_call_behind_a_panel_is_one_that_the_api_answers(browser, api, stored):
    page = browser.get(f"{BASE}/overview?model=gpt-4o").content.decode()
    calls = re.findall(
        r"<code>curl -sS -H &quot;Authorization: Bearer \$TOKEN&quot; &#x27;http://testserver([^<]*)&#x27;</code>", page
    )

    replies = {one: api.get(one.replace("&amp;", "&")).status_code for one in calls}

    assert replies
    assert set(replies.values()) == {200}


def test_values_for_the_boxes_are_those_of_the_member(browser, stored):
    assert browser.get(f"{BASE}/values/model").json() == {"values": ["gpt-4o", "gpt-4o-mini"]}


def test_a_part_of_a_page_sends_who_is_signed_out_to_the_form(db):
    reply = Client().get(f"{BASE}/overview", headers={"HX-Request": "true"})

    assert (reply.status_code, reply["HX-Redirect"]) == (204, "/app/sign-in")


def test_a_page_is_kept_by_nobody(browser):
    assert browser.get(f"{BASE}/overview")["Cache-Control"] == "private, no-store"
