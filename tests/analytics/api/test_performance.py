from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.analytics.api.payloads import NS, now_ns, span

URL = "/api/v1/metrics/performance"


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


def hour(reply):
    return [(one["timestamp"], one["request_count"]) for one in reply.json()["time_series"]]


@pytest.fixture
def base():
    """Nanoseconds of a full hour, two hours ago."""
    return (now_ns() // (3600 * NS) - 2) * 3600 * NS


def window(base, hours=1):
    start = datetime.fromtimestamp(base // NS, tz=UTC)
    end = datetime.fromtimestamp(base // NS + hours * 3600, tz=UTC)
    return {"start_time": start.isoformat(), "end_time": end.isoformat()}


def test_the_figures_of_four_calls(api, send, base):
    send(
        span(start_ns=base, duration_ms=100, attributes={"gen_ai.response.time_to_first_chunk": 0.05}),
        span(start_ns=base + NS, duration_ms=200),
        span(start_ns=base + 2 * NS, duration_ms=300),
        span(start_ns=base + 3 * NS, duration_ms=1000, status={"code": 2}),
        span(start_ns=base + 3600 * NS, duration_ms=9999),  # the end of the range is exclusive
    )
    body = api.get(URL, window(base)).json()
    metadata = body.pop("metadata")
    # Minutes without spans count as rolled up, so the percentiles come from sketches, within 2.5 %.
    assert body.pop("p50_latency_ms") == pytest.approx(200, rel=0.025)
    assert body.pop("p50_ttft_ms") == body.pop("p95_ttft_ms") == body.pop("p99_ttft_ms") == 50
    start = window(base)["start_time"].replace("+00:00", "Z")
    assert body == {
        "request_count": 4,
        "avg_latency_ms": 400,
        "min_latency_ms": 100,
        "max_latency_ms": 1000,
        "p95_latency_ms": 1000,
        "p99_latency_ms": 1000,
        "avg_ttft_ms": 50,
        "error_rate": 0.25,
        "throughput_rps": 0.001111,
        "total_tokens": 6000,
        "tokens_per_second": 1.666667,
        "time_series": [
            {
                "timestamp": start,
                "avg_latency_ms": 400,
                "min_latency_ms": 100,
                "max_latency_ms": 1000,
                "p95_latency_ms": 1000,
                "request_count": 4,
                "total_tokens": 6000,
            }
        ],
    }
    assert (metadata["data_source"], metadata["granularity"], metadata["start_time"]) == ("mixed", "1hour", start)


def test_raw_granularity_is_exact(api, send, base):
    send(*(span(start_ns=base + NS, duration_ms=duration) for duration in (101, 203, 307)))
    body = api.get(URL, {"granularity": "raw", **window(base)}).json()
    assert (body["p50_latency_ms"], body["p95_latency_ms"], body["metadata"]["data_source"]) == (203, 307, "spans")


def test_over_nothing_counts_are_zero_and_averages_null(api):
    body = api.get(URL).json()
    assert {
        key: body[key] for key in ("request_count", "avg_latency_ms", "p95_latency_ms", "error_rate", "time_series")
    } == {
        "request_count": 0,
        "avg_latency_ms": None,
        "p95_latency_ms": None,
        "error_rate": 0,
        "time_series": [],
    }


def test_a_parent_that_repeats_its_childs_usage_is_counted_once(api, send, base):
    parent = span(traceId="ab" * 16, start_ns=base)
    send(span(traceId="ab" * 16, start_ns=base + NS, parentSpanId=parent["spanId"]))
    send(parent)
    body = api.get(URL, window(base)).json()
    assert (body["request_count"], body["total_tokens"]) == (1, 1500)


@pytest.mark.parametrize(("granularity", "buckets"), [("1min", 3), ("raw", 3), ("1hour", 2), ("1day", 1)])
def test_buckets_are_aligned_to_utc(api, send, granularity, buckets):
    day = int(timezone.now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * NS - 86_400 * NS
    send(*(span(start_ns=day + offset * NS) for offset in (0, 59, 60, 3600)))
    reply = api.get(URL, {"granularity": granularity, "start_time": "now-2d/d", "end_time": "now"})
    assert len(reply.json()["time_series"]) == buckets


def test_dimensions_narrow(api, send, base):
    send(span(start_ns=base), span(start_ns=base, attributes={"gen_ai.request.model": "gpt-4o-mini"}))
    assert api.get(URL, {"model": "gpt-4o-mini", **window(base)}).json()["request_count"] == 1


def test_only_what_was_asked_for_is_computed(api, send, base):
    send(span(start_ns=base))
    with CaptureQueriesContext(connection) as captured:
        body = api.get(URL, {"fields": "request_count,time_series.total_tokens", **window(base)}).json()
    assert {key for key in body if key != "metadata"} == {"request_count", "time_series"}
    assert body["time_series"][0].keys() == {"timestamp", "total_tokens"}
    assert [one for one in captured if "percentile_disc" in one["sql"] or "duration_ms" in one["sql"]] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("granularity=week", (400, 1202, "granularity")),
        ("granularity=1min&start_time=now-60d", (400, 1204, "start_time")),
        ("granularity=1min&start_time=now-3d&model=gpt-4o", (400, 1204, "start_time")),
        ("start_time=now-366d", (400, 1204, "start_time")),
        ("fields=speed", (400, 1202, "fields")),
        ("session_id=1", (400, 1202, "session_id")),
    ],
)
def test_a_bad_parameter_is_named(api, query, expected):
    assert error(api.get(f"{URL}?{query}")) == expected


def test_the_buckets_alone_can_be_asked_for(api, send, base):
    send(span(start_ns=base))
    body = api.get(URL, {"fields": "time_series.timestamp", **window(base)}).json()
    assert [one.keys() for one in body["time_series"]] == [{"timestamp"}]


def test_without_a_credential_only_public_projects_are_seen(api, send, tenant, base):
    send(span(start_ns=base))
    nobody = Client()
    assert error(nobody.get(URL))[:2] == (401, 1000)
    tenant.projects[0].is_public = True
    tenant.projects[0].save()
    reply = nobody.get(URL, window(base))
    assert (reply.json()["request_count"], reply["Cache-Control"]) == (1, "public, max-age=60")
    assert error(nobody.get(f"{URL}?user_id=u"))[:2] == (401, 1000)
    assert error(nobody.get(f"{URL}?project_id=other"))[:2] == (401, 1000)


def test_a_bad_credential_never_falls_back_to_anonymous(tenant):
    tenant.projects[0].is_public = True
    tenant.projects[0].save()
    assert error(Client(headers={"Authorization": "Bearer nonsense"}).get(URL))[:2] == (401, 1001)


def test_the_alias_is_the_same_view(api, send, base):
    send(span(start_ns=base))
    assert api.get("/api/v1/analytics/performance", window(base)).json() == api.get(URL, window(base)).json()


def test_an_unchanged_answer_is_304(api, send, base):
    send(span(start_ns=base))
    first = api.get(URL, window(base))
    assert (first["Cache-Control"], bool(first["ETag"])) == ("private, max-age=60", True)
    second = api.get(URL, window(base), headers={"If-None-Match": first["ETag"]})
    assert (second.status_code, second.content) == (304, b"")
