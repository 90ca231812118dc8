"""Finding spans through HTTP: filters, full text, orders, what can stand beside a span, and what is refused."""

import itertools
import random
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client

from analytics.queries import snapshots
from analytics.storage.searches import make_vectors
from tests.analytics.api.payloads import NS, any_value, now_ns, span

LIST, SEARCH, STATS = "/api/v1/traces", "/api/v1/traces/search", "/api/v1/traces/stats"
TRACE = "ab" * 16


def instant(ns):
    return datetime.fromtimestamp(ns // NS, tz=UTC).isoformat().replace("+00:00", "Z")


def names(reply):
    assert reply.status_code == 200, reply.content
    return [one["span_name"] for one in reply.json()["data"]]


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


@pytest.fixture
def search(api):
    """Return a function that posts a filter, and other members, and returns the reply."""

    def post(filter_=None, **members):
        return api.post(SEARCH, {"filter": filter_} | members, content_type="application/json")

    return post


def leaf(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def talk(name, asked, answered="", **given):
    """A span with a question and an answer."""
    texts = {"input.value": asked, "output.value": answered or None}
    return span(name=name, attributes=texts | given.pop("attributes", {}), **given)


@pytest.fixture
def talks(send):
    send(
        talk("refund", "Where is the refund for order 17?", "The refunds were sent."),
        talk("stack", "handleUserLogin failed in auth_service.py with HTTPServerError"),
        talk("east", "日本語の文章を処理する", "한국어 문장"),
        talk("html", "<b>refund</b> & more", "nothing here"),
    )


@pytest.mark.parametrize("built", [False, True], ids=["before the vectors", "with the vectors"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("refund", {"refund", "html"}),
        ("refunding", {"refund", "html"}),
        ('"refund for order"', {"refund"}),
        ('"order refund"', set()),
        ("refund -order", {"html"}),
        ("refund OR login", {"refund", "html", "stack"}),
        ("user login", {"stack"}),
        ("handleuserlogin", {"stack"}),
        ("auth_service", {"stack"}),
        ("http_server", {"stack"}),
        ("文章", {"east"}),
        ("語", {"east"}),
        ("章文", set()),
        ("한국어", {"east"}),
        ("17", {"refund"}),
        ("the refund", {"refund", "html"}),
    ],
)
def test_full_text_is_found_at_once_and_the_same_later(api, talks, query, expected, built):
    if built:
        make_vectors()
    assert set(names(api.get(LIST, {"search": query}))) == expected


def test_a_field_can_be_searched_alone(search, talks):
    asked = [leaf(field, "search", "sent") for field in ("input_text", "output_text", "content")]
    assert [names(search(one)) for one in asked] == [[], ["refund"], ["refund"]]


def test_relevance_puts_the_input_before_the_output(search, send):
    send(talk("output", "hello", "the invoice"), talk("input", "the invoice", "hello"))
    reply = search(leaf("content", "search", "invoice"), sort_by="relevance", sort_desc=True)
    assert names(reply) == ["input", "output"]


def test_hits_are_marked_and_all_else_is_escaped(api, talks):
    reply = api.get(LIST, {"search": "refund order 文章", "q": "span_name:html OR span_name:east OR span_name:refund"})
    assert names(reply) == []
    reply = api.get(LIST, {"search": "refund", "include": "highlights", "sort_by": "relevance"})
    told = {one["span_name"]: one["highlights"] for one in reply.json()["data"]}
    assert told == {
        "refund": {
            "input_text": ["Where is the <mark>refund</mark> for order 17?"],
            "output_text": ["The <mark>refunds</mark> were sent."],
        },
        "html": {"input_text": ["&lt;b&gt;<mark>refund</mark>&lt;/b&gt; &amp; more"], "output_text": []},
    }


def test_eastern_hits_and_identifiers_are_marked(api, talks):
    told = [
        api.get(LIST, {"search": query, "include": "highlights"}).json()["data"][0]["highlights"]["input_text"]
        for query in ("文章", "handleuserlogin", "login")
    ]
    assert told == [
        ["日本語の<mark>文章</mark>を処理する"],
        ["<mark>handleUserLogin</mark> failed in auth_service.py with HTTPServerError"],
        ["handleUser<mark>Login</mark> failed in auth_service.py with HTTPServerError"],
    ]


def test_a_line_and_its_json_form_find_the_same(api, search, send):
    send(
        span(name="a", attributes={"shop.cart": 3}),
        span(name="b", attributes={"shop.cart": "3", "gen_ai.request.model": "gpt-4o-mini"}),
        span(name="c", status={"code": 2}),
    )
    by_line = {line: set(names(api.get(LIST, {"q": line})))
               for line in ("attributes.shop.cart:3", "model:gpt-4o*", "-status:error model:gpt-4o")}  # fmt: skip
    assert by_line == {
        "attributes.shop.cart:3": {"a", "b"},
        "model:gpt-4o*": {"a", "b", "c"},
        "-status:error model:gpt-4o": {"a"},
    }
    assert names(search(leaf("attributes.shop.cart", "eq", 3))) == ["a"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"min_duration_ms": 200}, {"long"}),
        ({"max_duration": 100}, {"short"}),
        ({"min_cost": "0.005"}, {"short", "long"}),
        ({"max_cost": "0.00000001"}, set()),
        ({"min_tokens": 1500, "max_tokens": 1500}, {"short", "long"}),
        ({"tags": "x,y"}, {"long"}),
        ({"tags": "y,x,z"}, set()),
        ({"scope": "roots"}, {"long"}),
        ({"scope": "calls", "status": "error"}, {"short"}),
        ({"trace_id": TRACE.upper()}, {"short", "long"}),
    ],
)
def test_every_parameter_narrows(api, send, parameters, expected):
    root = span(name="long", traceId=TRACE, duration_ms=300, attributes={"tag.tags": ["x", "y"]})
    child = span(name="short", traceId=TRACE, parentSpanId=root["spanId"], duration_ms=100, status={"code": 2},
                 attributes={"tag.tags": ["x"]})  # fmt: skip
    send(root, child)
    assert set(names(api.get(LIST, parameters))) == expected


def test_an_orphan_is_a_root_and_a_span_beside_its_parent_is_not(api, send):
    root = span(name="root")
    send(root, span(name="child", traceId=root["traceId"], parentSpanId=root["spanId"]),
         span(name="orphan", parentSpanId="ee" * 8))  # fmt: skip
    assert set(names(api.get(LIST, {"scope": "roots"}))) == {"root", "orphan"}


SORTS = ("ts", "trace_id", "span_id", "provider", "model", "total_tokens", "total_cost_usd", "cost", "duration_ms",
         "ttft_ms", "status_code", "environment", "relevance")  # fmt: skip


@pytest.fixture
def many(send):
    """Spans with few values in each column, some without, at few moments."""
    chance, start = random.Random(4), now_ns() - 600 * NS
    attributes = itertools.cycle([{}, {"gen_ai.request.model": "unknown-1"}, {"gen_ai.request.model": None}])
    send(*(
        talk(f"s{number}", chance.choice(["invoice", "invoice invoice", "an invoice for a very long list of words"]),
             start_ns=start - number // 4 * NS, duration_ms=chance.choice([5, 50]),
             attributes=next(attributes) | {"gen_ai.response.time_to_first_chunk": chance.choice([None, 0.2, 0.3])})
        for number in range(17)
    ))  # fmt: skip


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_every_order_are_the_whole_list(api, many, sort, order):
    url = {
        "sort_by": sort,
        "sort_order": order,
        "search": "invoice",
        "fields": f"span_id,{'ts' if sort == 'relevance' else sort}",
    }
    whole = api.get(LIST, url).json()["data"]
    paged, cursor = [], None
    for _ in range(10):
        page = api.get(LIST, url | {"limit": 4} | ({"cursor": cursor} if cursor else {})).json()
        paged += page["data"]
        cursor = page["pagination"].get("cursor")
        if cursor is None:
            break
    values = [one.get(sort) for one in whole]
    known = [value for value in values if value is not None]
    assert (len(whole), paged) == (17, whole)
    assert values == sorted(known, reverse=order == "desc") + [None] * (len(values) - len(known)) or sort == "relevance"


def test_a_total_is_of_the_whole_range(api, search, many):
    first = api.get(LIST, {"limit": 2, "include": "total"}).json()["pagination"]
    second = search(leaf("duration_ms", "gte", 0), limit=2, include=["total"]).json()["pagination"]
    assert (first["total"], second["total"], first["has_more"]) == (17, 17, True)


def test_a_search_is_ascending_and_pages(search, many):
    first = search(None, limit=9, fields=["ts", "span_id"]).json()
    second = search(None, limit=9, fields=["ts", "span_id"], cursor=first["pagination"]["cursor"]).json()
    read = [*first["data"], *second["data"]]
    assert (len(read), read) == (17, sorted(read, key=lambda one: one["ts"]))
    assert error(search(leaf("model", "eq", "x"), cursor=first["pagination"]["cursor"])) == (400, 1207, "cursor")


def test_figures_are_over_the_spans_of_a_list(api, send):
    send(span(duration_ms=100), span(duration_ms=300, status={"code": 2}),
         span(attributes={"gen_ai.request.model": "unknown-1"}, duration_ms=200))  # fmt: skip
    assert api.get(STATS).json()["data"] == {
        "total_count": 3,
        "trace_count": 3,
        "total_cost_usd": 0.015,
        "unpriced_requests": 1,
        "total_tokens": 4500,
        "avg_duration_ms": 200,
        "min_duration_ms": 100,
        "max_duration_ms": 300,
        "success_count": 2,
        "error_count": 1,
        "success_rate": 0.666667,
    }
    assert api.get(STATS, {"q": "model:none", "fields": "total_count,avg_duration_ms,total_cost_usd"}).json()[
        "data"
    ] == {
        "total_count": 0,
        "avg_duration_ms": None,
        "total_cost_usd": 0,
    }


def test_children_and_opinions_stand_beside_a_span(api, send):
    root = span(name="root", traceId=TRACE)
    child = span(name="child", traceId=TRACE, parentSpanId=root["spanId"])
    send(root, child, span(name="grandchild", traceId=TRACE, parentSpanId=child["spanId"]))
    said = api.post(f"{LIST}/{TRACE}/feedback", {"score": 0.25, "comment": "no", "span_id": child["spanId"]},
                    content_type="application/json")  # fmt: skip
    found = api.post(f"{LIST}/{TRACE}/evaluations", {"evaluator_name": "grounded", "passed": False},
                     content_type="application/json")  # fmt: skip
    assert (said.status_code, found.status_code) == (201, 201)
    assert said.json() == {
        "id": said.json()["id"],
        "trace_id": TRACE,
        "span_id": child["spanId"],
        "created_at": said.json()["created_at"],
        "score": 0.25,
        "resolved": None,
        "comment": "no",
        "user_id": None,
        "labels": None,
    }
    listed = api.get(LIST, {"include": "children,evaluations,feedback", "fields": "span_name"}).json()["data"]
    assert {one["span_name"]: one for one in listed} == {
        "root": {"span_name": "root", "spans": [{"span_name": "child"}], "evaluations": [found.json()], "feedback": []},
        "child": {"span_name": "child", "spans": [{"span_name": "grandchild"}], "evaluations": [found.json()],
                  "feedback": [said.json()]},
        "grandchild": {"span_name": "grandchild", "spans": [], "evaluations": [found.json()], "feedback": []},
    }  # fmt: skip
    detail = api.get(f"{LIST}/{TRACE}", {"include": "evaluations,feedback", "fields": "span_name"}).json()["data"]
    assert detail == {"span_name": "root", "evaluations": [found.json()], "feedback": [said.json()]}


@pytest.mark.parametrize(
    ("route", "body", "other"),
    [
        ("feedback", {"score": 0.25, "labels": ["good"]}, {"score": 0.5}),
        (
            "evaluations",
            {"evaluator_name": "grounded", "passed": True},
            {"evaluator_name": "grounded", "passed": False},
        ),
    ],
)
def test_an_opinion_that_is_sent_again_with_its_key_is_kept_once(api, send, route, body, other):
    send(span(traceId=TRACE))

    def post(said):
        return api.post(f"{LIST}/{TRACE}/{route}", said, content_type="application/json",
                        headers={"Idempotency-Key": "once"})  # fmt: skip

    first, again, changed = post(body), post(body), post(other)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (again["Idempotency-Replayed"], changed.status_code, changed.json()["error"]["code"]) == ("true", 422, 1212)
    assert api.get(f"{LIST}/{TRACE}", {"include": route}).json()["data"][route] == [first.json()]


def test_an_opinion_changes_the_version_of_its_trace(api, send):
    send(span(traceId=TRACE))
    before = api.get(f"{LIST}/{TRACE}")
    api.post(f"{LIST}/{TRACE}/feedback", {"score": 1}, content_type="application/json")
    assert api.get(f"{LIST}/{TRACE}", headers={"If-None-Match": before["ETag"]}).status_code == 200


def test_an_opinion_changes_the_version_of_every_hour_of_its_trace(api, send):
    hour = 3600 * NS
    later = now_ns() // hour * hour - hour
    send(span(traceId=TRACE, start_ns=later - 2 * hour), span(traceId=TRACE, spanId="cd" * 8, start_ns=later))
    window = {"start_time": instant(later), "end_time": instant(later + hour), "include": "feedback"}
    before = api.get(LIST, window)
    api.post(f"{LIST}/{TRACE}/feedback", {"score": 1}, content_type="application/json")
    after = api.get(LIST, window, headers={"If-None-Match": before["ETag"]})
    assert [len(one["feedback"]) for one in after.json()["data"]] == [1]


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("feedback", {}, (400, 1201, "score")),
        ("feedback", {"score": 1.5}, (400, 1200, "score")),
        ("feedback", {"score": "1"}, (400, 1203, "score")),
        ("feedback", {"score": 1, "span_id": "zz"}, (400, 1203, "span_id")),
        ("feedback", {"score": 1, "span_id": "ee" * 8}, (400, 1202, "span_id")),
        ("feedback", {"score": 1, "comment": "x" * 4001}, (400, 1205, "comment")),
        ("feedback", {"score": 1, "stars": 5}, (400, 1202, "stars")),
        ("feedback", {"score": 1, "labels": "x"}, (400, 1203, "labels")),
        ("evaluations", {"score": 1}, (400, 1201, "evaluator_name")),
        ("evaluations", {"evaluator_name": " ", "score": 1}, (400, 1203, "evaluator_name")),
        ("evaluations", {"evaluator_name": "x"}, (422, 1211, "score")),
        ("evaluations", {"evaluator_name": "x", "passed": 1}, (400, 1203, "passed")),
    ],
)
def test_a_bad_opinion_is_refused(api, send, kind, body, expected):
    send(span(traceId=TRACE))
    assert error(api.post(f"{LIST}/{TRACE}/{kind}", body, content_type="application/json")) == expected


def test_nobody_speaks_of_a_trace_out_of_reach(api, send, make_tenant):
    send(span(traceId=TRACE))
    stranger = Client(headers=make_tenant("globex").headers)
    asked = [
        ("post", f"{LIST}/{TRACE}/feedback"),
        ("post", f"{LIST}/{TRACE}/evaluations"),
        ("get", f"{LIST}/{TRACE}/spans"),
    ]
    bodies = {"post": {"score": 1, "evaluator_name": "x"}, "get": None}
    told = []
    for method, url in asked:
        body = {key: value for key, value in (bodies[method] or {}).items() if key == "score" or "eval" in url}
        told.append(error(getattr(stranger, method)(url, body, content_type="application/json")))
    assert told == [(404, 1301, None)] * 3


def test_the_spans_of_a_trace_page_with_their_places(api, send):
    start = now_ns() - 60 * NS
    root = span(name="root", traceId=TRACE, start_ns=start, duration_ms=1000,
                attributes={"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None,
                            "gen_ai.operation.name": "invoke_agent"})  # fmt: skip
    send(root, *(span(name=f"call {number}", traceId=TRACE, parentSpanId=root["spanId"], duration_ms=200,
                      start_ns=start + (number + 1) * NS // 4) for number in range(3)))  # fmt: skip
    url, fields = (
        f"{LIST}/{TRACE}/spans",
        "span_name,depth,self_time_ms,subtree_cost_usd,subtree_tokens,on_critical_path",
    )
    first = api.get(url, {"limit": 3, "fields": fields})
    second = api.get(first["Link"][1:].split(">")[0].removeprefix("http://testserver"))
    assert [*first.json()["data"], *second.json()["data"]] == [
        {"span_name": "root", "depth": 0, "self_time_ms": 400, "subtree_cost_usd": 0.0225, "subtree_tokens": 4500,
         "on_critical_path": True},
        *({"span_name": f"call {number}", "depth": 1, "self_time_ms": 200, "subtree_cost_usd": 0.0075,
           "subtree_tokens": 1500, "on_critical_path": True} for number in range(3)),
    ]  # fmt: skip
    assert "events" not in api.get(url).json()["data"][0]
    inline = api.get(f"{LIST}/{TRACE}", {"include": "children"}).json()["data"]["spans"]
    assert [one["depth"] for one in inline] == [0, 1, 1, 1]


def test_links_are_followed_from_both_ends(api, send):
    first = span(traceId=TRACE)
    link = {"traceId": TRACE, "spanId": first["spanId"]}
    second = span(traceId="cd" * 16, links=[link])
    send(first)
    before = api.get(f"{LIST}/{TRACE}")
    send(second)
    told = {
        "trace_id": "cd" * 16,
        "span_id": second["spanId"],
        "linked_trace_id": TRACE,
        "linked_span_id": first["spanId"],
    }
    there = api.get(f"{LIST}/{TRACE}", headers={"If-None-Match": before["ETag"]}).json()["data"]
    back = api.get(f"{LIST}/{'cd' * 16}").json()["data"]
    assert (there["linked_from"], there["linked_to"]) == ([told], [])
    assert (back["linked_from"], back["linked_to"]) == ([], [told])


def test_what_a_span_says_of_its_quality_is_an_evaluation(api, send):
    judged = {"gen_ai.evaluation.name": "grounded", "gen_ai.evaluation.score.value": 0.5,
              "gen_ai.evaluation.score.label": "fair", "gen_ai.evaluation.explanation": "half of it"}  # fmt: skip
    event = {"name": "gen_ai.evaluation.result", "timeUnixNano": str(now_ns()),
             "attributes": [{"key": key, "value": any_value(value)} for key, value in judged.items()]}  # fmt: skip
    sent = span(traceId=TRACE, events=[event])
    send(sent)
    (told,) = api.get(f"{LIST}/{TRACE}", {"include": "evaluations"}).json()["data"]["evaluations"]
    del told["id"], told["timestamp"]
    assert told == {"trace_id": TRACE, "span_id": sent["spanId"], "evaluator_name": "grounded", "score": 0.5,
                    "passed": None, "label": "fair", "explanation": "half of it"}  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"sort_by": "relevance"}, (400, 1202, "sort_by")),
        ({"q": "-refund", "sort_by": "relevance"}, (400, 1202, "sort_by")),
        ({"include": "highlights"}, (400, 1202, "include")),
        ({"include": "parents"}, (400, 1202, "include")),
        ({"sort_by": "input_text"}, (400, 1202, "sort_by")),
        ({"scope": "leaves"}, (400, 1202, "scope")),
        ({"min_cost": "-1"}, (400, 1200, "min_cost")),
        ({"min_cost": "nan"}, (400, 1203, "min_cost")),
        ({"min_tokens": "-1"}, (400, 1200, "min_tokens")),
        ({"min_duration": 1, "min_duration_ms": 1}, (400, 1202, "min_duration")),
        ({"search": "!!!"}, (400, 1213, "search")),
        ({"q": "colour:red"}, (400, 1213, "q")),
        ({"q": "model~["}, (400, 1213, "q")),
    ],
)
def test_a_bad_parameter_is_named(api, db, parameters, expected):
    assert error(api.get(LIST, parameters)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"filter": leaf("model", "regex", "(")}, (400, 1213, "filter.value")),
        ({"filter": leaf("model", "regex", "x" * 257)}, (400, 1205, "filter.value")),
        ({"filter": leaf("modle", "eq", "x")}, (400, 1213, "filter.field")),
        ({"filter": leaf("content", "search", "--")}, (400, 1213, "filter.value")),
        ({"filters": []}, (400, 1202, "filters")),
        ({"limit": 0}, (400, 1200, "limit")),
        ({"limit": "5"}, (400, 1203, "limit")),
        ({"offset": 5}, (400, 1202, "offset")),
        ({"sort_desc": "yes"}, (400, 1203, "sort_desc")),
        ({"fields": ["modle"]}, (400, 1202, "fields")),
        ({"fields": "model"}, (400, 1203, "fields")),
        ({"fields": ["attributes.a\0b"]}, (400, 1203, "fields[0]")),
        ({"include": ["parents"]}, (400, 1202, "include")),
        ({"from": "now-1h", "start_time": "now-1h"}, (400, 1202, "from")),
        ({"start_time": 5}, (400, 1203, "start_time")),
        ({"cursor": "nonsense"}, (400, 1207, "cursor")),
        ({"project_id": "not-mine"}, (403, 1101, "project_id")),
    ],
)
def test_a_bad_body_is_refused_by_name(api, db, body, expected):
    assert error(api.post(SEARCH, body, content_type="application/json")) == expected


@pytest.mark.parametrize(
    ("line", "details"),
    [
        ("model:gpt-4o model~[", "At character 14, 'model~[': '[' is no POSIX regular expression that can be compiled"),
        ("model:gpt-4o ( !!! )", "At character 16, '!!!': '!!!' has no word to search for"),
    ],
)
def test_what_only_the_server_finds_wrong_in_a_line_is_told_with_its_place(api, line, details):
    assert api.get(LIST, {"q": line}).json()["error"]["details"] == details


def test_what_only_the_server_finds_wrong_in_a_filter_is_told_with_its_path(search):
    both = [leaf("content", "search", "refund"), leaf("model", "regex", "[")]
    assert error(search({"operator": "AND", "filters": both})) == (400, 1213, "filter.filters[1].value")


def test_a_regular_expression_that_explodes_is_stopped(search, send, settings):
    settings.QUERY_TIMEOUT_MS = 300
    send(talk("long", "A" + "".join(random.Random(3).choices("xyz", k=2000)) + "!"))
    assert error(search(leaf("input_text", "regex", r"^(.+)(.+)(.+)\2\1\3\2\1!$")))[:2] == (504, 1801)
    assert names(search(leaf("input_text", "starts_with", "a"))) == ["long"]


HOSTILE = ["'", '"', "\\", "%", "_", ";--", "')", "$$", "$.a", "->>'a'", "{}", "%s", "%(f0)s", "\x01", "(", "[", "*",
           "a'::text", "\u202e", "🦆", ") OR 1=1 --", "|&!<->:*", "'a':*", "\\x00", "E'\\''"]  # fmt: skip


def test_no_hostile_text_is_more_than_a_value(api, search, send, tenant):
    send(talk("mine", "hello", attributes={"shop.cart": 3}))
    chance = random.Random(7)
    places = ["model", "tags", "attributes.x", "trace_id", "project_id", "input_text", "cost"]
    operators = ["eq", "in", "contains", "starts_with", "regex", "search", "gt", "exists", "drop table"]
    seen = []
    for hostile in HOSTILE:
        text = hostile + chance.choice(HOSTILE)
        bodies = [
            {"filter": leaf(chance.choice(places), operator, [text] if operator == "in" else text)}
            for operator in operators
        ]
        bodies += [
            {"filter": leaf(text, "eq", "x")},
            {"filter": leaf(f"attributes.{text}", "eq", text)},
            {"filter": leaf("content", "search", f"hello {text}")},
            {"filter": leaf("content", "search", text), "include": ["highlights"], "sort_by": "relevance"},
            {"sort_by": text},
            {"fields": [f"attributes.{text}", text]},
            {"fields": [f"attributes.{text}"]},
            {"fields": [f"input_messages.{text}", f"scope.a.{text}"]},
        ]
        seen += [search(**({"filter_": body.pop("filter", None)} | body)).status_code for body in bodies]
        seen += [
            api.get(LIST, {name: text}).status_code for name in ("q", "search", "sort_by", "fields", "cursor", "tags")
        ]
    assert set(seen) <= {200, 400}
    assert names(api.get(LIST)) == ["mine"]


def test_a_statement_has_a_limit_only_within_a_snapshot(db, settings):
    settings.QUERY_TIMEOUT_MS = 1234

    def limit():
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    with snapshots.snapshot():
        within = limit()
    assert (within, limit()) == ("1234ms", "0")
