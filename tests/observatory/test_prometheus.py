import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from analytics.jobs import rollups
from tests.analytics.api.payloads import request, span

FAR = "203.0.113.9"
USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")


def series(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def grown():
    """Return a function that tells how much a series has grown since it was asked for the first time."""
    before: dict[tuple[str, ...], float] = {}

    def growth(name, **labels):
        key = (name, *map(str, labels.items()))
        now = series(name, **labels)
        return now - before.setdefault(key, now)

    return growth


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.7.7", "::1", "fd00::1"])
def test_a_near_network_may_read(db, address):
    reply = Client(REMOTE_ADDR=address).get("/metrics")

    assert (reply.status_code, reply["Content-Type"].startswith("text/plain")) == (200, True)


@pytest.mark.parametrize("address", [FAR, "2001:db8::1", "", "nonsense"])
def test_any_other_address_may_not(db, address):
    reply = Client(REMOTE_ADDR=address).get("/metrics")

    assert (reply.status_code, reply.json()["error"]["code"]) == (403, 1103)


def test_the_address_that_a_caller_claims_does_not_count(db):
    assert Client(REMOTE_ADDR=FAR, headers={"X-Forwarded-For": "127.0.0.1"}).get("/metrics").status_code == 403


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer the-token", 200),
        ("bearer the-token", 200),
        ("Bearer another", 403),
        ("the-token", 403),
        ("Bearer", 403),
    ],
)
def test_the_token_may_read_from_everywhere(db, settings, header, status):
    settings.METRICS_TOKEN = "the-token"

    assert Client(REMOTE_ADDR=FAR, headers={"Authorization": header}).get("/metrics").status_code == status


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer "])
def test_no_token_is_set_means_that_none_opens(db, header):
    assert Client(REMOTE_ADDR=FAR, headers={"Authorization": header}).get("/metrics").status_code == 403


def test_requests_are_counted_by_template(api, grown):
    labels = {"method": "GET", "endpoint": "/api/v1/traces/<str:trace_id>", "status": "404"}
    grown("http_requests_total", **labels)

    for number in range(3):
        api.get(f"/api/v1/traces/{number}")

    assert grown("http_requests_total", **labels) == 3


def test_paths_that_are_none_share_one_label(db, grown):
    labels = {"method": "GET", "endpoint": "unmatched", "status": "404"}
    grown("http_requests_total", **labels)

    for path in ("/a", "/b", "/api/v1/c"):
        Client().get(path)

    assert grown("http_requests_total", **labels) == 3


def test_methods_that_are_none_share_one_label(db, grown):
    labels = {"method": "other", "endpoint": "/health", "status": "405"}
    grown("http_requests_total", **labels)

    for method in ("BREW", "BREW2"):
        Client().generic(method, "/health")

    assert grown("http_requests_total", **labels) == 2


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("http_request_duration_seconds_count", {"method": "GET", "endpoint": "/errors/<int:code>"}),
        ("http_request_size_bytes_count", {"endpoint": "/errors/<int:code>"}),
        ("http_response_size_bytes_count", {"endpoint": "/errors/<int:code>"}),
        ("http_not_modified_total", {"endpoint": "/errors/<int:code>"}),
    ],
)
def test_a_request_is_measured(grown, name, labels):
    grown(name, **labels)

    Client().get("/errors/1200", headers={"If-None-Match": "*"})

    assert grown(name, **labels) == 1


def test_statements_are_counted_by_kind(api, grown):
    grown("db_queries_total", operation="select")
    grown("db_query_duration_seconds_count", operation="select")

    api.get("/api/v1/traces")

    counted = grown("db_queries_total", operation="select")
    assert counted >= 2
    assert grown("db_query_duration_seconds_count", operation="select") == counted


@pytest.mark.parametrize(
    ("outcome", "count"),
    [("accepted", 2), ("duplicate", 1), ("rejected", 1)],
)
def test_spans_are_counted_by_outcome(api, grown, outcome, count):
    one, two, bad = span(), span(), span(traceId="")
    grown("ingest_spans_total", outcome=outcome)

    for batch in ([one, two, bad], [one]):
        api.post("/v1/traces", request(*batch), content_type="application/json")

    assert grown("ingest_spans_total", outcome=outcome) == count


def test_errors_are_counted_by_number(db, grown):
    grown("api_errors_total", code="1300")

    Client().get("/no-such-path")

    assert grown("api_errors_total", code="1300") == 1


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("1000", lambda: Client().get("/api/v1/traces")),
        ("1001", lambda: Client().get("/api/v1/traces", headers={"Authorization": "Bearer x"})),
        ("1003", lambda: Client().get("/api/v1/traces", headers={"X-API-Key": "x"})),
        ("1003", lambda: Client().post("/v1/traces", headers={"X-API-Key": "x"})),
        ("1009", lambda: Client().post("/auth/token", {"client_id": "x", "client_secret": "y"}, "application/json")),
        ("1010", lambda: Client().post("/auth/refresh", {"refresh_token": "x"}, "application/json")),
    ],
)
def test_refused_credentials_are_counted_by_number(db, grown, code, call):
    grown("auth_failures_total", code=code)

    call()

    assert grown("auth_failures_total", code=code) == 1


def test_what_is_counted_is_told(api):
    api.get("/api/v1/traces")

    told = Client().get("/metrics").content.decode()

    assert 'http_requests_total{endpoint="/api/v1/traces",method="GET",status="200"}' in told


def test_no_label_tells_of_a_tenant(api, tenant):
    api.post("/v1/traces", request(span(attributes={"user.id": "jane"})), content_type="application/json")
    api.get("/api/v1/metrics/performance?user_id=jane&project_id=main")

    told = Client().get("/metrics").content.decode()

    secrets = (tenant.key, str(tenant.organisation.public_id), "jane", "gpt-4o", tenant.organisation.slug)
    assert [one for one in secrets if one in told] == []


def told(name):
    """Return the samples of a series of GET /metrics by their labels."""
    body = Client(REMOTE_ADDR="127.0.0.1").get("/metrics").content.decode()
    (family,) = (one for one in text_string_to_metric_families(body) if one.name == name)
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def test_how_far_rollups_are_behind_is_told_as_it_is_now(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM bucket_change")
        cursor.execute(
            "INSERT INTO bucket_change VALUES (1, 1, '1hour', %(at)s, %(at)s), (1, 2, '1hour', %(at)s, %(at)s)",
            {"at": timezone.now() - timedelta(hours=3)},
        )

    assert told("rollup_dirty_buckets") == {("1min",): 0, ("5min",): 0, ("1hour",): 2, ("1day",): 0}
    lag = told("rollup_lag_seconds")
    assert (lag["1min",], lag["1hour",] // 60, lag["1day",]) == (0, 120, 0)


def test_models_without_a_price_are_counted(api):
    calls = [("gpt-4o", "openai"), ("nothing-1", "openai"), ("nothing-1", "openai"), ("nothing-1", "nobody")]
    hour_ago = time.time_ns() - 3_700 * 10**9
    spans = [
        span(start_ns=hour_ago, attributes={"gen_ai.request.model": model, "gen_ai.provider.name": provider})
        for model, provider in calls
    ]
    before = told("unpriced_models")[()]

    api.post("/v1/traces", request(*spans), content_type="application/json")
    rollups()

    assert told("unpriced_models")[()] == before + 2


def test_spans_without_a_cost_are_counted_by_reason_once_they_are_stored(
    api, grown, django_capture_on_commit_callbacks
):
    reasons = {"no_price": {"gen_ai.request.model": "nothing-1"}, "no_usage": dict.fromkeys(USAGE), "none": {}}
    for reason in reasons:
        grown("unpriced_spans_total", reason=reason)

    with django_capture_on_commit_callbacks(execute=True):
        spans = [span(attributes=attributes) for attributes in reasons.values()]
        api.post("/v1/traces", request(*spans), content_type="application/json")

    assert {reason: grown("unpriced_spans_total", reason=reason) for reason in reasons} == {
        "no_price": 1,
        "no_usage": 1,
        "none": 0,
    }


def test_connections_are_told_by_state(db, settings):
    settings.DATABASE_POOL_SIZE = 7
    found = told("db_pool_connections")

    assert sorted(found) == [("active",), ("idle",), ("max",)]
    assert (found["active",] >= 1, found["max",]) == (True, 7)


def test_without_the_database_the_other_series_are_told(db, monkeypatch):
    def away(**_given):
        raise DatabaseError

    monkeypatch.setattr("observatory.prometheus.lag_by_grain", away)
    body = Client(REMOTE_ADDR="127.0.0.1").get("/metrics").content.decode()

    assert "db_queries_total" in body
    assert "rollup_lag_seconds" not in body


def test_a_refresh_is_timed(db, grown):
    grown("rollup_refresh_duration_seconds_count", granularity="1hour")
    rollups()

    assert grown("rollup_refresh_duration_seconds_count", granularity="1hour") == 1


def test_the_backlog_is_what_the_process_that_ran_last_left(tmp_path):
    for rows in (5, 3):
        subprocess.run(
            [
                sys.executable,
                "-c",
                f"from analytics.storage.metrics import BACKLOG; BACKLOG.labels('llm_traces').set({rows})",
            ],
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            check=True,
        )
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(tmp_path))

    assert registry.get_sample_value("retention_backlog_rows", {"table": "llm_traces"}) == 3


@pytest.fixture(scope="module")
def at_start():
    """The series of a process that has loaded the service's code and done nothing."""
    loaded = "import django; django.setup(); import observatory.urls"
    code = f"{loaded}; from prometheus_client import generate_latest; print(generate_latest().decode())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "counter",
    [
        'export_jobs_total{status="failed"}',
        'auth_failures_total{code="1001"}',
        'stream_dropped_total{event_type="trace_created"}',
    ],
)
def test_what_alerts_look_for_a_rise_of_begins_at_zero(at_start, counter):
    assert f"{counter} 0.0" in at_start
