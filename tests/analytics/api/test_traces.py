import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.analytics.api.payloads import NS, now_ns, span

URL = "/api/v1/traces"


def members(reply, *names):
    return [tuple(one.get(name) for name in names) for one in reply.json()["data"]]


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


def test_a_stored_span_reads_as_what_was_sent(api, send, tenant):
    start = now_ns() - 60 * NS
    send(span(traceId="ab" * 16, spanId="cd" * 8, start_ns=start, attributes={"session.id": "s-1", "shop.cart": 3}))
    (one,) = api.get(URL).json()["data"]
    ts = one.pop("ts")
    assert ts.endswith("Z")
    assert one == {
        "project_id": str(tenant.projects[0].public_id),
        "trace_id": "ab" * 16,
        "span_id": "cd" * 8,
        "service_name": "shop",
        "span_name": "chat gpt-4o",
        "span_kind": "client",
        "operation_name": "chat",
        "provider": "openai",
        "model": "gpt-4o",
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "total_tokens": 1500,
        "prompt_cost_usd": 0.0025,
        "completion_cost_usd": 0.005,
        "total_cost_usd": 0.0075,
        "duration_ms": 250,
        "tokens_per_second": 2000,
        "status_code": "UNSET",
        "session_id": "s-1",
        "environment": "production",
        "attributes": {"shop.cart": 3},
    }


def test_the_envelope_says_what_the_page_is(api, send):
    send(span())
    body = api.get(URL, headers={"X-Request-ID": "from-the-caller"}).json()
    assert (body["status"], body["pagination"]) == ("success", {"has_more": False, "limit": 50})
    assert (body["meta"]["version"], body["meta"]["request_id"]) == ("1.0", "from-the-caller")


@pytest.mark.parametrize(
    ("parameter", "attributes", "other"),
    [
        ("provider=anthropic", {"gen_ai.provider.name": "anthropic"}, {}),
        ("model=gpt-4o-mini", {"gen_ai.request.model": "gpt-4o-mini"}, {}),
        ("user_id=u-1", {"user.id": "u-1"}, {"user.id": "u-2"}),
        ("session_id=s-1", {"session.id": "s-1"}, {}),
        ("operation_name=embeddings", {"gen_ai.operation.name": "embeddings"}, {}),
    ],
)
def test_a_filter_keeps_what_equals_it(api, send, parameter, attributes, other):
    wanted = span(attributes=attributes)
    send(wanted, span(attributes=other))
    assert members(api.get(f"{URL}?{parameter}"), "span_id") == [(wanted["spanId"],)]


@pytest.mark.parametrize(("status", "count"), [("OK", 1), ("success", 1), ("error", 1), ("ERROR", 1), ("unset", 1)])
def test_a_status_is_filtered_in_any_case(api, send, status, count):
    send(span(status={"code": 1}), span(status={"code": 2, "message": "no"}), span())
    assert len(api.get(f"{URL}?status={status}").json()["data"]) == count


def test_an_unknown_value_gives_no_rows(api, send):
    send(span())
    assert [members(api.get(f"{URL}?{one}"), "span_id") for one in ("model=nothing", "trace_id=zz")] == [[], []]


def test_a_range_is_half_open(api, send):
    first, second = span(start_ns=now_ns() - 3600 * NS), span(start_ns=now_ns() - 1800 * NS)
    send(first, second)
    bounds = [one["ts"] for one in api.get(f"{URL}?sort_order=asc").json()["data"]]
    found = api.get(URL, {"start_time": bounds[0], "end_time": bounds[1]})
    assert members(found, "span_id") == [(first["spanId"],)]


def test_from_and_to_mean_the_same_as_start_and_end(api, send):
    send(span(start_ns=now_ns() - 3600 * NS))
    assert len(api.get(f"{URL}?from=now-2h&to=now-30m").json()["data"]) == 1
    assert len(api.get(f"{URL}?from=now-30m").json()["data"]) == 0


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_neither_skip_nor_repeat_while_rows_arrive(api, send, order):
    same_moment = now_ns() - 600 * NS
    send(*(span(start_ns=same_moment - (number // 3) * NS) for number in range(10)))
    url = f"{URL}?sort_order={order}&limit=3&start_time=now-1h"
    whole = [one["span_id"] for one in api.get(f"{URL}?sort_order={order}&start_time=now-1h").json()["data"]]
    seen, cursor = [], ""
    while True:
        page = api.get(url + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [one["span_id"] for one in page["data"]]
        send(span(start_ns=same_moment + 300 * NS if order == "desc" else same_moment - 300 * NS))
        if not page["pagination"]["has_more"]:
            break
        cursor = page["pagination"]["cursor"]
    assert seen == whole


def test_a_page_with_a_successor_links_to_it(api, send):
    send(span(), span())
    page = api.get(f"{URL}?limit=1&model=gpt-4o")
    assert page["Link"].startswith("<http://testserver/api/v1/traces?limit=1&model=gpt-4o&cursor=")
    assert page["Link"].endswith('>; rel="next"')
    following = api.get(page["Link"][1:].split(">")[0].removeprefix("http://testserver"))
    assert (len(following.json()["data"]), "cursor" in following.json()["pagination"]) == (1, False)


def test_limit_and_fields_may_change_between_pages(api, send):
    send(span(), span(), span())
    cursor = api.get(f"{URL}?limit=1").json()["pagination"]["cursor"]
    assert len(api.get(f"{URL}?limit=9&fields=span_id&cursor={cursor}").json()["data"]) == 2


@pytest.mark.parametrize("other", ["model=gpt-4o", "sort_order=asc", "start_time=now-2h"])
def test_a_cursor_is_refused_by_another_query(api, send, other):
    send(span(), span())
    cursor = api.get(f"{URL}?limit=1").json()["pagination"]["cursor"]
    assert error(api.get(f"{URL}?limit=1&{other}&cursor={cursor}")) == (400, 1207, "cursor")


def test_a_cursor_is_refused_by_another_tenant(api, send, make_tenant):
    send(span(), span())
    cursor = api.get(f"{URL}?limit=1").json()["pagination"]["cursor"]
    stranger = Client(headers=make_tenant("globex").headers)
    assert error(stranger.get(f"{URL}?limit=1&cursor={cursor}")) == (400, 1207, "cursor")


def test_fields_are_sent_alone_and_under_the_names_asked_for(api, send):
    send(span(attributes={"gen_ai.usage.cost": 0.01, "shop.cart": 3, "gen_ai.request.seed": 7}))
    names = "cost,latency_ms,session_id,attributes.shop.cart,attributes.nothing,reported_cost_usd"
    assert api.get(f"{URL}?fields={names}").json()["data"] == [
        {
            "cost": 0.0075,
            "latency_ms": 250,
            "session_id": None,
            "attributes.shop.cart": 3,
            "attributes.nothing": None,
            "reported_cost_usd": 0.01,
        }
    ]


def test_a_path_leads_into_a_document_and_through_a_list_into_each_of_its_elements(api, send):
    messages = '[{"role": "user", "content": "hello"}, {"role": "tool", "parts": [{"type": "text", "content": "17"}]}]'
    send(span(attributes={"gen_ai.input.messages": messages}))
    names = "input_messages.role,cost_breakdown.visible_output,scope.name,scope.name.x,output_messages.role,events.name"
    assert api.get(f"{URL}?fields={names}").json()["data"] == [
        {
            "input_messages.role": ["user", "tool"],
            "cost_breakdown.visible_output": 0.005,
            "scope.name": "tests",
            "scope.name.x": None,
            "output_messages.role": None,
            "events.name": None,
        }
    ]


def test_unselected_content_is_not_read(api, send):
    send(span())
    with CaptureQueriesContext(
        connection,
    ) as captured:
        api.get(f"{URL}?fields=trace_id,model,total_cost_usd")
    assert [one for one in captured if "llm_contents" in one["sql"]] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("colour=red", (400, 1202, "colour")),
        ("offset=5", (400, 1200, "offset")),
        ("limit=1_0", (400, 1203, "limit")),
        ("limit=٣", (400, 1203, "limit")),
        ("limit=0", (400, 1200, "limit")),
        ("limit=1001", (400, 1200, "limit")),
        ("limit=ten", (400, 1203, "limit")),
        ("limit=", (400, 1203, "limit")),
        ("limit=5&limit=6", (400, 1202, "limit")),
        ("cursor=nonsense", (400, 1207, "cursor")),
        ("start_time=yesterday", (400, 1203, "start_time")),
        ("start_time=2026-01-01T00:00:00", (400, 1203, "start_time")),
        ("start_time=now&end_time=now-1h", (400, 1204, "start_time")),
        ("start_time=now-91d", (400, 1204, "start_time")),
        ("from=now-1h&start_time=now-1h", (400, 1202, "from")),
        ("status=fine", (400, 1202, "status")),
        ("sort_order=up", (400, 1202, "sort_order")),
        ("fields=trace_id,modle", (400, 1202, "fields")),
        ("fields=", (400, 1203, "fields")),
        ("fields=a,,b", (400, 1203, "fields")),
        ("fields=scope.", (400, 1202, "fields")),
        ("fields=scope..name", (400, 1202, "fields")),
        ("fields=model.name", (400, 1202, "fields")),
        (f"fields=scope{'.a' * 9}", (400, 1202, "fields")),
        ("model=a%00b", (400, 1203, "model")),
        ("project_id=not-mine", (403, 1101, "project_id")),
    ],
)
def test_a_bad_parameter_is_named(api, query, expected):
    assert error(api.get(f"{URL}?{query}")) == expected


def test_the_sentence_of_a_number_out_of_range_is_the_contracts(api):
    assert api.get(f"{URL}?limit=5000").json()["error"] == {
        "code": 1200,
        "error_code": "INVALID_REQUEST",
        "category": "VALIDATION",
        "message": "Invalid value for field 'limit': must be between 1 and 1000",
        "details": "Received value: 5000",
        "field": "limit",
    }


def test_an_unknown_field_is_told_the_nearest_name(api):
    assert "did you mean model?" in api.get(f"{URL}?fields=modle").json()["error"]["details"]


def test_a_tenant_sees_nothing_of_another(send, make_tenant):
    send(span(traceId="ab" * 16))
    stranger = Client(headers=make_tenant("globex").headers)
    assert stranger.get(URL).json()["data"] == []
    foreign, absent = stranger.get(f"{URL}/{'ab' * 16}"), stranger.get(f"{URL}/{'ef' * 16}")
    assert error(foreign) == error(absent) == (404, 1301, None)


def test_a_project_is_named_by_slug_and_by_id(make_tenant):
    tenant = make_tenant(projects=("one", "two"))
    client = Client(headers=tenant.headers)
    for project in tenant.projects:
        body = {"resourceSpans": [{"scopeSpans": [{"spans": [span(name=project.slug)]}]}]}
        headers = {"X-Project-ID": project.slug}
        assert client.post("/v1/traces", body, content_type="application/json", headers=headers).status_code == 200
    second = tenant.projects[1]
    assert members(client.get(f"{URL}?project_id=one"), "span_name") == [("one",)]
    assert members(client.get(f"{URL}?project_id={second.public_id}"), "span_name") == [("two",)]
    assert len(client.get(f"{URL}?project_id=one,{second.public_id}").json()["data"]) == 2
    assert len(client.get(URL).json()["data"]) == 2


def test_a_trace_is_its_root_with_the_figures_of_the_whole(api, send):
    trace, start = "ab" * 16, now_ns() - 60 * NS
    root = span(
        traceId=trace,
        start_ns=start,
        duration_ms=2000,
        name="agent",
        attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": None},
    )
    call = span(traceId=trace, start_ns=start + NS, duration_ms=500, parentSpanId=root["spanId"])
    tool = span(
        traceId=trace,
        start_ns=start + NS // 2,
        duration_ms=100,
        parentSpanId=root["spanId"],
        status={"code": 2, "message": "no such order"},
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.usage.input_tokens": None,
            "gen_ai.usage.output_tokens": None,
        },
    )
    send(call, tool)
    send(root)  # the parent arrives last
    data = api.get(f"{URL}/{trace}?include=children").json()["data"]
    figures = {
        name: data[name]
        for name in (
            "span_id", "span_name", "usage_counted", "trace_duration_ms", "span_count", "error_count", "trace_status",
            "trace_cost_usd", "trace_tokens", "unpriced_requests",
        )
    }  # fmt: skip
    assert figures == {
        "span_id": root["spanId"],
        "span_name": "agent",
        "usage_counted": False,
        "trace_duration_ms": 2000,
        "span_count": 3,
        "error_count": 1,
        "trace_status": "ERROR",
        "trace_cost_usd": 0.0075,
        "trace_tokens": 1500,
        "unpriced_requests": 0,
    }
    assert [one["span_id"] for one in data["spans"]] == [root["spanId"], tool["spanId"], call["spanId"]]


def test_long_traces_are_cut_and_say_so(api, send, settings):
    settings.TRACE_MAX_INLINE_SPANS = 2
    send(*(span(traceId="ab" * 16) for _ in range(3)))
    data = api.get(f"{URL}/{'ab' * 16}?include=children").json()["data"]
    assert (len(data["spans"]), data["spans_truncated"]) == (2, True)


def test_the_detail_can_be_narrowed(api, send):
    send(span(traceId="ab" * 16))
    data = api.get(f"{URL}/{'ab' * 16}?fields=model,trace_cost_usd,cost_breakdown").json()["data"]
    assert data == {
        "model": "gpt-4o",
        "trace_cost_usd": 0.0075,
        "cost_breakdown": {"uncached_input": 0.0025, "visible_output": 0.005},
    }


def test_the_spans_in_a_detail_can_be_narrowed_too(api, send):
    send(span(traceId="ab" * 16, spanId="cd" * 8))
    names = "trace_tokens,spans.span_id,spans.depth,spans.scope.name"
    with CaptureQueriesContext(connection) as captured:
        data = api.get(f"{URL}/{'ab' * 16}?include=children&fields={names}").json()["data"]
    assert data == {"trace_tokens": 1500, "spans": [{"span_id": "cd" * 8, "scope.name": "tests", "depth": 0}]}
    assert [one for one in captured if "c.input_text" in one["sql"]] == []
    assert error(api.get(f"{URL}/{'ab' * 16}?fields=spans.span_id")) == (400, 1202, "fields")
    assert error(api.get(f"{URL}/{'ab' * 16}?include=children&fields=spans.colour")) == (400, 1202, "fields")


@pytest.mark.parametrize("trace_id", ["ab" * 16, "zz", "ab", "%00", "🦆"])
def test_an_absent_or_malformed_trace_is_not_found(api, trace_id):
    assert error(api.get(f"{URL}/{trace_id}"))[:2] == (404, 1301)


def test_a_model_without_a_price_is_unpriced_and_never_free(api, send):
    send(span(attributes={"gen_ai.request.model": "in-house-7b"}))
    (one,) = api.get(f"{URL}?fields=total_cost_usd,unpriced_reason,total_tokens").json()["data"]
    assert one == {"total_cost_usd": None, "unpriced_reason": "no_price", "total_tokens": 1500}


def test_a_reader_without_the_permission_is_refused(make_tenant):
    client = Client(headers=make_tenant(permissions=["ingest:write"]).headers)
    assert error(client.get(URL))[:2] == (403, 1100)


def test_replies_are_revalidated_and_never_shared(api, send):
    send(span())
    reply = api.get(URL)
    assert reply["Cache-Control"] == "private, no-cache"
    assert {one.strip() for one in reply["Vary"].split(",")} >= {"Authorization", "X-API-Key", "Accept-Encoding"}


def test_an_unchanged_page_is_304_although_its_meta_differs(api, send):
    send(span(start_ns=now_ns() - 7200 * NS))
    url = f"{URL}?start_time=now-3h&end_time=now-1h"
    first = api.get(url)
    assert first["ETag"].startswith('W/"')
    again = api.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
