import gzip
import io
import json
import zlib

import pytest
from django.db import connection
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.analytics.api.payloads import NS, now_ns, request, span

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def stored() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM llm_traces")
        return cursor.fetchone()[0]


def post(client, body, content_type=JSON, **headers):
    data = json.dumps(body) if isinstance(body, dict) else body
    return client.generic("POST", "/v1/traces", data, CONTENT_TYPE=content_type, headers=headers)


def as_protobuf(*spans) -> bytes:
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    for one in spans:
        added = scope.spans.add(
            trace_id=bytes.fromhex(one["traceId"]),
            span_id=bytes.fromhex(one["spanId"]),
            name=one["name"],
            start_time_unix_nano=int(one["startTimeUnixNano"]),
            end_time_unix_nano=int(one["endTimeUnixNano"]),
        )
        for attribute in one["attributes"]:
            value = added.attributes.add(key=attribute["key"]).value
            ((kind, content),) = attribute["value"].items()
            if kind == "intValue":
                value.int_value = int(content)
            else:
                value.string_value = content
    return message.SerializeToString()


@pytest.mark.parametrize("path", ["/v1/traces", "/api/v1/otlp/v1/traces"])
def test_a_span_in_json_is_stored(api, path):
    reply = api.post(path, request(span()), content_type=JSON)
    assert (reply.status_code, reply.json(), reply["Content-Type"], stored()) == (200, {}, JSON, 1)


def test_a_span_in_protobuf_is_stored(api):
    reply = post(api, as_protobuf(span()), PROTOBUF)
    assert (reply.status_code, reply["Content-Type"], stored()) == (200, PROTOBUF, 1)
    assert ExportTraceServiceResponse.FromString(reply.content) == ExportTraceServiceResponse()


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_a_body_packed_with_gzip_is_unpacked(api, content_type):
    one = span()
    body = as_protobuf(one) if content_type == PROTOBUF else json.dumps(request(one)).encode()
    reply = post(api, gzip.compress(body), content_type, **{"Content-Encoding": "gzip"})
    assert (reply.status_code, stored()) == (200, 1)


def test_a_gzip_body_of_several_members_is_unpacked(api):
    body = json.dumps(request(span())).encode()
    packed = gzip.compress(body[:100]) + gzip.compress(body[100:])
    assert post(api, packed, **{"Content-Encoding": "gzip"}).status_code == 200


def test_sending_spans_again_changes_nothing(api):
    one, two = span(), span()
    assert [post(api, request(one, two, one)).json(), post(api, request(two, one)).json(), stored()] == [{}, {}, 2]


def test_the_first_one_stored_stays_whatever_the_start_of_the_second(api):
    one = span()
    later = one | {"startTimeUnixNano": str(now_ns() - 90_000 * NS), "endTimeUnixNano": str(now_ns())}
    post(api, request(one))
    post(api, request(later))
    assert stored() == 1


def test_an_empty_body_is_a_full_success(api):
    assert post(api, b"", PROTOBUF).status_code == 200


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"traceId": ""}, "invalid_trace_id"),
        ({"traceId": "0" * 32}, "invalid_trace_id"),
        ({"spanId": "abcd"}, "invalid_span_id"),
        ({"startTimeUnixNano": "0"}, "missing_start_time"),
        ({"endTimeUnixNano": "1"}, "end_before_start"),
        ({"startTimeUnixNano": str(10**18), "endTimeUnixNano": str(10**18 + 1)}, "too_old"),
        ({"startTimeUnixNano": str(4 * 10**18), "endTimeUnixNano": str(4 * 10**18)}, "in_future"),
    ],
)
def test_a_bad_span_is_rejected_with_its_reason_and_the_others_are_kept(api, broken, reason):
    reply = post(api, request(span(), span() | broken))
    partial = reply.json()["partialSuccess"]
    assert (reply.status_code, partial["rejectedSpans"], stored()) == (200, "1", 1)
    assert partial["errorMessage"].startswith(f"1216: 1 {reason}")


def test_a_span_is_in_the_future_by_its_start_and_not_by_its_end(api):
    assert (post(api, request(span() | {"endTimeUnixNano": str(2**64 - 1)})).json(), stored()) == ({}, 1)


def test_rejections_are_told_in_protobuf_too(api):
    reply = post(api, as_protobuf(span(), span() | {"traceId": "00" * 16}), PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(reply.content).partial_success
    assert (partial.rejected_spans, partial.error_message[:25]) == (1, "1216: 1 invalid_trace_id.")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"resourceSpans": 7}', b"\xff"])
def test_a_body_that_is_no_json_request_is_malformed(api, body):
    reply = post(api, body)
    assert (reply.status_code, reply.json()["code"], reply.json()["message"][:6], stored()) == (400, 3, "[1215]", 0)


def test_a_body_that_is_no_protobuf_is_malformed(api):
    reply = post(api, b"\xff\xff not protobuf", PROTOBUF)
    assert (reply.status_code, reply["Content-Type"], b"[1215]" in reply.content) == (400, PROTOBUF, True)


@pytest.mark.parametrize(
    "packed",
    [b"not gzip", gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"junk"],
    ids=["no gzip", "cut short", "junk behind"],  # the bytes hold the time, which differs between the processes
)
def test_damaged_gzip_is_malformed(api, packed):
    assert post(api, packed, **{"Content-Encoding": "gzip"}).status_code == 400


@pytest.mark.parametrize(
    ("content_type", "coding"), [("text/plain", None), ("", None), (JSON, "br"), ("application/protobuf", None)]
)
def test_another_content_type_or_coding_is_refused(api, content_type, coding):
    reply = post(api, b"{}", content_type, **({"Content-Encoding": coding} if coding else {}))
    assert (reply.status_code, reply.json()["message"][:6]) == (415, "[1208]")


def test_a_body_above_the_limit_is_refused_packed_or_not(api, settings):
    settings.INGEST_MAX_BODY_BYTES = 10_000
    bomb = gzip.compress(b" " * 10_001)
    assert [
        post(api, b" " * 10_001).status_code,
        post(api, bomb, **{"Content-Encoding": "gzip"}).status_code,
    ] == [413, 413]


def test_an_unpacked_bomb_is_never_held(api, settings):
    settings.INGEST_MAX_BODY_BYTES = 1_000_000
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(300)) + packer.flush()
    assert post(api, bomb, **{"Content-Encoding": "gzip"}).status_code == 413


def test_without_a_key_nothing_is_taken(db):
    reply = post(Client(), request(span()))
    assert (reply.status_code, reply.json()["code"], reply.json()["message"][:6], stored()) == (401, 16, "[1000]", 0)
    assert reply["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_key_is_refused(db):
    reply = post(Client(headers={"X-API-Key": "llmo_sk_live_" + "0" * 40}), request(span()))
    assert (reply.status_code, reply.json()["message"][:6], stored()) == (401, "[1003]", 0)


def test_a_key_may_come_in_either_header(tenant):
    for headers in ({"X-API-Key": tenant.key}, {"Authorization": f"bearer {tenant.key}"}):
        assert post(Client(headers=headers), request(span())).status_code == 200


def test_a_key_without_the_permission_is_refused(make_tenant):
    other = make_tenant(permissions=["traces:read"])
    reply = post(Client(headers=other.headers), request(span()))
    assert (reply.status_code, reply.json()["code"], stored()) == (403, 7, 0)


def test_a_key_of_several_projects_must_name_one(make_tenant):
    other = make_tenant(projects=("one", "two"))
    client = Client(headers=other.headers)
    assert post(client, request(span())).json()["message"][:6] == "[1206]"
    assert post(client, request(span()), **{"X-Project-ID": "two"}).status_code == 200
    assert post(client, request(span()), **{"X-Project-ID": "three"}).status_code == 403


def test_ingest_tells_its_own_bucket(api):
    reply = post(api, request(span()))
    assert (reply["RateLimit-Policy"].split(";")[0], "X-RateLimit-Remaining" in reply) == ('"ingest"', True)


def test_more_than_a_thousand_spans_cost_more_than_a_token(api, settings):
    settings.INGEST_SPANS_PER_TOKEN = 2
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"ingest": 60}
    before = int(post(api, request(span()))["X-RateLimit-Remaining"])
    after = int(post(api, request(*(span() for _ in range(5))))["X-RateLimit-Remaining"])
    assert before - after == 3


def test_a_chunked_body_is_read_to_its_end(api):
    body = json.dumps(request(span())).encode()
    reply = api.generic(
        "POST",
        "/v1/traces",
        body,
        JSON,
        headers={"Transfer-Encoding": "chunked"},
        CONTENT_LENGTH="",
        **{"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(body)},
    )
    assert (reply.status_code, stored()) == (200, 1)


def test_other_methods_are_refused_with_the_allowed_ones(api):
    reply = api.get("/v1/traces")
    assert (reply.status_code, reply["Allow"]) == (405, "POST, OPTIONS")


def test_token_counts_that_no_call_can_have_are_ignored_and_not_priced(api):
    post(api, request(span(attributes={"gen_ai.usage.input_tokens": 2**31, "gen_ai.usage.output_tokens": 2**62})))
    (one,) = api.get("/api/v1/traces?fields=total_tokens,total_cost_usd,unpriced_reason,notes").json()["data"]
    assert one == {
        "total_tokens": None,
        "total_cost_usd": None,
        "unpriced_reason": "no_usage",
        "notes": ["usage_clamped"],
    }


def test_an_attribute_that_nests_too_deep_takes_no_span_with_it(api):
    deep = {"stringValue": "x"}
    for _ in range(70):
        deep = {"arrayValue": {"values": [deep]}}
    spoilt = span()
    spoilt["attributes"].append({"key": "deep", "value": deep})
    assert (post(api, request(spoilt, span())).json(), stored()) == ({}, 2)
