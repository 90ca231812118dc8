import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from analytics.costs.repricing import Repricing, costs_recompute
from analytics.models import ModelPrice
from analytics.storage.remaking import Window
from tests.analytics.api.payloads import NS, now_ns, span
from tests.observatory.live.conftest import bearer
from tests.observatory.live.following import follow, talk

TRACE = "ab" * 16


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("feedback", {"score": 1}, ("feedback", "11" * 8)),
        ("feedback", {"score": 1, "span_id": "22" * 8}, ("feedback", "22" * 8)),
        ("evaluations", {"evaluator_name": "e", "passed": True}, ("evaluation", "11" * 8)),
    ],
)
def test_what_is_said_of_a_span_or_trace_is_told(live, tenant, path, body, told):
    root = span(traceId=TRACE, spanId="11" * 8)
    tenant.send(span(traceId=TRACE, spanId="22" * 8, parentSpanId="11" * 8, start_ns=now_ns() - 90 * NS), root)
    with follow(live, tenant.key(), "trace_updated") as stream:
        client = Client(headers=bearer(tenant.key()))
        reply = client.post(f"/api/v1/traces/{TRACE}/{path}", body, content_type="application/json")
        assert reply.status_code == 201

        kind, data = stream.next()

    assert (kind, data["change"], data["span_id"], data["model"]) == ("trace_updated", *told, "gpt-4o")


def test_another_price_is_told_of_each_span_that_it_changes(live, tenant):
    model = f"model-{tenant.organisation.slug}"
    tenant.send(span(spanId="11" * 8, attributes={"gen_ai.request.model": model}))
    price = ModelPrice.objects.create(
        organisation_id=tenant.organisation.pk, provider="openai", model_pattern=model, service_tier="default",
        valid_from=datetime(2020, 1, 1, tzinfo=UTC), input=Decimal(1), output=Decimal(2),
    )  # fmt: skip
    now = datetime.now(UTC)
    window = Window(start=now - timedelta(hours=1), end=now, projects=[one.pk for one in tenant.projects])
    try:
        with follow(live, tenant.key(), "trace_updated") as stream:
            costs_recompute(Repricing(window=window, model=model), planned=lambda _number: lambda _done: None)
            _, data = stream.next()
    finally:
        price.delete()

    assert (data["span_id"], data["change"], data["cost_usd"]) == ("11" * 8, "cost", 0.002)


def test_a_threshold_is_told_once_when_it_is_passed(start_live, tenant):
    live = start_live(THRESHOLD_EVALUATION_SECONDS="1")
    thresholds = [
        {"metric": "request_count", "operator": "gte", "value": 2, "window_seconds": 600},
        {"metric": "p95_duration", "operator": "gt", "value": 1000, "window_seconds": 60},
        {"metric": "total_cost", "operator": "gt", "value": 0.01, "window_seconds": 600},
    ]
    with talk(live, tenant.key()) as stream:
        said = stream.subscribe("metric_threshold", thresholds=thresholds, filters={"model": "gpt-4o"})
        tenant.send(span(attributes={"gen_ai.request.model": "gpt-4o-mini"}), span(), span())
        first, second = stream.next(), stream.next()
        assert said["events"] == ["metric_threshold"]
        with pytest.raises(TimeoutError):
            stream.connection.recv(timeout=3)

    assert first["event_type"] == "metric_threshold"
    assert first["data"] | {"timestamp": None} == {
        "metric_name": "request_count", "threshold_value": 2, "current_value": 2,
        "org_id": str(tenant.organisation.public_id), "provider": None, "model": "gpt-4o", "environment": None,
        "timestamp": None,
    }  # fmt: skip
    assert (second["data"]["metric_name"], second["data"]["current_value"]) == ("total_cost", 0.015)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"metric": "rain"}, 1202),
        ({"operator": "near"}, 1202),
        ({"value": "2"}, 1203),
        ({"window_seconds": 59}, 1200),
        ({"window_seconds": 3601}, 1200),
        ({"more": 1}, 1202),
    ],
)
def test_a_wrong_threshold_is_refused(live, tenant, change, code):
    good = {"metric": "request_count", "operator": "gt", "value": 2, "window_seconds": 60}
    with talk(live, tenant.key()) as stream:
        assert stream.subscribe("metric_threshold", thresholds=[good | change])["code"] == code


def test_more_than_ten_thresholds_are_refused(live, tenant):
    good = {"metric": "request_count", "operator": "gt", "value": 2, "window_seconds": 60}
    with talk(live, tenant.key()) as stream:
        refused = stream.subscribe("metric_threshold", thresholds=[good] * 11)

    assert (refused["code"], json.dumps(refused["field"])) == (1205, '"thresholds"')
