import re

import pytest
from django.test import override_settings

from observatory.accounts.models import AuditEntry
from observatory.database import tenancy
from tests.analytics.api.payloads import NS, now_ns, span
from tests.observatory.pages.conftest import BASE, text_of

TRACE = "ab" * 16
SCRIPT = "<script>alert(1)</script>"


def tree(send):
    """An agent that asked a model and a tool, which failed."""
    start = now_ns() - 120 * NS
    messages = '[{"role": "user", "parts": [{"type": "text", "content": "<b>How</b> far?"}]}]'
    send(
        span(traceId=TRACE, spanId="a" * 16, name="agent", start_ns=start, duration_ms=3000, attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}),
        span(traceId=TRACE, spanId="b" * 16, parentSpanId="a" * 16, name="chat", start_ns=start + NS // 2, duration_ms=2000, attributes={"gen_ai.input.messages": messages}),
        span(traceId=TRACE, spanId="c" * 16, parentSpanId="a" * 16, name="look up", start_ns=start + 5 * NS // 2, duration_ms=400, status={"code": 2, "message": SCRIPT}, attributes={"gen_ai.operation.name": "execute_tool", "error.type": "timeout", "gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}),
    )  # fmt: skip


def test_the_list_finds_what_a_line_of_the_filter_language_says(browser, stored):
    found = browser.get(f"{BASE}/traces", {"q": "model:gpt-4o-mini"}).content.decode()

    assert len(re.findall(r"<tbody>.*</tbody>", found, flags=re.DOTALL)[0].split("<tr>")) == 2


def test_a_line_that_is_wrong_is_told_beside_its_box(browser):
    reply = browser.get(f"{BASE}/traces", {"q": "modle:x"})

    shown = reply.content.decode()
    assert (reply.status_code, 'aria-invalid="true"' in shown) == (400, True)
    assert 'value="modle:x"' in shown
    assert "did you mean model?" in text_of(reply)


def test_pages_of_the_list_neither_skip_nor_repeat(browser, send):
    send(*(span(traceId=f"{number:032x}") for number in range(1, 111)))
    seen, place = [], f"{BASE}/traces"
    while place:
        page = browser.get(place).content.decode()
        seen += re.findall(rf'href="{BASE}/traces/(\w{{32}})\?span=', page)
        (place, *_) = [one.replace("&amp;", "&") for one in re.findall(r'href="([^"]*)" rel="next"', page)] or [""]

    assert (len(seen), len(set(seen))) == (110, 110)


def test_a_damaged_cursor_is_told_and_changes_nothing(browser):
    assert browser.get(f"{BASE}/traces?cursor=nonsense").status_code == 400


def test_the_worst_of_a_range_leads_to_its_trace(browser, stored, api):
    slowest = api.get("/api/v1/traces?sort_by=duration_ms&limit=1").json()["data"][0]

    reply = browser.get(f"{BASE}/traces/worst?sort_by=duration_ms&scope=calls")

    assert (reply.status_code, reply["Location"]) == (
        302,
        f"{BASE}/traces/{slowest['trace_id']}?span={slowest['span_id']}",
    )


def test_the_worst_of_nothing_leads_to_the_list(browser):
    assert browser.get(f"{BASE}/traces/worst?sort_by=duration_ms")["Location"] == f"{BASE}/traces?sort_by=duration_ms"


def test_the_worst_point_of_a_chart_leads_to_a_trace(browser, stored):
    page = browser.get(f"{BASE}/overview").content.decode()
    (link, *_) = [one.replace("&amp;", "&") for one in re.findall(r'href="([^"]*)" data-worst', page)]

    reply = browser.get(link, follow=True)

    assert reply.status_code == 200
    assert re.fullmatch(rf"{BASE}/traces/\w{{32}}\?span=\w{{16}}", reply.redirect_chain[0][0])


def test_a_trace_is_shown_as_a_tree_with_the_span_that_failed(browser, send):
    tree(send)

    page = browser.get(f"{BASE}/traces/{TRACE}").content.decode()

    rows = re.findall(r'class="name d(\d+)"><span class="label">([^<]*)<', page)
    assert rows == [("0", "agent"), ("1", "chat"), ("1", "look up")]
    assert re.findall(r'<h2 id="span-title">([^<]*)<', page) == ["look up"]
    assert (SCRIPT in page, "&lt;script&gt;alert(1)&lt;/script&gt;" in page) == (False, True)


def test_the_span_that_was_chosen_is_shown_with_content_tokens_and_cost(browser, send):
    tree(send)

    reply = browser.get(f"{BASE}/traces/{TRACE}?span={'b' * 16}")

    shown = text_of(reply)
    assert "<b>How</b> far?" in shown
    assert "Input 1,000 $0.0025 Output 500 $0.005 Total 1,500 $0.0075" in shown


def test_bars_stand_where_the_spans_were(browser, send):
    tree(send)

    page = browser.get(f"{BASE}/traces/{TRACE}").content.decode()

    assert re.findall(r'<rect x="([\d.]+)" width="([\d.]+)"', page) == [
        ("0.00", "1000.00"),
        ("166.67", "666.67"),
        ("833.33", "133.33"),
    ]


@pytest.mark.parametrize("trace_id", ["f" * 32, "x", "..", "a'b"])
def test_a_trace_that_is_none_has_a_page_that_says_so(browser, trace_id):
    reply = browser.get(f"{BASE}/traces/{trace_id}")

    assert (reply.status_code, reply["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_trace_of_another_organisation_is_absent(browser, make_tenant, send):
    send(span(traceId=TRACE), key=make_tenant("rival").key)

    assert browser.get(f"{BASE}/traces/{TRACE}").status_code == 404


def test_the_list_is_a_file_too(browser, stored):
    reply = browser.get(f"{BASE}/traces.csv")

    assert (reply.status_code, len(reply.content.decode().splitlines())) == (200, 4)


def test_what_was_said_of_a_trace_stands_beside_it(browser, api, send):
    tree(send)
    feedback = {"score": 0.25, "comment": SCRIPT, "span_id": "b" * 16, "resolved": False}
    assert api.post(f"/api/v1/traces/{TRACE}/feedback", feedback, content_type="application/json").status_code == 201
    evaluation = {"evaluator_name": "judge", "passed": True}
    assert (
        api.post(f"/api/v1/traces/{TRACE}/evaluations", evaluation, content_type="application/json").status_code == 201
    )

    shown = text_of(browser.get(f"{BASE}/traces/{TRACE}?span={'b' * 16}"))

    assert "Feedback 0.25 · not resolved" in shown
    assert "judge · passed" in shown


@pytest.mark.parametrize(("path", "action"), [("", "read"), ("?q=model:x", "search"), (f"/{TRACE}", "read")])
def test_reading_traces_is_recorded_where_reads_are(browser, send, path, action):
    tree(send)
    with override_settings(AUDIT_READS=True):
        browser.get(f"{BASE}/traces{path}")

    with tenancy.only(tenancy.EVERY):
        found = AuditEntry.objects.filter(resource_type="trace").values_list("action", flat=True)
        assert list(found) == [action]
