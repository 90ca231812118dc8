"""Real replies against the published document."""

import pytest
from jsonschema import Draft202012Validator

from analytics.registry.fields import BY_KEY
from observatory.accounts.models import ApiKey
from observatory.docs import document
from tests.analytics.api.payloads import request, span
from tests.observatory.accounts.credentials import client, post, sign_in

TRACE = "ab" * 16


@pytest.fixture
def stored(api):
    """A trace of two spans, one of which failed, and a model that nobody has a price for."""
    root = span(traceId=TRACE, spanId="cd" * 8, attributes={"user.id": "jane", "tag.tags": ["a", "b"]})
    child = span(traceId=TRACE, parentSpanId="cd" * 8, status={"code": 2, "message": "no"})
    unpriced = span(attributes={"gen_ai.request.model": "nobody-knows-1"})
    reply = api.post("/v1/traces", request(root, child, unpriced), content_type="application/json")
    assert (reply.status_code, reply.json()) == (200, {})


def documented(method, route, reply):
    """Return what `reply` breaks of the document, which must know its status."""
    whole = document()
    operation = whole["paths"][route][method]
    schema = operation["responses"][str(reply.status_code)]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(
        {"components": whole["components"], **schema}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{one.json_path}: {one.message}" for one in validator.iter_errors(reply.json())]


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("/api/v1/traces", "/api/v1/traces"),
        ("/api/v1/traces", "/api/v1/traces?limit=1"),
        ("/api/v1/traces", "/api/v1/traces?model=nothing"),
        ("/api/v1/traces", "/api/v1/traces?limit=0"),
        ("/api/v1/traces", "/api/v1/traces?project_id=no-such"),
        ("/api/v1/traces", "/api/v1/traces?include=children,evaluations,feedback,total"),
        ("/api/v1/traces", "/api/v1/traces?q=colour:red"),
        ("/api/v1/traces/stats", "/api/v1/traces/stats"),
        ("/api/v1/traces/stats", "/api/v1/traces/stats?model=nothing"),
        ("/api/v1/traces/{trace_id}/spans", f"/api/v1/traces/{TRACE}/spans?limit=1"),
        ("/api/v1/traces/{trace_id}/spans", f"/api/v1/traces/{'0' * 32}/spans"),
        ("/api/v1/traces/{trace_id}", f"/api/v1/traces/{TRACE}"),
        ("/api/v1/traces/{trace_id}", f"/api/v1/traces/{TRACE}?include=children"),
        ("/api/v1/traces/{trace_id}", f"/api/v1/traces/{'0' * 32}"),
        ("/api/v1/metrics/performance", "/api/v1/metrics/performance"),
        ("/api/v1/metrics/performance", "/api/v1/metrics/performance?granularity=1day&model=nothing"),
        ("/api/v1/metrics/performance", "/api/v1/metrics/performance?fields=request_count"),
        ("/api/v1/metrics/performance", "/api/v1/metrics/performance?start_time=yesterday"),
        ("/api/v1/analytics/performance", "/api/v1/analytics/performance"),
        ("/api/v1/metrics", "/api/v1/metrics?metrics=request_count,duration&group_by=model"),
        ("/api/v1/metrics/summary", "/api/v1/metrics/summary"),
        ("/api/v1/metrics/summary", "/api/v1/metrics/summary?explain=true"),
        ("/api/v1/metrics/quality", "/api/v1/metrics/quality"),
        ("/api/v1/metrics/labels", "/api/v1/metrics/labels"),
        ("/api/v1/metrics/labels/{name}/values", "/api/v1/metrics/labels/model/values"),
        ("/api/v1/models/compare", "/api/v1/models/compare?models=gpt-4o,nobody-knows-1"),
        ("/api/v1/optimization", "/api/v1/optimization"),
        ("/api/v1/costs/summary", "/api/v1/costs/summary"),
        ("/api/v1/costs/attribution", "/api/v1/costs/attribution?dimension=user&from=now-1d&to=now"),
        ("/api/v1/costs/analytics", "/api/v1/costs/analytics?group_by=model"),
        ("/api/v1/costs/breakdown", "/api/v1/costs/breakdown"),
        ("/api/v1/costs/unpriced", "/api/v1/costs/unpriced"),
        ("/api/v1/costs/forecast", "/api/v1/costs/forecast"),
        ("/api/v1/users", "/api/v1/users"),
        ("/api/v1/sessions", "/api/v1/sessions"),
        ("/api/v1/sessions/{session_id}", "/api/v1/sessions/nothing"),
    ],
)
def test_an_answer_is_as_documented(api, stored, route, path):
    assert documented("get", route, api.get(path)) == []


def test_every_member_of_a_span_is_as_documented(api, stored):
    names = ",".join(BY_KEY)

    reply = api.get(f"/api/v1/traces?fields={names}")

    assert (reply.status_code, documented("get", "/api/v1/traces", reply)) == (200, [])


def test_a_missing_credential_is_answered_as_documented(db):
    assert documented("get", "/api/v1/traces", client().get("/api/v1/traces")) == []


@pytest.mark.parametrize(
    ("route", "path", "body"),
    [
        ("search", "search", {"filter": {"field": "model", "operator": "eq", "value": "gpt-4o"}, "include": ["total"]}),
        ("search", "search", {"filter": {"field": "model", "operator": "search", "value": "x"}}),
        ("{trace_id}/feedback", f"{TRACE}/feedback", {"score": 1, "labels": ["good"]}),
        ("{trace_id}/feedback", f"{TRACE}/feedback", {"score": 2}),
        ("{trace_id}/evaluations", f"{TRACE}/evaluations", {"evaluator_name": "e", "passed": True}),
        ("{trace_id}/evaluations", f"{TRACE}/evaluations", {"evaluator_name": "e"}),
    ],
)
def test_a_posted_question_or_opinion_is_answered_as_documented(api, stored, route, path, body):
    reply = api.post(f"/api/v1/traces/{path}", body, content_type="application/json")

    assert documented("post", f"/api/v1/traces/{route}", reply) == []


@pytest.mark.parametrize("spans", [[], [{"traceId": ""}]], ids=["all kept", "one rejected"])
def test_spans_are_taken_as_documented(api, spans):
    reply = api.post("/v1/traces", request(span(), *(span(**one) for one in spans)), content_type="application/json")

    assert (reply.status_code, documented("post", "/v1/traces", reply)) == (200, [])


@pytest.mark.parametrize(("body", "content_type"), [("{", "application/json"), ("x", "text/plain")])
def test_a_bad_batch_is_refused_as_documented(api, body, content_type):
    reply = api.post("/v1/traces", body, content_type=content_type)

    assert documented("post", "/v1/traces", reply) == []


def test_signing_in_is_as_documented(tenant, member):
    member("viewer")
    pair = sign_in("viewer")
    key = post("/auth/token", {"client_id": str(ApiKey.objects.get().id), "client_secret": tenant.key})
    renewed = post("/auth/refresh", {"refresh_token": pair.json()["refresh_token"]})
    revoked = post("/auth/revoke", {"token": pair.json()["access_token"]})

    replies = [("token", pair), ("token", key), ("refresh", renewed), ("revoke", revoked)]
    assert [(one.status_code, documented("post", f"/auth/{path}", one)) for path, one in replies] == [(200, [])] * 4


@pytest.mark.parametrize(
    "body", [{}, {"grant_type": "password", "username": "x", "password": "y"}], ids=["bad", "wrong"]
)
def test_failing_to_sign_in_is_as_documented(db, body):
    assert documented("post", "/auth/token", post("/auth/token", body)) == []
