"""The admin in a real browser: a model is priced and its cost changes, a key is rotated; scripts stay text."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page

from tests.analytics.api.payloads import request as otlp
from tests.analytics.api.payloads import span
from tests.e2e.tenants import eventually
from tests.e2e.test_pages_in_a_browser import browser, pytestmark  # noqa: F401  a fixture, and when to skip

MODEL = "grande-1"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def cookies(browser, service):  # noqa: F811
    """The session of the superuser, who has signed in with the form that the admin led to."""
    user = service.credentials["superuser"]
    context = browser.new_context(base_url=service.base_url)
    page = context.new_page()
    page.goto("/admin/traces/")
    page.fill("[name=username]", user["username"])
    page.fill("[name=password]", user["password"])
    page.click("main button[type=submit]")
    page.wait_for_url("**/admin/**traces**")
    return context.cookies()


@pytest.fixture
def page(browser, service, cookies) -> Iterator[Page]:  # noqa: F811
    """A page of the superuser's; at the end there was neither an error nor a request to another host."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=service.base_url)
    context.add_cookies(cookies)
    context.set_default_timeout(30_000)
    opened = context.new_page()
    opened.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("request", lambda asked: None if asked.url.startswith(service.base_url) else wrong.append(asked.url))
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def unpriced(service):
    """A call of a model that no price is for, whose content is a script."""
    said = {"gen_ai.provider.name": "petit", "gen_ai.request.model": MODEL, "gen_ai.prompt.0.content": HOSTILE}
    sent = span(traceId="ad" * 16, name=HOSTILE, attributes=said)
    headers = {"Authorization": f"Bearer {service.credentials['ingest_key']}"}
    reply = httpx.post(f"{service.base_url}/v1/traces", json=otlp(sent), headers=headers)
    assert reply.status_code == 200, reply.text


def finished(page):
    """Wait until the worker has done what was asked for; return what it said."""
    page.wait_for_selector("pre.said", timeout=60_000)
    return page.locator("pre.said").first.inner_text()


@pytest.mark.usefixtures("unpriced")
def test_a_model_without_a_price_is_priced_and_its_cost_changes(page):
    page.goto("/admin/o/demo/unpriced")
    page.click(f"tr:has-text('{MODEL}') a")
    page.fill("[name=input]", "1")
    page.fill("[name=output]", "2")
    page.click("[name=_save]")
    page.wait_for_url("**/operations/recompute-costs/**")
    page.click(".submit-row [type=submit]")
    assert "1 of 1 spans would change" in finished(page)
    page.click(".submit-row [type=submit]")
    page.wait_for_selector(".state.done")
    assert "1 of 1 spans changed" in finished(page)

    page.goto(f"/admin/o/demo/traces/{'ad' * 16}")
    assert page.inner_text(".figures .card:nth-child(2) .value") == "$0.00200"
    assert HOSTILE in page.inner_text(".fall")

    def is_listed():
        page.goto("/admin/o/demo/unpriced")
        return MODEL in page.inner_text("#content")

    assert eventually(lambda: not is_listed())  # a range that goes on is asked for anew every few seconds


def test_a_key_is_rotated_and_its_new_secret_works(page, service):
    page.goto("/admin/accounts/apikey/")
    page.click("#result_list a:has-text('demo ingest')")
    page.click("a:has-text('Rotate')")
    page.click("[type=submit][value=Rotate]")
    said = page.inner_text(".messagelist")
    (secret,) = re.findall(r"llmo_sk_live_\w{40}", said)

    answers = [
        httpx.get(f"{service.base_url}/api/v1/me", headers={"Authorization": f"Bearer {one}"}).status_code
        for one in (secret, service.credentials["ingest_key"])
    ]
    assert answers == [200, 200]
    page.reload()
    assert secret not in page.content()


def test_pages_of_the_admin_are_as_wide_as_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for place in (
        "",
        "o/demo/traces",
        "o/demo/unpriced",
        "aggregates/",
        "retention/",
        "jobs/",
        "analytics/modelprice/",
    ):
        page.goto(f"/admin/{place}")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, place
