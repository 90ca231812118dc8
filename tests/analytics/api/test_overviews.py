"""Summary, quality, comparison and labels, and that all of them say the same."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage.rollups import refresh
from tests.analytics.api.payloads import NS, now_ns, span

HOUR = 3600 * NS
SUMMARY, QUALITY, COMPARE = "/api/v1/metrics/summary", "/api/v1/metrics/quality", "/api/v1/models/compare"
LABELS = "/api/v1/metrics/labels"


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


def at(ns):
    return datetime.fromtimestamp(ns // NS, tz=UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def base():
    return (now_ns() // HOUR - 4) * HOUR


@pytest.fixture
def window(base):
    return {"start_time": at(base), "end_time": at(base + 2 * HOUR)}


@pytest.fixture
def calls(send, base):
    """One call before the window; in it four: two models, two users, one failure, one without a price."""
    failed = {"code": 2, "message": "too slow"}
    send(
        span(start_ns=base - NS, duration_ms=100),
        span(start_ns=base, duration_ms=100, attributes={"user.id": "jane", "session.id": "s1"}),
        span(start_ns=base + NS, duration_ms=300, attributes={"user.id": "joe", "session.id": "s1"}),
        span(start_ns=base + HOUR, duration_ms=500, attributes={"gen_ai.request.model": "nobody-knows-1"}),
        span(start_ns=base + HOUR + NS, duration_ms=900, status=failed, attributes={"error.type": "Timeout"}),
    )


def test_a_summary_beside_the_period_before(api, calls, window, base):
    body = api.get(SUMMARY, window).json()
    assert body["current_period"] == {
        **window,
        "total_requests": 4,
        "total_cost_usd": 0.0225,
        "total_tokens": 6000,
        "avg_duration_ms": 450,
        "p95_duration_ms": 900,
        "error_rate": 0.25,
        "success_rate": 0.75,
        "unique_users": 2,
        "unique_sessions": 1,
        "unpriced_requests": 1,
    }
    before = body["previous_period"]
    assert (before["start_time"], before["end_time"], before["total_requests"]) == (at(base - 2 * HOUR), at(base), 1)
    assert body["changes"] == {
        "requests_change_pct": 300,
        "cost_change_pct": 200,
        "duration_change_pct": 350,
        "error_rate_change_pct": 100,
    }
    assert body["top_items"]["by_cost"] == [
        {"provider": "openai", "model": "gpt-4o", "value": 0.0225, "percentage": 100}
    ]
    assert [(one["model"], one["value"], one["percentage"]) for one in body["top_items"]["by_requests"]] == [
        ("gpt-4o", 3, 75),
        ("nobody-knows-1", 1, 25),
    ]
    assert [(one["model"], one["value"], one["percentage"]) for one in body["top_items"]["by_duration"]] == [
        ("nobody-knows-1", 500, 27.7778),
        ("gpt-4o", 433.333, 72.2222),
    ]
    assert body["quality"] == {
        "error_count": 1,
        "success_count": 3,
        "error_rate": 0.25,
        "success_rate": 0.75,
        "most_common_errors": [
            {
                "status_code": "ERROR",
                "error_type": "Timeout",
                "count": 1,
                "percentage": 100,
                "sample_message": "too slow",
            }
        ],
    }


def test_without_comparison_there_is_no_period_before(api, calls, window):
    body = api.get(SUMMARY, {**window, "compare_previous_period": "false"}).json()
    assert (body["previous_period"], body["changes"]) == (None, None)


def test_over_nothing_a_summary_is_zero(api):
    body = api.get(SUMMARY).json()
    assert (body["current_period"]["total_requests"], body["current_period"]["total_cost_usd"]) == (0, 0)
    assert (body["current_period"]["avg_duration_ms"], body["changes"]["requests_change_pct"]) == (None, 0)
    assert body["top_items"] == {"by_cost": [], "by_requests": [], "by_duration": [], "by_errors": []}


def test_quality_tells_what_fails(api, calls, window, base):
    body = api.get(QUALITY, window).json()
    body.pop("metadata")
    assert body == {
        "total_requests": 4,
        "successful_requests": 3,
        "failed_requests": 1,
        "success_rate": 0.75,
        "error_rate": 0.25,
        "avg_feedback_score": None,
        "resolution_rate": None,
        "error_breakdown": [{"error_type": "Timeout", "count": 1, "percentage": 100, "sample_message": "too slow"}],
        "time_series": [
            {"timestamp": at(base), "success_rate": 1, "error_rate": 0, "request_count": 2},
            {"timestamp": at(base + HOUR), "success_rate": 0.5, "error_rate": 0.5, "request_count": 2},
        ],
    }


@pytest.fixture
def said(api, send, base):
    """Feedback on a trace before the window, and in it on a trace of two models, on one span of it, and on another."""
    early = span(start_ns=base - NS)
    first = span(start_ns=base, attributes={"gen_ai.request.model": "gpt-4o"})
    second = span(
        start_ns=base + NS,
        traceId=first["traceId"],
        parentSpanId=first["spanId"],
        attributes={"gen_ai.request.model": "gpt-4o-mini"},
    )
    third = span(start_ns=base + HOUR, attributes={"gen_ai.request.model": "gpt-4o"})
    send(early, first, second, third)
    for one, said in (
        (early, {"score": 0, "resolved": False}),
        (first, {"score": 0.2, "resolved": True}),
        (first, {"score": 0.9, "span_id": second["spanId"]}),
        (third, {"score": 0.4, "resolved": False}),
    ):
        path = f"/api/v1/traces/{one['traceId']}/feedback"
        assert api.post(path, said, content_type="application/json").status_code == 201


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, (0.5, 0.5)),
        ({"model": "gpt-4o"}, (0.3, 0.5)),
        ({"model": "gpt-4o-mini"}, (0.55, 1)),
        ({"model": "nobody-knows-1"}, (None, None)),
    ],
)
def test_quality_tells_what_users_say_of_what_matches(api, said, window, asked, told):
    body = api.get(QUALITY, {**window, **asked}).json()
    assert (body["avg_feedback_score"], body["resolution_rate"]) == told


def test_feedback_of_another_project_or_organisation_is_not_told(api, said, make_tenant, window):
    (project,) = make_tenant("umbrella").projects
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trace_feedback SET organisation_id = %s, project_id = %s", [project.organisation_id, project.id]
        )
    assert api.get(QUALITY, window).json()["avg_feedback_score"] is None


def test_feedback_is_read_only_when_it_is_asked_for(api, said, window):
    with CaptureQueriesContext(connection) as statements:
        api.get(QUALITY, {**window, "fields": "success_rate"})
    assert not [one for one in statements if "trace_feedback" in one["sql"]]


def test_anonymous_callers_are_told_the_feedback_on_public_projects(said, tenant, window):
    tenant.projects[0].is_public = True
    tenant.projects[0].save()
    assert Client().get(QUALITY, window).json()["avg_feedback_score"] == 0.5


def test_new_feedback_changes_the_version_of_a_reply(api, said, window):
    before = api.get(QUALITY, {**window, "fields": "avg_feedback_score"})
    (trace, *_) = api.get("/api/v1/traces", window).json()["data"]
    api.post(f"/api/v1/traces/{trace['trace_id']}/feedback", {"score": 1}, content_type="application/json")
    after = api.get(QUALITY, {**window, "fields": "avg_feedback_score"}, headers={"If-None-Match": before["ETag"]})
    assert (after.status_code, after.json()["avg_feedback_score"]) == (200, 0.625)


def test_an_error_without_a_type_goes_by_its_status(api, send, base, window):
    send(span(start_ns=base, status={"code": 2}))
    (one,) = api.get(QUALITY, {**window, "fields": "error_breakdown"}).json()["error_breakdown"]
    assert one == {"error_type": "ERROR", "count": 1, "percentage": 100, "sample_message": None}


def test_messages_are_not_told_to_anonymous_callers(api, calls, tenant, window):
    tenant.projects[0].is_public = True
    tenant.projects[0].save()
    (one,) = Client().get(QUALITY, window).json()["error_breakdown"]
    assert (one["error_type"], one["sample_message"]) == ("Timeout", None)


@pytest.fixture
def models(send, base):
    def call(model, provider, duration, tokens, **more):
        usage = {"gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": 0}
        names = {"gen_ai.request.model": model, "gen_ai.provider.name": provider}
        return span(start_ns=base, duration_ms=duration, attributes={**names, **usage}, **more)

    send(
        call("gpt-4o", "openai", 500, 1000),
        call("gpt-4o", "openai", 700, 1000),
        call("gpt-4o", "azure.ai.openai", 900, 1000, status={"code": 2}),
        call("gpt-4o-mini", "openai", 1000, 1000),
    )


def test_models_beside_each_other(api, models, window):
    body = api.get(COMPARE, {"models": "gpt-4o-mini,openai/gpt-4o,nothing", **window}).json()
    assert [(one["provider"], one["model"]) for one in body["models"]] == [
        ("openai", "gpt-4o-mini"),
        ("openai", "gpt-4o"),
    ]
    assert body["models"][1]["metrics"] == {
        "avg_latency_ms": 600,
        "p95_latency_ms": 700,
        "avg_cost_usd": 0.0025,
        "total_cost_usd": 0.005,
        "unpriced_requests": 0,
        "success_rate": 1,
        "throughput_rps": 0.000278,
        "total_tokens": 2000,
        "request_count": 2,
    }
    assert body["summary"] == {
        "fastest_model": "gpt-4o",
        "cheapest_model": "gpt-4o-mini",
        "most_reliable_model": "gpt-4o",
        "recommendations": [
            "Use gpt-4o where latency matters: 600 ms on average.",
            "Use gpt-4o-mini where cost matters: $0.00015 a request on average.",
            "gpt-4o-mini has the best balance of reliability, latency and cost.",
        ],
    }


def test_a_bare_model_gives_an_entry_for_each_provider(api, models, window):
    body = api.get(COMPARE, {"models": "gpt-4o,gpt-4o-mini", "metrics": "quality", **window}).json()
    assert [(one["provider"], one["metrics"]) for one in body["models"]] == [
        ("azure.ai.openai", {"success_rate": 0, "request_count": 1}),
        ("openai", {"success_rate": 1, "request_count": 2}),
        ("openai", {"success_rate": 1, "request_count": 1}),
    ]


def test_with_no_data_nobody_is_best(api):
    body = api.get(COMPARE, {"models": "a,b"}).json()
    assert (body["models"], body["summary"]) == (
        [],
        {
            "fastest_model": "N/A",
            "cheapest_model": "N/A",
            "most_reliable_model": "N/A",
            "recommendations": [],
        },
    )


def test_a_comparison_by_post_is_the_same(api, models, window):
    asked = {"models": ["gpt-4o", "gpt-4o-mini"], **window}
    posted = api.post(COMPARE, asked, content_type="application/json")
    got = api.get(COMPARE, {**asked, "models": "gpt-4o,gpt-4o-mini"})
    assert (posted.status_code, posted.json()) == (200, got.json())
    assert (posted["Cache-Control"], got["Cache-Control"], "ETag" in posted) == (
        "no-store",
        "private, max-age=60",
        False,
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, 1201, "models")),
        ("models=a", (400, 1205, "models")),
        ("models=" + ",".join("abcdefghijk"), (400, 1205, "models")),
        ("models=a,b&metrics=speed", (400, 1202, "metrics")),
        ("models=a,b&start_time=now-366d", (400, 1204, "start_time")),
        ("models=a,b&fields=models.speed", (400, 1202, "fields")),
    ],
)
def test_what_is_wrong_with_a_comparison_is_named(api, query, expected):
    assert error(api.get(f"{COMPARE}?{query}")) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, 1201, "models")),
        ({"models": ["a"]}, (400, 1205, "models")),
        ({"models": "a,b"}, (400, 1203, "models")),
        ({"models": ["a", "b"], "metrics": ["speed"]}, (400, 1202, "metrics[0]")),
        ({"models": ["a", "b"], "limit": 1}, (400, 1202, "limit")),
    ],
)
def test_what_is_wrong_with_a_posted_comparison_is_named(api, body, expected):
    assert error(api.post(COMPARE, body, content_type="application/json")) == expected


def test_the_aliases_are_the_same_views(api, calls, models, window):
    for path, alias in ((QUALITY, "/api/v1/analytics/quality"), (COMPARE, "/api/v1/analytics/models/compare")):
        query = {**window, **({"models": "gpt-4o,gpt-4o-mini"} if path == COMPARE else {})}
        assert api.get(alias, query).json() == api.get(path, query).json()


def test_labels_name_dimensions_and_free_attributes(api, send, base):
    send(span(start_ns=base, attributes={"color": "red"}))
    found = {one["name"]: (one["type"], one["source"]) for one in api.get(LABELS).json()["labels"]}
    assert found["model"] == ("string", "rollup")
    assert found["user_id"] == ("string", "usage")
    assert found["tag"] == ("list", "content")
    assert found["attributes.color"] == ("string", "content")


def test_values_of_a_label_are_most_frequent_first(api, calls, window):
    body = api.get(f"{LABELS}/model/values", window).json()
    assert body == {
        "name": "model",
        "values": [{"value": "gpt-4o", "request_count": 3}, {"value": "nobody-knows-1", "request_count": 1}],
        "truncated": False,
    }
    shorter = api.get(f"{LABELS}/model/values", {**window, "limit": 1}).json()
    assert ([one["value"] for one in shorter["values"]], shorter["truncated"]) == (["gpt-4o"], True)
    begun = api.get(f"{LABELS}/model/values", {**window, "prefix": "nob"}).json()
    assert [one["value"] for one in begun["values"]] == ["nobody-knows-1"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/colour/values", (404, 1300, None)),
        ("/model/values?limit=0", (400, 1200, "limit")),
        ("/model/values?limit=1001", (400, 1200, "limit")),
        ("?start_time=now-91d", (400, 1204, "start_time")),
    ],
)
def test_what_is_wrong_with_labels_is_named(api, path, expected):
    assert error(api.get(LABELS + path)) == expected


@pytest.mark.parametrize("refreshed", [False, True])
def test_one_figure_is_one_number_wherever_it_is_read(api, calls, window, refreshed):
    if refreshed:
        for grain in GRAIN_WIDTHS:
            refresh(grain, before=timezone.now())
    query = api.post(
        "/api/v1/metrics/query",
        {
            **window,
            "interval": "all",
            "metrics": [
                {"metric": "request_count", "alias": "n"},
                {"metric": "duration", "aggregation": "p95", "alias": "p95"},
                {"metric": "error_rate", "alias": "rate"},
                {"metric": "total_tokens", "alias": "tokens"},
                {"metric": "total_cost", "alias": "cost"},
            ],
            "filters": [{"dimension": "model", "operator": "eq", "value": "gpt-4o"}],
        },
        content_type="application/json",
    ).json()["data"][0]
    narrowed = {**window, "model": "gpt-4o"}
    performance = api.get("/api/v1/metrics/performance", narrowed).json()
    current = api.get(SUMMARY, narrowed).json()["current_period"]
    compared = api.get(COMPARE, {**window, "models": "gpt-4o,none"}).json()["models"][0]["metrics"]
    table = api.get(
        "/api/v1/metrics",
        {**narrowed, "metrics": "request_count,error_rate,total_tokens,total_cost", "interval": "all"},
    ).json()["data"][0]
    costs = api.get("/api/v1/costs/summary", narrowed).json()["overview"]
    analytics = api.get("/api/v1/costs/analytics", narrowed).json()
    (attributed,) = api.get("/api/v1/costs/attribution", {**narrowed, "dimension": "model"}).json()["items"]
    assert {
        performance["request_count"],
        current["total_requests"],
        compared["request_count"],
        table["request_count"],
        query["n"],
    } == {3}
    assert performance["p95_latency_ms"] == current["p95_duration_ms"] == compared["p95_latency_ms"] == query["p95"]
    assert performance["error_rate"] == current["error_rate"] == table["error_rate"] == query["rate"] == 0.333333
    assert performance["total_tokens"] == current["total_tokens"] == compared["total_tokens"] == query["tokens"] == 4500
    assert table["total_tokens"] == 4500
    assert {
        query["cost"],
        table["total_cost"],
        current["total_cost_usd"],
        compared["total_cost_usd"],
        costs["total_cost"],
        analytics["total_cost"],
        attributed["total_cost"],
    } == {0.0225}
