"""Requests as stock exporters send them are taken, and tell the same call alike."""

import pytest
from django.test import Client

from tests.analytics.api import exporters
from tests.analytics.api.exporters import AGENT, CALL, TRACE

SENDERS = {
    "python": exporters.python_sdk,
    "javascript, json": exporters.javascript_json,
    "javascript, protobuf": exporters.javascript_protobuf,
    "collector": exporters.collector,
}
FIELDS = "span_id,parent_span_id,span_name,span_kind,status_code,duration_ms,service_name,operation_name,provider,model"
NUMBERS = "prompt_tokens,completion_tokens,total_cost_usd,finish_reason,usage_counted"


@pytest.fixture
def replayed(api, settings):
    """Return a function that sends what an exporter sent and gives the replies."""
    settings.RETENTION_SPANS_DAYS = 3650

    def replay(sent, **headers):
        return [
            api.generic(
                "POST", one.path, one.body, one.headers["Content-Type"], headers={**_passed_on(one.headers), **headers}
            )
            for one in sent
        ]

    return replay


def _passed_on(headers):
    return {name: value for name, value in headers.items() if name not in {"Content-Type", "Content-Length", "Host"}}


@pytest.mark.parametrize("exporter", SENDERS)
def test_a_stock_exporter_is_told_full_success_in_its_own_encoding(replayed, exporter):
    sent = SENDERS[exporter]()

    told = [(reply.status_code, reply["Content-Type"], reply.content) for reply in replayed(sent)]

    nothing_to_say = {"application/json": b"{}", "application/x-protobuf": b""}
    assert told == [(200, one.headers["Content-Type"], nothing_to_say[one.headers["Content-Type"]]) for one in sent]


@pytest.mark.parametrize("exporter", SENDERS)
def test_the_same_call_from_any_exporter_gives_the_same_spans(api, replayed, exporter):
    replayed(SENDERS[exporter]())

    window = "start_time=2026-03-01T09:00:00Z&end_time=2026-03-01T11:00:00Z&sort_order=asc"
    listed = api.get(f"/api/v1/traces?{window}&fields=trace_id,{FIELDS},{NUMBERS}").json()["data"]
    common = {"trace_id": TRACE, "status_code": "UNSET", "duration_ms": 1500, "service_name": "shop"}
    assert listed == [
        common
        | {
            "span_id": AGENT,
            "parent_span_id": None,
            "span_name": "invoke_agent helper",
            "span_kind": "internal",
            "operation_name": "invoke_agent",
            "provider": None,
            "model": None,
            "prompt_tokens": None,
            "completion_tokens": None,
            "total_cost_usd": None,
            "finish_reason": None,
            "usage_counted": False,
        },
        common
        | {
            "span_id": CALL,
            "parent_span_id": AGENT,
            "span_name": "chat gpt-4o",
            "span_kind": "internal" if exporter == "python" else "client",
            "operation_name": "chat",
            "provider": "openai",
            "model": "gpt-4o",
            "prompt_tokens": 1000,
            "completion_tokens": 500,
            "total_cost_usd": 0.0075,
            "finish_reason": "stop",
            "usage_counted": True,
        },
    ]


def test_the_stock_python_exporter_packs_its_requests():
    assert {(one.headers["Content-Encoding"], one.body[:2]) for one in exporters.python_sdk()} == {
        ("gzip", b"\x1f\x8b")
    }


@pytest.mark.parametrize("exporter", SENDERS)
def test_an_exporter_without_a_key_is_told_so_in_its_own_encoding(db, exporter):
    (sent, *_) = SENDERS[exporter]()
    reply = Client().generic("POST", sent.path, sent.body, sent.headers["Content-Type"])

    assert (reply.status_code, reply["Content-Type"], b"[1000]" in reply.content) == (
        401,
        sent.headers["Content-Type"],
        True,
    )
