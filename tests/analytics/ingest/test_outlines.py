"""Items of a request are found without decoding it, as they are by decoding it; and there may be so many of them."""

import sys
from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.ingest import service, wire
from analytics.ingest.facts import Shared
from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.plans import plan_of
from analytics.ingest.wire import MalformedOtlpError, json_outline, limits
from analytics.ingest.wire.limits import MOST_ITEMS, MOST_PARTS
from analytics.storage.rows import blank_row, span_text
from errors.exceptions import ApiError
from tests.analytics.api.payloads import request as otlp_request
from tests.analytics.api.payloads import span as otlp_span
from tests.analytics.ingest.bodies import attribute, field, json_request, json_span, listed, request, span
from tests.analytics.ingest.spans import NOW_NS

TEXT = field(1, b"x")


def spans_of(body, *, json):
    return [*wire.decode(body, json=json).spans]


def refusal(body, *, json):
    with pytest.raises(ApiError) as refused:
        spans_of(body, json=json)
    return refused.value.spec.code, refused.value.spec.status, refused.value.message


# --- how many ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "json"),
    [
        (field(1, field(2, b"\x12\x00" * MOST_ITEMS)), False),
        (b"\x0a\x00" * (MOST_ITEMS + 1), False),
        (field(1, b"\x12\x00" * MOST_ITEMS), False),
        (b"\x1b\x1c" * MOST_ITEMS, False),
        (json_request(b"{}" + b",{            }" * MOST_ITEMS), True),
        (b'{"resourceSpans":[' + b'{"resource":{}},' * (MOST_ITEMS + 1) + b"{}]}", True),
        (b'{"other":[' + b"1," * 3_000_000 + b"1]}", True),
    ],
    ids=["spans", "resources", "scopes", "groups", "spans in JSON", "resources in JSON", "unknown members in JSON"],
)
def test_a_request_of_more_parts_than_it_may_hold_is_refused_with_the_cure(body, json):
    code, status, message = refusal(body, json=json)

    assert (code, status, "send smaller batches" in message, "100000" in message) == (1209, 413, True, True)


@pytest.mark.parametrize(
    ("body", "json"),
    [
        (field(1, field(2, b"\x12\x00" * (MOST_ITEMS - 2))), False),
        (json_request(b"{}" + b",{ }" * (MOST_ITEMS - 1)), True),
    ],
    ids=["protobuf", "JSON"],
)
def test_as_many_spans_as_a_request_may_hold_are_decoded(body, json):
    batch = wire.decode(body, json=json)

    assert batch.count in {MOST_ITEMS - 2, MOST_ITEMS}


def long(text, *, json):
    """Return a request with a resource of `text` characters."""
    if json:
        value = {"resource": {"attributes": [{"key": "a", "value": {"stringValue": "x" * text}}]}, "scopeSpans": [{}]}
        return orjson.dumps({"resourceSpans": [value | {"scopeSpans": [{"spans": [{}]}]}]})
    resource = field(1, field(1, b"a") + field(2, field(1, b"x" * text)))
    return field(1, field(1, resource) + field(2, field(2, span())))


FLOOD, EACH = MOST_PARTS + 1, 1000
PARTS = {  # of a span that is too short for its own to be counted
    "events": (b"\x5a\x00" * EACH, "MOST_EVENTS"),
    "links": (b"\x6a\x00" * EACH, "MOST_EVENTS"),
    "attributes": (b"\x4a\x00" * EACH, "MOST_VALUES"),
    "attributes of an event": (field(11, b"\x1a\x00" * EACH), "MOST_VALUES"),
    "values of a list": (attribute(b"a", field(5, b"\x0a\x00" * EACH)), "MOST_VALUES"),
    "events in JSON": (f',"events":[{listed("{}", 3 * EACH)}]', "MOST_EVENTS"),
    "links in JSON": (f',"links":[{listed("{}", 3 * EACH)}]', "MOST_EVENTS"),
}


@pytest.mark.parametrize(("parts", "limit"), PARTS.values(), ids=PARTS)
def test_no_span_is_read_whose_parts_are_more_than_all_spans_may_hold_together(parts, limit, monkeypatch):
    json = isinstance(parts, str)
    spans = [(json_span if json else span)(number, parts) for number in range(1, 9)]
    body = json_request(",".join(spans).encode()) if json else request(*spans)
    taken = []

    monkeypatch.setattr(limits, limit, 3 * EACH + 10)
    with pytest.raises(ApiError, match=f"{3 * EACH + 10}.*send smaller batches") as refused:
        taken.extend(wire.decode(body, json=json).spans)
    monkeypatch.setattr(limits, limit, 8 * EACH + 10)

    assert (refused.value.spec.code, len(taken), len(spans_of(body, json=json))) == (1209, 3, 8)


@pytest.mark.parametrize(("items", "is_refused"), [("{}", True), ('"{"', False)], ids=["objects", "texts"])
def test_objects_of_a_large_body_in_json_are_counted_before_any_is_read(items, is_refused, monkeypatch):
    body = json_request(json_span(1, f',"unknown":[{listed(items, 5 * EACH)}]').encode())
    monkeypatch.setattr(json_outline, "_WHOLE_BYTES", 0)
    monkeypatch.setattr(json_outline, "MOST_VALUES", EACH)

    if is_refused:
        assert refusal(body, json=True)[:2] == (1209, 413)
    else:
        assert len(spans_of(body, json=True)) == 1


def test_many_spans_of_too_much_are_refused_with_the_request(monkeypatch):
    flood = request(*(span(number, b"\x5a\x00" * FLOOD) for number in range(1, 4)))
    monkeypatch.setattr(limits, "MOST_VALUES", 2 * MOST_PARTS)

    assert refusal(flood, json=False)[:2] == (1209, 413)


@pytest.mark.parametrize("json", [True, False])
def test_what_spans_share_is_at_most_a_mebibyte(json):
    assert refusal(long(1_048_576, json=json), json=json)[:2] == (1209, 413)
    assert len(spans_of(long(1_048_000, json=json), json=json)) == 1


TOO_LARGE = {
    "text in protobuf": (request(span(1), span(2, attribute(b"a", field(1, b"x" * 4_194_304)))), False),
    "events in protobuf": (request(span(1), span(2, b"\x5a\x00" * FLOOD)), False),
    "values in protobuf": (request(span(1), span(2, attribute(b"a", field(5, b"\x0a\x00" * FLOOD)))), False),
    "attributes of an event in protobuf": (request(span(1), span(2, field(11, b"\x1a\x00" * FLOOD))), False),
    "text in JSON": (
        json_request(
            f'{json_span(1)},{json_span(2, ""","attributes":[{"key":"a","value":{"stringValue":"%s"}}]""" % ("x" * 4_194_304))}'.encode()
        ),
        True,
    ),
    "events in JSON": (
        json_request(f"""{json_span(1)},{json_span(2, ',"events":[' + "{           }," * FLOOD + "{}]")}""".encode()),
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "json"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_span_of_too_much_is_set_aside_by_its_ids_and_the_others_are_not(body, json):
    first, second = (normalise(one, limits=Limits(), now_ns=one.start_ns) for one in spans_of(body, json=json))

    assert (first.span_id[-1], second.span_id[-1], second.reason) == (1, 2, "too_large")


# --- the same ---------------------------------------------------------------------------------------------------------
def test_parts_of_a_request_in_protobuf_come_in_any_order_and_number():
    key = field(1, field(1, b"a") + field(2, TEXT))
    other = field(1, field(1, b"b") + field(2, TEXT))
    scope = field(2, span(1)) + b"\x78\x01\x13\x08\x01\x14" + field(1, field(1, b"s")) + field(2, span(2))
    body = field(1, field(2, scope) + field(1, key) + field(3, b"url") + field(1, other)) + b"\x50\x01"

    first, second = spans_of(body, json=False)

    assert (first.resource, first.scope.name, first.scope.schema_url) == ({"a": "x", "b": "x"}, "s", "url")
    assert (first.span_id[-1], second.span_id[-1], second.resource) == (1, 2, first.resource)


@pytest.mark.parametrize(
    "body", [b"\x0a", b"\x0a\x05a", b"\x0b", b"\x0c", b"\x0a\x80", b"\x02\x00", b"\x0e\x00", b"\xff" * 20]
)
def test_fields_that_do_not_fit_are_malformed(body):
    with pytest.raises(MalformedOtlpError):
        spans_of(body, json=False)


NAMES = st.sampled_from(
    ["resourceSpans", "scopeSpans", "spans", "resource", "scope", "name", "schemaUrl", "span\\u0073"]
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(st.sampled_from('a"\\{}[],:é '), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def listed_or(inner):
    return st.lists(inner | ANY, max_size=3) if inner is not ANY else ANY


SPANS = st.fixed_dictionaries({"name": st.text(st.sampled_from('a"\\{}[]'), max_size=3)}, optional={"kind": ANY})
SCOPES = st.fixed_dictionaries({}, optional={"scope": st.fixed_dictionaries({}, optional={"name": ANY}), "spans": st.lists(SPANS, max_size=3) | ANY, "x": ANY})  # fmt: skip
RESOURCES = st.fixed_dictionaries({}, optional={"scopeSpans": st.lists(SCOPES, max_size=2) | ANY, "resource": st.just({}) | ANY, "schemaUrl": ANY})  # fmt: skip
REQUESTS = st.fixed_dictionaries({}, optional={"resourceSpans": st.lists(RESOURCES, max_size=2) | ANY, "other": ANY})


def told(body):
    with suppress(MalformedOtlpError):
        return [(one.name, one.kind, one.scope, one.resource) for one in spans_of(body, json=True)]
    return "malformed"


@given(value=REQUESTS, indented=st.booleans(), cut=st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_a_body_in_json_says_the_same_in_parts_as_at_once(value, indented, cut):
    whole = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indented else 0).replace(b"\\\\u0073", b"\\u0073")
    body = whole[: len(whole) - cut] if cut < 3 else whole
    at_once = told(body)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_outline, "_WHOLE_BYTES", 0)

        assert told(body) == at_once


# --- what is held -----------------------------------------------------------------------------------------------------
def test_spans_that_take_too_much_with_what_they_share_are_refused_whole(api, monkeypatch):
    monkeypatch.setattr(service, "_HELD_BYTES", 500_000)
    body = otlp_request(*(otlp_span() for _ in range(5)))
    shared = orjson.loads(orjson.dumps(body))
    shared["resourceSpans"][0]["resource"] = {"attributes": [{"key": "a", "value": {"stringValue": "x" * 100_000}}]}

    replies = [api.post("/v1/traces", one, content_type="application/json") for one in (shared, body)]

    assert [reply.status_code for reply in replies] == [413, 200]
    assert "send smaller batches" in replies[0].json()["message"]


def test_sets_of_names_that_all_differ_are_not_all_held():
    shared = Shared()
    shared.resource({})
    for number in range(1000):
        shared.merged(plan_of({str(number): 1}, size=100_000))

    assert len(shared._merged) <= 256


def test_a_line_takes_no_more_memory_than_its_bytes_whatever_its_characters():
    line = span_text({**blank_row(), **ROW, "input_text": "\U0001f600" + "a" * 10_000}).content

    assert sys.getsizeof(line) < 11_000


ROW = {
    "organisation_id": 1,
    "project_id": 1,
    "ts": NOW_NS,
    "ingested_at": NOW_NS,
    "trace_id": b"t" * 16,
    "span_id": b"s" * 8,
}
