from contextlib import suppress
from dataclasses import replace
from math import inf, nan

import orjson
import pytest
from google.rpc.status_pb2 import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from analytics.ingest import wire
from analytics.ingest.wire import MalformedOtlpError, RawScope, RawSpan
from tests.analytics.ingest.spans import SPAN_ID, START_NS, TRACE_ID, json_request, protobuf_request

ATTRIBUTE = {"key": "a", "value": {"stringValue": "x"}}
JSON_SPAN = {
    "traceId": TRACE_ID.hex(),
    "spanId": SPAN_ID.hex().upper(),
    "parentSpanId": "0909090909090909",
    "name": "chat",
    "kind": 3,
    "startTimeUnixNano": str(START_NS),
    "endTimeUnixNano": START_NS + 5,
    "attributes": [
        {"key": "text", "value": {"stringValue": "héllo"}},
        {"key": "int", "value": {"intValue": "9007199254740993"}},
        {"key": "int_number", "value": {"intValue": -3}},
        {"key": "double", "value": {"doubleValue": 0.5}},
        {"key": "bool", "value": {"boolValue": False}},
        {"key": "bytes", "value": {"bytesValue": "AAE_"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "b"}]}}},
        {"key": "object", "value": {"kvlistValue": {"values": [ATTRIBUTE]}}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "infinite", "value": {"doubleValue": "-Infinity"}},
        {"key": "unset", "value": {}},
    ],
    "events": [{"name": "exception", "timeUnixNano": str(START_NS + 1), "attributes": [ATTRIBUTE]}],
    "links": [{"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex(), "attributes": [ATTRIBUTE]}],
    "status": {"code": 2, "message": "broken"},
    "traceState": "a=1",
    "flags": 1,
    "droppedAttributesCount": 4,
    "somethingNew": {"of": "tomorrow"},
}
SPAN = RawSpan(
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    parent_span_id=b"\t" * 8,
    name="chat",
    kind=3,
    start_ns=START_NS,
    end_ns=START_NS + 5,
    attributes={
        "text": "héllo",
        "int": 9007199254740993,
        "int_number": -3,
        "double": 0.5,
        "bool": False,
        "bytes": "AAE/",
        "list": [1, "b"],
        "object": {"a": "x"},
        "nan": "NaN",
        "infinite": "-Infinity",
        "unset": None,
    },
    events=[{"name": "exception", "time_ns": START_NS + 1, "attributes": {"a": "x"}}],
    links=[{"trace_id": TRACE_ID.hex(), "span_id": SPAN_ID.hex(), "attributes": {"a": "x"}}],
    status_code=2,
    status_message="broken",
    dropped_attributes=4,
    resource={"a": "x"},
    scope=RawScope(name="tests"),
)


def without_sizes(span: RawSpan) -> RawSpan:
    return replace(span, encoded_size=0, shared_size=0)


def decoded(body: bytes, *, json: bool) -> RawSpan:
    (span,) = wire.decode(body, json=json).spans
    return without_sizes(span)


def test_a_json_span_is_read_whole():
    assert decoded(json_request(JSON_SPAN, resource=[ATTRIBUTE]), json=True) == SPAN


def test_a_protobuf_span_is_read_whole():
    body = protobuf_request(
        {
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "parent_span_id": b"\t" * 8,
            "name": "chat",
            "kind": 3,
            "start_time_unix_nano": START_NS,
            "end_time_unix_nano": START_NS + 5,
            "attributes": {
                "text": "héllo",
                "int": 9007199254740993,
                "int_number": -3,
                "double": 0.5,
                "bool": False,
                "bytes": b"\x00\x01\x3f",
                "list": [1, "b"],
                "object": {"a": "x"},
                "nan": nan,
                "infinite": -inf,
                "unset": None,
            },
            "events": [{"name": "exception", "time_unix_nano": START_NS + 1, "attributes": {"a": "x"}}],
            "links": [{"trace_id": TRACE_ID, "span_id": SPAN_ID, "attributes": {"a": "x"}}],
            "status": (2, "broken"),
            "trace_state": "a=1",
            "flags": 1,
            "dropped_attributes_count": 4,
        },
        resource={"a": "x"},
    )

    assert decoded(body, json=False) == SPAN


def told(batch):
    return batch.count, [*batch.spans], batch.warning


@pytest.mark.parametrize("json", [True, False])
def test_an_empty_body_is_an_empty_request(json):
    assert told(wire.decode(b"", json=json)) == (0, [], "")


def test_an_empty_json_object_is_an_empty_request():
    assert told(wire.decode(b"{}", json=True)) == (0, [], "")


def test_a_json_object_without_resource_spans_is_empty_with_a_warning():
    batch = wire.decode(b'{"resource_spans": []}', json=True)

    assert ([*batch.spans], "lowerCamelCase" in batch.warning) == ([], True)


@pytest.mark.parametrize(
    "part",
    [
        {"kind": "SPAN_KIND_CLIENT"},
        {"status": {"code": "STATUS_CODE_OK"}},
        {"name": 5},
        {"traceId": 5},
        {"startTimeUnixNano": "soon"},
        {"startTimeUnixNano": -1},
        {"startTimeUnixNano": 1.5},
        {"startTimeUnixNano": True},
        {"startTimeUnixNano": str(2**64)},
        {"attributes": {"a": "x"}},
        {"attributes": ["a"]},
        {"attributes": [{"key": "a", "value": "x"}]},
        {"attributes": [{"key": "a", "value": {"stringValue": 1}}]},
        {"attributes": [{"key": "a", "value": {"intValue": str(2**63)}}]},
        {"attributes": [{"key": "a", "value": {"intValue": "1_000"}}]},
        {"attributes": [{"key": "a", "value": {"boolValue": "true"}}]},
        {"attributes": [{"key": "a", "value": {"doubleValue": "half"}}]},
        {"attributes": [{"key": "a", "value": {"bytesValue": "?"}}]},
        {"attributes": [{"key": "a", "value": {"arrayValue": []}}]},
        {"status": []},
    ],
    ids=str,
)
def test_json_of_wrong_types_is_malformed(part):
    with pytest.raises(MalformedOtlpError):
        list(wire.decode(json_request(JSON_SPAN | part), json=True).spans)


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b"{", b"\xff\xfe", b'{"resourceSpans": 1}', b"[" * 3000])
def test_json_that_is_no_request_is_malformed(body):
    with pytest.raises(MalformedOtlpError):
        list(wire.decode(body, json=True).spans)


def deep_json(depth):
    value = b'{"arrayValue":{"values":[' * depth + b'{"intValue":1}' + b"]}}" * depth
    body = json_request(JSON_SPAN | {"attributes": [{"key": "a", "value": {"stringValue": "HERE"}}]})
    return body.replace(b'{"stringValue":"HERE"}', value)


def deep_protobuf(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return protobuf_request({"trace_id": TRACE_ID, "span_id": SPAN_ID, "name": "chat", "attributes": {"a": value}})


@pytest.mark.parametrize("depth", [100, 300])
def test_what_nests_deeper_than_any_span_is_left_out_of_it_in_json(depth):
    held = decoded(deep_json(depth), json=True).attributes["a"]
    for _ in range(64):
        (held,) = held

    assert held == []


@pytest.mark.parametrize(
    ("body", "json"), [(deep_json(400), True), (deep_json(2000), True), (deep_protobuf(60), False)], ids=str
)
def test_a_span_that_nests_deeper_than_can_be_read_is_read_without_its_attributes(body, json):
    span = decoded(body, json=json)

    assert (span.trace_id, span.span_id, span.name, span.attributes) == (TRACE_ID, SPAN_ID, "chat", {})
    assert span.dropped_attributes >= 1


def test_what_nests_deeper_than_can_be_read_takes_no_other_span_with_it():
    fine = json_request(JSON_SPAN)[: -len(b"]}]}]}")]
    body = fine + b"," + orjson.dumps(JSON_SPAN)[:-1] + b',"later":' + b"[" * 2000 + b"]" * 2000 + b"}]}]}]}"

    first, second = wire.decode(body, json=True).spans

    assert (first.name, len(first.attributes), second.name, second.attributes) == ("chat", 11, "chat", {})


def test_ignored_json_nested_without_end_harms_nothing():
    body = json_request(JSON_SPAN | {"later": "HERE"}).replace(b'"HERE"', b"[" * 400 + b"]" * 400)

    assert decoded(body, json=True) == replace(SPAN, resource={})


def test_json_with_nul_nested_without_end_harms_nothing():
    body = b'{"resourceSpans": [], "a": "\\u0000", "b": ' + b"[" * 900 + b"]" * 900 + b"}"
    # Python's versions give up at different depths: whichever comes, it is no other error.
    with suppress(MalformedOtlpError):
        assert [*wire.decode(body, json=True).spans] == []


def test_protobuf_text_that_is_not_utf_8_is_malformed():
    body = protobuf_request({"name": "chat"}).replace(b"chat", b"ch\xff\xfe")

    with pytest.raises(MalformedOtlpError):
        list(wire.decode(body, json=False).spans)


def test_an_id_that_is_not_hex_leaves_the_request_readable():
    span = decoded(json_request(JSON_SPAN | {"traceId": "AQIDBAUGBwgJCgsMDQ4PEA=="}), json=True)

    assert span == replace(SPAN, trace_id=b"", resource={})


def test_nul_characters_are_replaced_in_json():
    body = json_request({"name": "a\x00b", "attributes": [{"key": "k\x00", "value": {"stringValue": "\x00"}}]})

    span = decoded(body, json=True)

    assert (span.name, span.attributes) == ("a\ufffdb", {"k\ufffd": "\ufffd"})


def test_nul_characters_are_replaced_in_protobuf():
    span = decoded(protobuf_request({"name": "a\x00b", "attributes": {"k\x00": ["\x00"]}}), json=False)

    assert (span.name, span.attributes) == ("a\ufffdb", {"k\ufffd": ["\ufffd"]})


def test_half_a_surrogate_pair_is_replaced_and_whole_pairs_are_kept():
    body = json_request({"name": "HERE"}).replace(b"HERE", rb"cut \ud83d, whole \ud83d\ude00, text \\ud83d")

    assert decoded(body, json=True).name == "cut \ufffd, whole 😀, text \\ud83d"


def test_of_equal_attribute_names_the_last_one_wins():
    twice = [ATTRIBUTE, {"key": "a", "value": {"stringValue": "y"}}]

    assert decoded(json_request({"attributes": twice}), json=True).attributes == {"a": "y"}


def test_null_members_are_absent_members():
    members = dict.fromkeys(JSON_SPAN)

    assert decoded(json_request(members), json=True) == decoded(json_request({}), json=True)


def test_all_spans_of_a_request_are_charged():
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{}, {}]}, {"spans": [{}]}]}]})

    batch = wire.decode(body, json=True)
    assert (batch.count, len([*batch.spans])) == (3, 3)


@pytest.mark.parametrize("json", [True, False])
@given(body=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_decoded_or_malformed(json, body):
    with suppress(MalformedOtlpError):
        list(wire.decode(body, json=json).spans)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "stringValue",
                    "intValue",
                    "doubleValue",
                    "bytesValue",
                    "arrayValue",
                    "kvlistValue",
                    "values",
                    "key",
                    "value",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(members=st.dictionaries(st.sampled_from([*JSON_SPAN]), JSON_VALUES))
@settings(max_examples=300, deadline=None)
def test_any_json_members_are_decoded_or_malformed(members):
    with suppress(MalformedOtlpError):
        list(wire.decode(json_request(members), json=True).spans)


def test_full_success_leaves_partial_success_unset():
    assert (wire.encode_response(json=True), wire.encode_response(json=False)) == (b"{}", b"")


def test_rejected_spans_are_counted_in_json_as_text():
    assert orjson.loads(wire.encode_response(rejected=2, message="why", json=True)) == {
        "partialSuccess": {"rejectedSpans": "2", "errorMessage": "why"}
    }


def test_rejected_spans_are_counted_in_protobuf():
    reply = ExportTraceServiceResponse.FromString(wire.encode_response(rejected=2, message="why", json=False))

    assert (reply.partial_success.rejected_spans, reply.partial_success.error_message) == (2, "why")


def test_a_warning_rejects_nothing():
    assert orjson.loads(wire.encode_response(message="mind", json=True)) == {
        "partialSuccess": {"rejectedSpans": "0", "errorMessage": "mind"}
    }


@pytest.mark.parametrize("message", ["", "no", "é" * 300])
def test_a_status_is_google_rpc_status(message):
    status = Status.FromString(wire.encode_status(code=3, message=message, json=False))

    assert (status.code, status.message, list(status.details)) == (3, message, [])


def test_a_status_in_json_has_its_three_members():
    assert orjson.loads(wire.encode_status(code=16, message="no", json=True)) == {
        "code": 16,
        "message": "no",
        "details": [],
    }
