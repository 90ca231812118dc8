"""What of a reply is asked for: paths into what `include` adds, aliases, and what a body may name."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.analytics.api.payloads import request, span

LIST, SEARCH, STATS = "/api/v1/traces", "/api/v1/traces/search", "/api/v1/traces/stats"
TRACE = "ab" * 16
SAID = {"evaluator_name": "grounded", "passed": False, "score": 0.5, "explanation": "no source"}


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


@pytest.fixture
def told(api, send):
    """A trace of a root and its child, with an evaluation of the child and feedback on the whole; it is linked to."""
    root = span(name="root", traceId=TRACE, attributes={"input.value": "refund"})
    child = span(name="child", traceId=TRACE, parentSpanId=root["spanId"])
    send(root, child)
    send(span(name="later", traceId="cd" * 16, links=[{"traceId": TRACE, "spanId": root["spanId"]}]))
    for route, body in (
        ("evaluations", SAID | {"span_id": child["spanId"]}),
        ("feedback", {"score": 1, "comment": "yes", "labels": ["good"]}),
    ):
        reply = api.post(f"{LIST}/{TRACE}/{route}", body, content_type="application/json")
        assert reply.status_code == 201
    return {"root": root["spanId"], "child": child["spanId"]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            "span_name,evaluations.score",
            {"span_name": "child", "evaluations": [{"score": 0.5}], "feedback": [{"score": 1, "comment": "yes"}]},
        ),
        (
            "evaluations.passed,evaluations.explanation,feedback.labels",
            {"evaluations": [{"passed": False, "explanation": "no source"}], "feedback": [{"labels": ["good"]}]},
        ),
    ],
)
def test_opinions_in_a_list_are_narrowed_by_their_paths(api, told, fields, expected):
    asked = {"trace_id": TRACE, "sort_order": "asc", "include": "evaluations,feedback", "fields": fields}
    (_, child) = sorted(api.get(LIST, asked).json()["data"], key=lambda one: len(one["evaluations"]))
    if "feedback" not in fields:  # told whole
        child["feedback"] = [{name: one[name] for name in ("score", "comment")} for one in child["feedback"]]

    assert child == expected


def test_children_in_a_list_are_narrowed_by_their_paths(api, told):
    asked = {"trace_id": TRACE, "scope": "roots", "include": "children"}

    def only(fields):
        (root,) = api.get(LIST, asked | {"fields": fields}).json()["data"]
        return root

    assert only("span_name,spans.span_id,spans.scope.name") == {
        "span_name": "root",
        "spans": [{"span_id": told["child"], "scope.name": "tests"}],
    }
    assert only("span_name") == {"span_name": "root", "spans": [{"span_name": "child"}]}
    assert only("span_name,spans")["spans"][0]["total_tokens"] == 1500


def test_highlights_are_narrowed_and_the_other_text_is_not_read(api, told):
    asked = {"search": "refund", "include": "highlights", "fields": "span_name,highlights.input_text"}
    with CaptureQueriesContext(connection) as captured:
        found = api.get(LIST, asked).json()["data"]

    assert found == [{"span_name": "root", "highlights": {"input_text": ["<mark>refund</mark>"]}}]
    assert [one for one in captured if "c.output_text" in one["sql"].partition("FROM")[0]] == []


def test_all_that_stands_beside_a_trace_is_narrowed_by_its_paths(api, told):
    fields = (
        "span_name,span_count,linked_from.trace_id,evaluations.score,feedback.comment,spans.span_name,spans.depth,"
        "spans.evaluations.passed"
    )
    asked = {"include": "children,evaluations,feedback", "fields": fields}

    assert api.get(f"{LIST}/{TRACE}", asked).json()["data"] == {
        "span_name": "root",
        "span_count": 2,
        "linked_from": [{"trace_id": "cd" * 16}],
        "evaluations": [{"score": 0.5}],
        "feedback": [{"comment": "yes"}],
        "spans": [
            {"span_name": "root", "depth": 0, "evaluations": [], "feedback": []},
            {"span_name": "child", "depth": 1, "evaluations": [{"passed": False}], "feedback": []},
        ],
    }


def test_what_is_said_of_a_traces_spans_is_narrowed_as_that_of_the_trace(api, told):
    asked = {"include": "children,evaluations", "fields": "evaluations.score,spans.span_name"}

    assert api.get(f"{LIST}/{TRACE}", asked).json()["data"] == {
        "evaluations": [{"score": 0.5}],
        "spans": [{"span_name": "root", "evaluations": []}, {"span_name": "child", "evaluations": [{"score": 0.5}]}],
    }


def test_a_link_is_told_whole_by_its_name_and_the_other_end_is_not_looked_up(api, told):
    with CaptureQueriesContext(connection) as captured:
        data = api.get(f"{LIST}/{TRACE}", {"fields": "linked_from"}).json()["data"]

    assert list(data) == ["linked_from"]
    assert set(data["linked_from"][0]) == {"trace_id", "span_id", "linked_trace_id", "linked_span_id"}
    assert len([one for one in captured if "FROM trace_links" in one["sql"]]) == 1


@pytest.mark.parametrize(
    ("url", "query", "hint"),
    [
        (f"{LIST}/{TRACE}", "include=evaluations&fields=evaluations.scroe", "did you mean evaluations.score?"),
        (f"{LIST}/{TRACE}", "fields=linked_from.colour", "allowed: linked_from.trace_id"),
        (f"{LIST}/{TRACE}", "fields=evaluations.score", "allowed"),
        (f"{LIST}/{TRACE}", "include=children,feedback&fields=spans.feedback.x", "feedback.id"),
        (LIST, "include=feedback&fields=feedback.labels.x", "did you mean feedback.labels?"),
        (LIST, "include=children&fields=spans.colour", "allowed"),
        (f"{LIST}/{TRACE}", "fields=span_cuont", "did you mean span_count?"),
        (f"{LIST}/{TRACE}", "fields=trace_cost", "did you mean trace_cost_usd?"),
        (f"{LIST}/{TRACE}", "fields=linked_form", "did you mean linked_from?"),
        (f"{LIST}/{TRACE}", "include=evaluations&fields=evalations", "did you mean evaluations?"),
        (f"{LIST}/{TRACE}", "include=children&fields=spans.self_time", "did you mean self_time_ms?"),
        (f"{LIST}/{TRACE}/spans", "fields=self_time", "did you mean self_time_ms?"),
        (f"{LIST}/{TRACE}/spans", "fields=self_time", ", subtree_tokens, "),
        (f"{LIST}/{TRACE}/spans", "fields=modle", "did you mean model?"),
        (STATS, "fields=total_cuont", "did you mean total_count?"),
        (LIST, "include=feedback&fields=feedbak", "did you mean feedback?"),
        (LIST, "fields=spans.span_id", "allowed"),
        (LIST, "include=highlights&search=x&fields=highlights.body", "highlights.input_text"),
    ],
)
def test_a_path_to_nothing_is_refused_with_what_there_is(api, told, url, query, hint):
    reply = api.get(f"{url}?{query}")

    assert error(reply) == (400, 1202, "fields")
    assert hint in reply.json()["error"]["details"]


@pytest.mark.parametrize("url", [LIST, f"{LIST}/{TRACE}"])
def test_an_addition_that_there_is_not_is_refused_with_the_nearest(api, told, url):
    reply = api.get(f"{url}?include=evaluation")

    assert error(reply) == (400, 1202, "include")
    assert "did you mean evaluations?" in reply.json()["error"]["details"]


def test_figures_are_told_under_the_name_asked_for(api, told):
    assert api.get(STATS, {"fields": "cost,total_count"}).json()["data"] == {"cost": 0.015, "total_count": 3}
    assert error(api.get(STATS, {"fields": "latency_ms"})) == (400, 1202, "fields")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"offset": 5}, (400, 1200, "offset")),
        ({"offset": None}, (400, 1200, "offset")),
        ({"fields": []}, (400, 1203, "fields")),
        ({"project_id": []}, (400, 1203, "project_id")),
        ({"project_id": 5}, (400, 1203, "project_id")),
        ({"project_id": [5]}, (400, 1203, "project_id[0]")),
        ({"project_id": ["main"] * 21}, (400, 1205, "project_id")),
        ({"project_id": ["main", "not-mine"]}, (403, 1101, "project_id")),
    ],
)
def test_a_bad_body_of_a_search_is_refused_by_name(api, body, expected):
    assert error(api.post(SEARCH, body, content_type="application/json")) == expected


def test_what_is_wrong_in_a_body_is_told_with_its_cure(api):
    def ask(**body):
        return api.post(SEARCH, body, content_type="application/json").json()["error"]

    assert "cursor" in ask(offset=5)["message"]
    assert "a list of UUIDs or slugs, or one text of them with commas between" in ask(project_id=5)["message"]
    assert "leave the member out" in ask(fields=[])["message"]


def test_projects_are_named_in_a_list_or_in_a_text_with_commas(make_tenant):
    client = Client(headers=make_tenant(projects=("one", "two", "three")).headers)
    for slug in ("one", "two", "three"):
        headers = {"X-Project-ID": slug}
        client.post("/v1/traces", request(span(name=slug)), content_type="application/json", headers=headers)
    for asked in (["one", "two"], "one,two", " two , one "):
        reply = client.post(SEARCH, {"project_id": asked, "fields": ["span_name"]}, content_type="application/json")
        assert sorted(one["span_name"] for one in reply.json()["data"]) == ["one", "two"]


def test_users_and_sessions_link_to_their_spans(api, send):
    send(*(
        span(name=f"{user} {number}", attributes={"user.id": user, "session.id": f"of {user} & others"})
        for user in ("jane", "joe") for number in range(2)
    ))  # fmt: skip
    for url, of in (("/api/v1/users", "user_id"), ("/api/v1/sessions", "session_id")):
        items = api.get(url, {"model": "gpt-4o", "project_id": "main", "start_time": "now-2h"}).json()["data"]
        assert len(items) == 2
        for item in items:
            link = item["traces_url"].removeprefix("http://testserver")
            found = api.get(link).json()["data"]
            assert [one["span_name"].split()[0] in item[of] for one in found] == [True, True]
            assert ("model=gpt-4o" in link, "project_id=main" in link, "now" in link) == (True, True, False)
    alone = api.get("/api/v1/users", {"fields": "traces_url", "sort_by": "first_ts"}).json()["data"]
    assert [list(one) for one in alone] == [["traces_url"]] * 2
    detail = api.get("/api/v1/sessions/of jane & others").json()["data"]
    assert len(api.get(detail["traces_url"].removeprefix("http://testserver")).json()["data"]) == 2
