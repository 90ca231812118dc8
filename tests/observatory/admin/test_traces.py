"""Spans and traces in the admin: found by a line of the filter language, in the days of the range, without counting."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observatory.accounts.models import AuditEntry, Membership
from observatory.database import tenancy
from tests.analytics.api.payloads import NS, now_ns, span
from tests.analytics.storage.test_plans import scans
from tests.observatory.admin.conftest import SCRIPT, text_of
from tests.observatory.pages.test_traces_pages import TRACE, tree

LIST = "/admin/o/acme/traces"
DAY_NS = 86_400 * NS


def test_the_only_organisation_in_reach_is_shown_at_once(helper):
    assert helper.get("/admin/traces/")["Location"] == LIST


def test_a_superuser_chooses_among_all_organisations(root, make_tenant):
    make_tenant("acme")
    make_tenant("zoo")

    page = root.get("/admin/traces/").content.decode()
    found = root.get("/admin/traces/?q=zo").content.decode()

    assert re.findall(r'href="/admin/o/(\w+)/traces"', page) == ["acme", "zoo"]
    assert re.findall(r'href="/admin/o/(\w+)/traces"', found) == ["zoo"]


def test_a_line_of_the_filter_language_finds_spans(helper, send):
    send(span(name="one"), span(name="other", attributes={"gen_ai.request.model": "gpt-4o-mini"}))

    page = text_of(helper.get(LIST, {"q": "model:gpt-4o-mini"}))

    assert ("other" in page, "one" in page.split("Input")[-1]) == (True, False)


def test_a_line_that_is_wrong_is_told_beside_its_box_in_the_sentence_of_the_api(helper, api):
    reply = helper.get(LIST, {"q": "modle:x"})

    sentence = api.get("/api/v1/traces", {"q": "modle:x"}).json()["error"]["message"]
    assert (reply.status_code, 'aria-invalid="true"' in reply.content.decode()) == (400, True)
    assert sentence in text_of(reply)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"start_time": "yesterday"}, "Invalid format for field 'start_time'"),
        ({"start_time": "now-400d"}, "Invalid time range: at most"),
        ({"cursor": "x"}, "The cursor does not belong to this query"),
        ({"colour": "red"}, "Unknown parameter 'colour'"),
    ],
)
def test_a_range_or_cursor_that_is_wrong_is_told_on_the_page(helper, asked, said):
    reply = helper.get(LIST, asked)

    assert (reply.status_code, said in text_of(reply)) == (400, True)


def test_pages_follow_each_other_by_key_without_skipping_or_repeating(helper, send):
    send(*(span(traceId=f"{number:032x}") for number in range(1, 61)))
    seen, place = [], LIST
    while place:
        page = helper.get(place).content.decode()
        seen += re.findall(rf'href="{LIST}/(\w{{32}})\?span=', page)
        (place, *_) = [one.replace("&amp;", "&") for one in re.findall(r'href="([^"]*)" rel="next"', page)] or [""]

    assert (len(seen), len(set(seen))) == (60, 60)


def statements(browser, place):
    with CaptureQueriesContext(connection) as made:
        assert browser.get(place).status_code == 200
    return [one["sql"] for one in made if one["sql"].lstrip().upper().startswith(("SELECT", "WITH"))]


@pytest.mark.parametrize("asked", ["", "?q=status:error", "?scope=roots", "?sort_by=total_cost_usd"])
def test_the_list_reads_the_days_of_its_range_and_counts_nothing(helper, send, asked):
    days = [span(start_ns=now_ns() - number * DAY_NS, traceId=f"{number + 1:032x}") for number in range(1, 20, 3)]
    send(*days, span())
    given = "&" if asked else "?"

    sql = [one for one in statements(helper, f"{LIST}{asked}{given}start_time=now-1h") if "llm_traces" in one]

    assert not [one for one in sql if re.search(r"\bcount\(", one, flags=re.IGNORECASE)]
    read = {table for one in sql for table, _, _ in scans(one) if table.startswith("llm_traces")}
    assert 1 <= len(read) <= 2 + 2 * ("roots" in asked)  # at midnight an hour is in two days; parents in those beside


def test_the_list_asks_as_often_for_many_spans_as_for_one(helper, send):
    send(span())
    helper.get(LIST)
    few = len(statements(helper, LIST))
    send(*(span() for _ in range(40)))

    assert len(statements(helper, LIST)) <= few


def test_a_trace_is_a_waterfall_with_input_output_tokens_and_cost(helper, send):
    tree(send)

    page = helper.get(f"{LIST}/{TRACE}?span={'b' * 16}")

    said = text_of(page)
    assert page.content.decode().count('class="bar"') == 3
    assert ("How" in said, "1,000" in said, "500" in said, "$0.0075" in said) == (True, True, True, True)


@pytest.mark.parametrize("place", ["", f"/{'0' * 32}", "/x", f"/{SCRIPT}", f"/{'a' * 500}"])
def test_a_trace_that_is_none_is_a_page_that_says_so(helper, place):
    reply = helper.get(f"{LIST}{place}" if place else f"{LIST}/..")

    assert (reply.status_code, "To the administration" in text_of(reply)) == (404, True)
    assert SCRIPT not in reply.content.decode()


def test_scripts_in_everything_a_span_says_are_shown_as_text(helper, send):
    said = {
        "gen_ai.request.model": SCRIPT, "gen_ai.provider.name": SCRIPT, "user.id": SCRIPT, "session.id": SCRIPT,
        "error.type": SCRIPT, "gen_ai.input.messages": f'[{{"role": "{SCRIPT}", "content": "{SCRIPT}"}}]',
        "gen_ai.output.messages": f'[{{"role": "assistant", "content": "{SCRIPT}"}}]', "gen_ai.prompt.name": SCRIPT,
        SCRIPT: SCRIPT, "tag.tags": [SCRIPT], "gen_ai.agent.name": SCRIPT, "gen_ai.operation.name": SCRIPT,
    }  # fmt: skip
    send(span(traceId=TRACE, name=SCRIPT, attributes=said, status={"code": 2, "message": SCRIPT}))

    pages = [helper.get(place).content.decode() for place in (LIST, f"{LIST}/{TRACE}", "/admin/o/acme/unpriced")]

    assert [SCRIPT in one for one in pages] == [False] * 3
    assert [one.count("&lt;script&gt;alert") >= least for one, least in zip(pages, (3, 12, 2), strict=True)] == [
        True
    ] * 3


def test_looking_at_content_of_others_is_told_in_their_audit_log(root, send, tenant):
    tree(send)

    root.get(LIST)
    root.get(f"{LIST}/{TRACE}")

    with tenancy.only(tenancy.EVERY):
        found = AuditEntry.objects.filter(organisation_id=tenant.organisation.pk, resource_type="trace").order_by("ts")
        assert [(one.action, one.resource_id) for one in found] == [("read", "acme"), ("read", TRACE)]


def test_a_role_without_traces_sees_none_here_either(helper):
    Membership.objects.update(role="billing")

    assert helper.get(LIST).status_code == 403
