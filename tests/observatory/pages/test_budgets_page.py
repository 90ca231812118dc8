"""The page of budgets: what is spent, what is foreseen, and the periods."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone

from analytics.costs.budgets.periods import period_at
from analytics.models import Budget, BudgetAlert, BudgetPeriod
from observatory.accounts.models import Project
from tests.analytics.api.payloads import span
from tests.observatory.pages.conftest import BASE, signed_in, text_of

URL = f"{BASE}/budgets"


@pytest.fixture
def make(api):
    """Return a function that makes a budget as a client does."""

    def post(**given):
        body = {"name": "All of it", "amount": 1, "period": "monthly"} | given
        reply = api.post("/api/v1/costs/budgets", json.dumps(body), content_type="application/json")
        assert reply.status_code == 201, reply.content
        return reply.json()

    return post


def meters(browser, query=""):
    """Return state, words and width of each bar, in the order of the page."""
    page = browser.get(f"{URL}{query}").content.decode()
    found = re.findall(
        r'<li class="meter (\w+)">.*?>([^<]+)</a>.*?<rect class="used" width="([\d.]+)"', page, re.DOTALL
    )
    return [(name, state, width) for state, name, width in found]


def test_each_budget_has_a_bar_the_most_pressing_first(browser, make, send):
    send(span())  # 0.0075 dollars
    make(name="Wide", amount=0.03)
    make(name="Used up", amount=0.005)
    make(name="Tight", amount=0.009)
    make(name="Switched off", amount=0.001, is_active=False)

    assert meters(browser) == [
        ("Used up", "exceeded", "100.0"),
        ("Tight", "warning", "83.3"),
        ("Wide", "ok", "25.0"),
        ("Switched off", "off", "100.0"),
    ]
    said = text_of(browser.get(URL))
    assert "$0.00750 of $0.00500, 150.0 %" in said
    assert "warning at $0.00720" in said


def test_requests_without_a_price_are_told_beside_what_is_spent(browser, make, send):
    send(span(), span(attributes={"gen_ai.request.model": "of-our-own"}))
    make()

    assert "1 request has no price and no part in this sum." in text_of(browser.get(URL))


def test_an_overrun_that_is_foreseen_is_told_in_the_words_of_its_alert(browser, make):
    budget = make()
    today = timezone.now().date()
    BudgetPeriod.objects.filter(budget=budget["id"]).update(
        overrun_on=today, overrun_earliest=today, overrun_latest=None
    )

    told = f"it will pass 100 % on {today.day} {today:%B}, and not before {today.day} {today:%B}."
    assert told in text_of(browser.get(URL))


@pytest.fixture
def with_history(make):
    """A budget with two periods behind it, in the first of which it was used up."""
    made = make(name="With a past", period="daily", amount=5)
    budget = Budget.objects.get(id=made["id"])
    today = period_at("daily", timezone.now())
    for days, spent in ((2, Decimal("6.5")), (1, Decimal("1.25"))):
        period = BudgetPeriod.objects.create(
            budget=budget,
            organisation_id=budget.organisation_id,
            period_start=today.start - timedelta(days=days),
            period_end=today.end - timedelta(days=days),
            amount=budget.amount,
            spent=spent,
        )
        if days == 2:
            BudgetAlert.objects.create(
                period=period,
                organisation_id=budget.organisation_id,
                number=1,
                severity="critical",
                state="exceeded",
                current_cost=spent,
                threshold_value=budget.amount,
                percentage_used=Decimal(130),
                message="It is used up.",
                triggered_at=datetime.combine(date(2026, 3, 1), datetime.min.time(), tzinfo=UTC),
            )
    return made


def test_periods_of_a_budget_are_a_chart_with_its_table_and_its_alerts(browser, with_history):
    page = browser.get(f"{URL}?budget={with_history['id']}")
    chart = json.loads(
        re.search(r'id="periods".*?application/json">(.*?)</script>', page.content.decode(), re.DOTALL)[1]
    )

    assert [one["values"][:2] for one in chart["series"]] == [[6.5, 1.25], [5, 5]]
    file = browser.get(f"{URL}/periods.csv?budget={with_history['id']}").content.decode().splitlines()
    assert (file[0], [line.split(",", 1)[1] for line in file[1:3]]) == (
        "Period from (UTC),Spent,Amount,Used,Alerts",
        ["6.5,5,130,1", "1.25,5,25,0"],
    )
    assert "2026-03-01 00:00:00 critical $6.50 130.0 % It is used up." in text_of(page)


def test_the_calls_of_the_page_are_calls_that_the_api_answers(browser, api, with_history):
    page = unescape(browser.get(URL).content.decode())
    calls = set(re.findall(r"Bearer \$TOKEN\" 'http://testserver([^']*)'", page))

    assert {re.sub(r"[0-9a-f-]{36}", "ID", one).partition("?")[0] for one in calls} == {
        "/api/v1/costs/budgets",
        "/api/v1/costs/budgets/ID",
        "/api/v1/costs/budgets/ID/history",
    }
    assert {api.get(one).status_code for one in calls} == {200}


def test_a_member_sees_budgets_in_reach_alone(tenant, member, make):
    make(name="Of all")
    make(name="Of main", project_id="main")
    Project.objects.create(organisation=tenant.organisation, slug="hidden", name="Hidden")
    member("viewer")
    browser = signed_in("viewer")

    assert [name for name, _, _ in meters(browser)] == ["Of main"]


def test_a_budget_of_others_is_not_found(browser, make_tenant, make):
    other = make_tenant("rival")
    theirs = Budget.objects.create(
        organisation_id=other.organisation.id,
        organisation_uuid=other.organisation.public_id,
        name="Secret",
        amount=1,
        period="monthly",
        warning_threshold=80,
        critical_threshold=95,
        created_at=timezone.now(),
        updated_at=timezone.now(),
    )

    reply = browser.get(f"{URL}?budget={theirs.id}")

    assert (reply.status_code, "Secret" in text_of(reply)) == (404, False)


def test_more_budgets_than_a_page_shows_are_reached_by_links(browser, make, monkeypatch):
    monkeypatch.setattr("observatory.pages.subjects.budgets.LIMIT", 1)
    make(name="First")
    make(name="Second")

    assert [[name for name, _, _ in meters(browser, query)] for query in ("", "?offset=1")] == [["First"], ["Second"]]
    assert f'href="{URL}?offset=1"' in browser.get(URL).content.decode()


def test_scripts_in_the_name_of_a_budget_are_shown_as_text(browser, make):
    make(name="<script>alert(1)</script>")

    page = browser.get(URL).content.decode()

    assert ("<script>alert" in page, "&lt;script&gt;alert(1)" in page) == (False, True)
