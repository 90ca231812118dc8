"""The pages in a real browser: what people do there, without an error in its console or a request to another host."""

import os
import re
import shutil
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.analytics.api.payloads import request, span

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "no chromium: nobody has looked at the pages in a browser (Debian and Ubuntu: apt install chromium)"
BASE = "/app/o/demo"

if CHROMIUM is None:
    sys.stderr.write(f"\n*** {MISSING} ***\n")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None and os.environ.get("REQUIRE_BROWSER") != "1", reason=MISSING),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, MISSING
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def cookies(browser, service):
    """The session of a developer who has signed in with the form."""
    user = service.credentials["users"]["developer"]
    context = browser.new_context(base_url=service.base_url)
    page = context.new_page()
    page.goto("/app")
    page.fill("[name=username]", user["username"])
    page.fill("[name=password]", user["password"])
    page.click("main button[type=submit]")
    page.wait_for_url(f"**{BASE}/overview")
    return context.cookies()


@pytest.fixture
def page(browser, service, cookies) -> Iterator[Page]:
    """The overview of a developer; at the end there was neither an error nor a request to another service."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=service.base_url)
    context.add_cookies(cookies)
    context.set_default_timeout(30_000)
    opened = context.new_page()
    opened.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    ours = (service.base_url, service.live_url)
    opened.on("request", lambda asked: None if asked.url.startswith(ours) else wrong.append(asked.url))
    opened.goto(f"{BASE}/overview")
    yield opened
    context.close()
    assert wrong == []


def first_figure(page: Page) -> int:
    return int(page.get_attribute("#figures .value", "title") or 0)


def drawn(page, panel):
    """Wait until a panel's chart is drawn."""
    page.wait_for_selector(f"#{panel} .u-over")
    return page.locator(f"#{panel} .u-over")


def test_a_member_signs_in_and_sees_charts(page):
    drawn(page, "requests")
    drawn(page, "latency")
    drawn(page, "cost-by-model")

    assert first_figure(page) > 1000


def test_dragging_over_a_chart_zooms_and_the_address_says_so(page):
    box = drawn(page, "requests").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.88, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + 40, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"start_time=2\d{3}-.*end_time=2\d{3}-"))

    drawn(page, "requests")
    assert page.locator(".range summary").inner_text().count("Z") == 2


def test_a_filter_narrows_the_page_and_stands_in_the_address(page):
    page.click(".narrow summary")
    page.fill("[name=model]", "gpt-4o-mini")
    page.press("[name=model]", "Enter")
    page.wait_for_url("**model=gpt-4o-mini**")
    page.wait_for_selector(".chips")
    narrowed = first_figure(page)

    assert "model=gpt-4o-mini" in page.get_attribute(f"nav a[href*='{BASE}/cost']", "href")
    page.click("[aria-label='Remove the filter model']")
    page.wait_for_selector(".chips", state="detached")
    assert 0 < narrowed < first_figure(page)


def test_a_span_of_a_trace_is_chosen_without_leaving_the_page(page):
    page.goto(f"{BASE}/traces?scope=roots&q=workflow_name:*")
    page.click("tbody tr:first-child td:first-child a")
    page.wait_for_selector(".fall .row")
    page.evaluate("window.kept = true")
    name = page.inner_text(".fall li:last-child .label")
    page.click(".fall li:last-child a")
    page.wait_for_selector(".fall li:last-child a[aria-current]")

    assert (page.inner_text("#span-title"), page.evaluate("window.kept")) == (name, True)


def test_the_worst_point_of_a_chart_leads_to_its_trace(page):
    drawn(page, "latency")
    page.click("#latency [data-worst]")
    page.wait_for_url(re.compile(rf"{BASE}/traces/[0-9a-f]{{32}}\?span="))

    chosen = page.inner_text(".fall [aria-current] .label")
    assert chosen == page.inner_text("#span-title")


def test_a_chart_is_read_and_opened_with_the_keyboard(page):
    drawn(page, "latency")
    page.focus("#latency .chart")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    said = page.inner_text("#latency .chart p[aria-live]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/traces?**")

    assert re.match(r"\d{4}-\d\d-\d\d \d\d:00 UTC", said)


def test_the_theme_is_switched_and_kept(page):
    page.click("[data-theme-switch]")
    page.click("[data-theme-switch]")
    page.reload()
    drawn(page, "requests")

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.inner_text("[data-theme-name]") == "dark"


def test_a_page_is_as_wide_as_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("overview", "cost", "performance", "quality", "models", "anomalies", "budgets", "traces", "exports"):
        page.goto(f"{BASE}/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, name


def test_a_budget_is_a_bar_and_its_periods_are_a_chart(page, service):
    admin = service.credentials["users"]["admin"]
    form = {"grant_type": "password", "username": admin["username"], "password": admin["password"]}
    token = httpx.post(f"{service.base_url}/auth/token", data=form).raise_for_status().json()["access_token"]
    name = f"Seen in a browser {os.urandom(4).hex()}"
    body = {"name": name, "amount": 0.01, "period": "yearly"}
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{service.base_url}/api/v1/costs/budgets", json=body, headers=headers, timeout=30).raise_for_status()
    page.click("nav a:has-text('Budgets')")
    page.wait_for_url("**/budgets*")
    page.click(f".meter.exceeded a:has-text('{name}')")
    page.wait_for_url("**budget=**")
    drawn(page, "periods")

    assert page.inner_text("#periods .line") == name
    page.focus("#periods .chart")
    page.keyboard.press("End")
    assert "Spent" in page.inner_text("#periods .chart p[aria-live]")


def test_anomalies_are_narrowed_by_a_click_and_the_address_says_so(page):
    page.click("nav a:has-text('Anomalies')")
    page.wait_for_url("**/anomalies*")
    page.click(".choices a:has-text('Error rate')")
    page.wait_for_url("**/anomalies?metric=error_rate")
    page.wait_for_selector(".choices a[aria-current]:has-text('Error rate')")

    assert (
        page.locator("#anomalies td:nth-child(5)").all_inner_texts()
        == ["Error rate"] * page.locator("#anomalies tbody tr").count()
    )


def test_pages_are_walked_without_loading_everything_anew(page):
    page.evaluate("window.kept = true")
    page.click("nav a:has-text('Cost')")
    page.wait_for_url("**/cost")
    drawn(page, "over-time")

    assert page.evaluate("window.kept") is True
    page.go_back()
    page.wait_for_url("**/overview")
    drawn(page, "requests")


def test_an_export_is_made_and_downloaded(page, service, tmp_path):
    model = f"exported-{os.urandom(4).hex()}"
    send(service, model, "first", "second")
    page.goto(f"{BASE}/traces?model={model}&start_time=now-1h")
    page.click("[aria-label='Data of the list']")
    page.click("a:has-text('Export all of a range')")
    page.wait_for_url(re.compile(rf"{BASE}/exports\?.*model={model}"))
    page.select_option("[name=format]", "csv")
    page.click("main button[type=submit]")
    page.wait_for_url(f"**{BASE}/exports")
    with page.expect_download() as begun:
        page.click("#jobs tbody tr:first-child a:has-text('Download')")
    begun.value.save_as(tmp_path / "file.csv")

    assert (tmp_path / "file.csv").read_text().count(model) == 2


def send(service, model, *names):
    """Store calls of `model` with these names, as an exporter sends them."""
    calls = [
        span(name=name, traceId=os.urandom(16).hex(), attributes={"gen_ai.request.model": model}) for name in names
    ]
    headers = {"Authorization": f"Bearer {service.credentials['ingest_key']}"}
    httpx.post(f"{service.base_url}/v1/traces", json=request(*calls), headers=headers).raise_for_status()


def says(page, words):
    page.wait_for_function("words => document.querySelector('[data-live-state]').textContent === words", arg=words)


def names_in(page):
    return page.locator("#rows tbody td:nth-child(2)").all_inner_texts()


def test_the_live_tail_shows_a_span_that_was_sent_meanwhile(page, service):
    model = f"tailed-{os.urandom(4).hex()}"
    page.goto(f"{BASE}/traces?model={model}&start_time=now-1h")
    page.click("[data-live-switch]")
    says(page, "Live")
    send(service, "gpt-4o", "another model")
    send(service, model, "first")
    page.wait_for_selector("tr.fresh td:has-text('first')")

    assert names_in(page) == ["first"]
    assert "live=true" in page.url


def test_a_paused_tail_counts_and_shows_when_it_goes_on(page, service):
    model = f"tailed-{os.urandom(4).hex()}"
    page.goto(f"{BASE}/traces?model={model}&start_time=now-1h&live=true")
    says(page, "Live")
    page.click("[data-live-pause]")
    send(service, model, "first", "second")
    says(page, "Paused: 2 new")
    held = names_in(page)
    page.click("[data-live-pause]")
    page.wait_for_selector("tr.fresh")

    assert (held, sorted(names_in(page))) == ([], ["first", "second"])


def test_the_tail_works_where_it_was_walked_to_and_ends_where_it_was_left(page, service):
    page.click("nav a:has-text('Traces')")
    page.wait_for_url("**/traces*")
    page.click("[data-live-switch]")
    says(page, "Live")
    page.click("nav a:has-text('Cost')")
    page.wait_for_url("**/cost*")
    drawn(page, "over-time")
