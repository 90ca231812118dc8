"""Feedback and evaluations: beside spans and traces, sent twice, refused."""

import pytest
from django.test import Client

from tests.analytics.api.asking import LIST, TRACE, error, instant
from tests.analytics.api.payloads import NS, any_value, now_ns, span


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
