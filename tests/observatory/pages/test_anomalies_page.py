"""The page of anomalies: what was unusual, why, the way to its charts and traces, and its course."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone

from analytics.models import Anomaly
from tests.analytics.api.payloads import NS, span
from tests.observatory.pages.conftest import BASE, text_of

URL = f"{BASE}/anomalies"
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
# On an hour, two days ago.
AT = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=2)


@pytest.fixture
def add(tenant):
    """Return a function that keeps an anomaly of the tenant."""

    def make(owner=tenant, **given):
        usual = {
            "organisation_id": owner.organisation.id,
            "project_id": owner.projects[0].id,
            "metric": "requests",
            "provider": "openai",
            "model": "gpt-4o",
            "direction": "up",
            "severity": "warning",
            "status": "closed",
            "started_at": AT,
            "last_hour": AT + HOUR,
            "ended_at": AT + HOUR * 2,
            "score": Decimal("9.25"),
            "expected": Decimal(1),
            "observed": Decimal(3),
            "explanation": [
                {"dimension": "environment", "value": "production", "expected": "1", "observed": "3",
                 "share_pct": "60", "usual_share_pct": "99"},
                {"dimension": "service_name", "value": "search", "expected": "0", "observed": "2",
                 "share_pct": "92.5", "usual_share_pct": "10"},
            ],
            "created_at": AT,
            "updated_at": AT + HOUR * 3,
        }  # fmt: skip
        return Anomaly.objects.create(**usual | given)

    return make


def rows(browser, query=""):
    page = browser.get(f"{URL}{query}").content.decode()
    part = re.search(r'id="anomalies".*?</section>', page, re.DOTALL)[0]
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)[1:]
    ]


def test_an_anomaly_is_told_with_what_moved(browser, add):
    add()

    assert rows(browser) == [[
        f"{AT:%Y-%m-%d %H}:00:00", "2 hours", "main", "gpt-4o openai", "Requests an hour", "warning", "1", "3",
        "service name search: 92.5 % of the change, usually 10.0 % of all.", "Charts", "Traces",
    ]]  # fmt: skip


def test_one_of_the_whole_project_that_goes_on_says_so(browser, add):
    add(provider=None, model=None, status="open", ended_at=None, explanation=[])

    (row,) = rows(browser)
    assert (row[1], row[3], row[8]) == ("goes on", "the whole project", "Nothing stands out.")


@pytest.mark.parametrize(
    "query",
    [
        "?metric=cost",
        "?severity=critical",
        "?status=open",
        "?model=gpt-4o-mini",
        "?provider=anthropic",
        "?start_time=now-1d",
    ],
)
def test_filters_in_the_address_narrow_the_list(browser, add, query):
    add()

    assert (len(rows(browser)), rows(browser, query)) == (1, [])


def test_a_filter_that_anomalies_do_not_have_is_said_to_be_idle(browser, add):
    add()

    page = browser.get(f"{URL}?user_id=ada")

    assert "Not narrowed here by user." in text_of(page)
    assert 'name="user_id" value="ada"' in page.content.decode()


def test_links_lead_to_the_charts_and_the_calls_of_its_hours(browser, add, send, tenant):
    add(metric="error_rate", expected=0, observed=1)
    send(called(AT, status={"code": 2}), called(AT - WEEK))
    page = unescape(browser.get(URL).content.decode())

    charts, traces = (re.search(rf'href="([^"]+)">{name}</a>', page)[1] for name in ("Charts", "Traces"))
    assert charts.startswith(f"{BASE}/quality?")
    shown = browser.get(traces).content.decode()
    assert len(re.findall(r"<tr>", re.search(r'<div id="rows">.*?</div>', shown, re.DOTALL)[0])) == 2  # with the head
    assert browser.get(charts).status_code == 200


def called(at, **given):
    start = int(at.timestamp()) * NS
    return span(startTimeUnixNano=str(start), endTimeUnixNano=str(start + NS), **given)


def course(browser, query=""):
    page = browser.get(f"{URL}{query}").content.decode()
    told = json.loads(re.search(r'id="course".*?application/json">(.*?)</script>', page, re.DOTALL)[1])
    at = told["times"].index(int(AT.timestamp()))
    return told, {one["label"]: one["values"][at] for one in told["series"]}


def test_the_course_lies_over_the_band_of_the_weeks_before(browser, add, send):
    add()
    before = [called(AT - WEEK), *(called(AT - WEEK * 2) for _ in range(4)), called(AT - WEEK * 3)]
    send(*(called(AT + timedelta(minutes=one)) for one in range(6)), *before)

    told, values = course(browser)

    assert values == {"Requests an hour": 6, "At most, weeks before": 4, "At least, weeks before": 1}
    assert (told["band"], told["times"][0]) == ([1, 2], int((AT - timedelta(days=2)).timestamp()))


def test_with_one_week_behind_it_the_course_lies_over_that(browser, add, send):
    add()
    send(called(AT), called(AT), called(AT - WEEK))

    told, values = course(browser)

    assert (values, told["band"]) == ({"Requests an hour": 2, "A week before": 1}, None)


def test_a_row_shows_its_own_course(browser, add, send):
    add(started_at=AT, model="gpt-4o")
    older = add(started_at=AT - HOUR, model="gpt-4o-mini")
    send(called(AT), called(AT, attributes={"gen_ai.request.model": "gpt-4o-mini"}))

    said = [text_of(browser.get(f"{URL}{query}")) for query in ("", f"?anomaly={older.id}")]

    assert ["gpt-4o of openai: 3" in said[0], "gpt-4o-mini of openai: 3" in said[1]] == [True, True]


def test_the_calls_of_the_page_are_calls_that_the_api_answers(browser, api, add, send):
    add(metric="latency_p95")
    send(called(AT))
    page = unescape(browser.get(URL).content.decode())
    calls = set(re.findall(r"Bearer \$TOKEN\" 'http://testserver([^']*)'", page))

    assert {one.partition("?")[0] for one in calls} == {"/api/v1/anomalies", "/api/v1/metrics"}
    assert {api.get(one).status_code for one in calls} == {200}


def test_anomalies_of_others_are_not_shown(browser, add, make_tenant):
    add(owner=make_tenant("rival"), model="secret-model")

    assert "secret-model" not in browser.get(URL).content.decode()


def test_scripts_in_names_and_explanations_are_shown_as_text(browser, add):
    part = {"dimension": "environment", "expected": "0", "observed": "1", "share_pct": "9", "usual_share_pct": "1"}
    add(model="<script>alert(1)</script>", explanation=[part | {"value": "<script>alert(2)</script>"}])

    assert "<script>alert" not in browser.get(URL).content.decode()
