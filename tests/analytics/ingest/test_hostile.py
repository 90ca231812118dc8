"""Nothing that is sent harms or raises, whatever its names, types, sizes and depths."""

import json
from dataclasses import fields

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.redaction import Redactor
from analytics.ingest.span import NormalSpan
from analytics.ingest.text import scrub
from analytics.ingest.vocabularies.rows import EventRow, IndexedRow, OpenRow
from analytics.ingest.vocabularies.table import NAMED, ROWS
from analytics.ingest.wire import RawScope, decode
from analytics.registry.redaction import DETECTOR_NAMES, CustomPattern, Redaction
from analytics.storage.rows import CONTENT_COLUMNS, SPAN_COLUMNS
from tests.analytics.ingest.spans import NOW_NS, START_NS, json_request, normal, protobuf_request, raw

STRICT = Redaction(detectors=DETECTOR_NAMES, patterns=(CustomPattern(name="A", pattern="(?i)a+b"),))
DEEP: object = "end"
for _ in range(100):
    DEEP = [DEEP]
VALUES = {
    "null": None,
    "true": True,
    "zero": 0,
    "a negative number": -1,
    "a huge number": 2**63 - 1,
    "a long fraction": 0.1 + 0.2,
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "a number beyond floats": "1e999999999",
    "digits without end": "9" * 5000,
    "empty text": "",
    "blank": " \t\n",
    "an empty list": [],
    "an empty object": {},
    "lists a hundred deep": DEEP,
    "objects in lists": [{"a": [{"b": {}}]}, None, 1, "x"],
    "JSON that ends in the middle": '[{"role": "user", "content": "wh',
    "JSON a thousand deep": "[" * 1000 + "]" * 1000,
    "JSON with NUL": '{"content": "a\\u0000b", "role": null}',
    "JSON with half a pair": '["\\ud83d"]',
    "a prototype": {"__proto__": {"x": 1}, "constructor": {"prototype": 1}, "__class__": "x"},
    "messages without roles": [{}, {"role": 7, "content": {"a": 1}}, {"parts": 3}, {"tool_calls": "x"}],
    "messages of wrong things": '{"messages": {"role": []}, "choices": [[]], "content": {"parts": [{"text": {}}]}}',
    "parts of wrong things": [{"role": "user", "parts": [{"type": []}, {"function_call": 1}, {"toolResult": []}, {}]}],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_every_name_takes_every_kind_of_value(value):
    for name in NAMED:
        can_be_stored(normal({name: value}))


@pytest.mark.parametrize("operation", ["chat", "execute_tool", "invoke_agent", "invoke_workflow"])
@pytest.mark.parametrize(
    "value", ["x", "a/b", str(START_NS + 1_000_000_000), "2100-01-01T00:00:00Z", '{"a": 1}', *VALUES.values()]
)
def test_every_name_takes_every_kind_of_value_in_an_event(value, operation):
    for name in NAMED:
        carried = {
            "name": "gen_ai.client.inference.operation.details",
            "time_ns": START_NS,
            "attributes": {name: value},
        }
        can_be_stored(normal({"gen_ai.operation.name": operation}, events=[carried]))


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_all_names_together_take_every_kind_of_value(value):
    events = [
        {"name": name, "time_ns": START_NS, "attributes": {"message": value, "content": value, "gen_ai.evaluation.name": value, "gen_ai.evaluation.score.value": value}}
        for row in ROWS if isinstance(row, EventRow) for name in row.names
    ]  # fmt: skip
    spread = {
        f"{row.prefix}.{index}.{part}": value
        for row in ROWS if isinstance(row, (IndexedRow, OpenRow))
        for index in (0, 7, 999999999)
        for part in ("message.content", "message.tool_calls.999999999.tool_call.id", "content", "role")
    }  # fmt: skip
    redactor = Redactor(STRICT)

    span = normalise(
        raw(attributes={**dict.fromkeys(NAMED, value), **spread}, events=events, resource={"service.name": value}),
        limits=Limits(attributes=10_000),
        now_ns=NOW_NS,
        redactor=redactor,
    )

    can_be_stored(span)


def can_be_stored(span):
    """Every member is what its column takes: text without NUL, JSON that can be written."""
    assert isinstance(span, NormalSpan)
    texts = {column.name for column in (*SPAN_COLUMNS, *CONTENT_COLUMNS) if column.write.__name__ == "text"}
    for member in texts & {field.name for field in fields(NormalSpan)}:
        value = getattr(span, member)
        assert value is None or (type(value) is str and "\x00" not in value), member
    for member in ("input_messages", "output_messages", "request_parameters", "tools", "retrieval", "attributes", "events", "evaluations", "redactions"):  # fmt: skip
        written = orjson.dumps(getattr(span, member))
        assert scrub(orjson.loads(written)) == getattr(span, member), member


@pytest.mark.parametrize(
    "key",
    ["__proto__", "constructor", "__class__", "__dict__", "toString", "gen_ai", ".", "..", "a" * 100_000, "\u202e"],
)
def test_a_strange_key_is_a_key(key):
    span = normal({key: 1, f"metadata.{key}": 2, "x": {key: 3}})

    assert span.attributes[key] == 1
    assert span.attributes["x"] == {key: 3}


def test_indices_are_never_sizes():
    span = normal(
        {
            "llm.input_messages.999999999.message.content": "last",
            "llm.input_messages.0.message.content": "first",
            "llm.input_messages.99999999999.message.content": "beyond",
            "llm.input_messages.-1.message.content": "before",
            "gen_ai.prompt.999999999.role": "user",
        }
    )

    assert [message["content"] for message in span.input_messages] == ["first", "last"]
    assert span.attributes == {
        "llm.input_messages.99999999999.message.content": "beyond",
        "llm.input_messages.-1.message.content": "before",
    }


def test_ten_thousand_attributes_are_refused_by_name_and_taken_where_they_are_allowed():
    attributes = {f"gen_ai.prompt.{number}.content": "x" for number in range(10_000)}

    assert normalise(raw(attributes=attributes), limits=Limits(), now_ns=NOW_NS).reason == "too_many_attributes"
    assert len(normal(attributes, limits=Limits(attributes=10_000)).input_messages) == 10_000


@pytest.mark.parametrize("encode", ["protobuf", "json"])
def test_a_request_full_of_strange_things_becomes_a_span(encode):
    attributes = {"gen_ai.input.messages": "\ud83d half", "nan": float("nan"), "inf": float("inf"), "nul": "a\x00b"}
    if encode == "protobuf":
        attributes["gen_ai.input.messages"] = "\ufffd half"
        span = {
            "trace_id": b"\1" * 16,
            "span_id": b"\1" * 8,
            "start_time_unix_nano": START_NS,
            "end_time_unix_nano": START_NS,
        }
        body = protobuf_request({**span, "attributes": attributes})
    else:
        pairs = [
            {"key": "gen_ai.input.messages", "value": {"stringValue": "half"}},
            {"key": "nan", "value": {"doubleValue": "NaN"}},
            {"key": "inf", "value": {"doubleValue": "Infinity"}},
            {"key": "nul", "value": {"stringValue": "a\x00b"}},
        ]
        body = json_request(
            {"traceId": "01" * 16, "spanId": "01" * 8, "startTimeUnixNano": str(START_NS), "endTimeUnixNano": str(START_NS), "attributes": pairs}
        )  # fmt: skip
        body = body.replace(b'"half"', b'"\\ud83d half"')

    (one,) = decode(body, json=encode == "json").spans
    span = normalise(one, limits=Limits(), now_ns=NOW_NS, redactor=Redactor(STRICT))

    can_be_stored(span)
    assert span.input_text == "\ufffd half"
    assert span.attributes == {"nan": "NaN", "inf": "Infinity", "nul": "a\ufffdb"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    attributes=st.dictionaries(st.sampled_from(sorted(NAMED)), ANYTHING | ANYTHING.map(json.dumps), max_size=6),
    scope=st.text(max_size=5),
    status=st.text(max_size=9),
    keeps=st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_strictest_redaction_takes_whatever_is_sent(attributes, scope, status, keeps):
    given_span = raw(
        attributes=scrub(attributes),
        scope=RawScope(name=scrub(scope)),
        status_message=scrub(status),
        name="bob@example.com",
    )
    redactor = Redactor(STRICT, keeps_content=keeps)

    span = normalise(given_span, limits=Limits(), now_ns=NOW_NS, redactor=redactor)

    assert isinstance(span, NormalSpan)
    assert span.span_name == "[EMAIL]"
    orjson.dumps([span.attributes, span.events, span.input_messages, span.output_messages])
