import json
from dataclasses import fields

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.redaction import Redactor, redaction_key
from analytics.ingest.redaction.redactor import EXEMPT
from analytics.ingest.redaction.texts import TextRedactor
from analytics.ingest.vocabularies.content import is_content
from analytics.ingest.vocabularies.table import NAMED
from analytics.ingest.wire import RawScope
from analytics.registry.redaction import DETECTOR_NAMES, CustomPattern, Redaction
from tests.analytics.ingest.spans import NOW_NS, START_NS, raw

KEY = redaction_key("secret", 1)
ALL = Redaction(detectors=DETECTOR_NAMES)
CANONICAL = {
    "email": "bob.smith+news@mail.example.com",
    "phone": "+14155552671",
    "ssn": "123-45-6789",
    "card": "4111111111111111",
    "api_key": "sk-proj-abcdefghijklmnopqrstuvwx",
    "ip": "203.0.113.7",
}


def redacted(text, redaction=ALL):
    return TextRedactor(redaction, KEY).redact(text)


def normal(attributes=None, *, redaction=ALL, keeps_content=True, **said):
    redactor = Redactor(redaction, key=KEY, keeps_content=keeps_content)
    return normalise(raw(attributes=attributes or {}, **said), limits=Limits(), now_ns=NOW_NS, redactor=redactor)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("write to bob@example.com.", "write to [EMAIL]."),
        ("<Bob.O'Neil+x@mail.example.co.uk>", "<[EMAIL]>"),
        ("müller@firma.de", "[EMAIL]"),
        ("иван@почта.рф", "[EMAIL]"),
        ("请联系bob@example.com谢谢", "请联系[EMAIL]谢谢"),
        ("bob@localhost, @app.route, a@b", "bob@localhost, @app.route, a@b"),
        ("+14155552671", "[PHONE]"),
        ("tel:+44 20 7946 0958", "tel:[PHONE]"),
        ("+49 (0)30-1234567", "[PHONE]"),
        ("call 415-555-2671 or (415) 555-2671 or 1 415.555.2671", "call [PHONE] or [PHONE] or [PHONE]"),
        ("on 2026-03-01 at 10:00, 4155552671 rows, 1+14155552671", "on 2026-03-01 at 10:00, 4155552671 rows, 1+14155552671"),
        ("SSN123-45-6789", "SSN[SSN]"),
        ("000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000", "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000"),
        ("1123-45-6789", "1123-45-6789"),
        ("card 4111 1111 1111 1111, exp 12/27", "card [CARD], exp 12/27"),
        ("3782-822463-10005 and 30569309025904", "[CARD] and [CARD]"),
        ("no 12345 4111111111111111", "no 12345 [CARD]"),
        ("4111111111111112", "4111111111111112"),
        ("0.4111111111111111 and x4111111111111111", "0.4111111111111111 and x4111111111111111"),
        ("41111111111111111111", "41111111111111111111"),
        ("sk-abcdefghijklmnop task-oriented sk-learn", "[API_KEY] task-oriented sk-learn"),
        (f"llmo_sk_live_{'a1' * 20}", "[API_KEY]"),
        ("AKIAIOSFODNN7EXAMPLE", "[API_KEY]"),
        (f"ghp_{'a' * 36}", "[API_KEY]"),
        ("Authorization: Bearer abc.def-123=", "Authorization: [API_KEY]"),
        ("the bearer certificate of shares", "the bearer certificate of shares"),
        ("from 192.168.0.1 and 2001:db8::8a2e:370:7334.", "from [IP] and [IP]."),
        ("at 12:30:45 std::vector 1.2.3 999.1.1.1", "at 12:30:45 std::vector 1.2.3 999.1.1.1"),
        (r"line\nbob@example.com", r"line\n[EMAIL]"),
        (r"a\n123-45-6789\t4111111111111111", r"a\n[SSN]\t[CARD]"),
        (r"C:\\nbob@example.com", r"C:\\[EMAIL]"),
        (r'{"a": "\u003cbob@example.com\u003e"}', '{"a": "<[EMAIL]>"}'),
        (r'["bob\u0040example.com", "\\u0040", "\u0022"]', r'["[EMAIL]", "\\u0040", "\u0022"]'),
        (r"not JSON: bob\u0040example.com", r"not JSON: bob\u0040example.com"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_detector_finds_what_its_rule_says_and_nothing_else(text, kept):
    assert redacted(text) == kept


def test_addresses_are_left_alone_unless_asked_for():
    assert redacted("from 192.168.0.1", Redaction()) == "from 192.168.0.1"


def test_json_stays_json():
    told = json.dumps({"to": ["bob@example.com\n+14155552671"], "é": "\t123-45-6789"})

    assert json.loads(redacted(told)) == {"to": ["[EMAIL]\n[PHONE]"], "é": "\t[SSN]"}


def test_equal_values_have_equal_hashes_in_one_organisation_and_others_elsewhere():
    hashing = Redaction(mode="hash")
    here, there = TextRedactor(hashing, KEY), TextRedactor(hashing, redaction_key("secret", 2))

    assert here.redact("Bob@example.com") == here.redact("bob@example.com") != there.redact("bob@example.com")
    assert here.redact("4111 1111 1111 1111") == here.redact("4111111111111111")


def test_a_hash_has_twelve_hexadecimal_digits():
    text = redacted("bob@example.com", Redaction(mode="hash"))

    assert (text[:7], len(text), text[-1]) == ("[EMAIL:", 20, "]")


def test_what_is_removed_leaves_nothing_that_comes_together():
    removing = Redaction(mode="remove")

    assert redacted("to bob@example.com now", removing) == "to  now"
    assert redacted("123-4123-45-67895-6789", removing) == "123-4123-45-67895-6789"
    assert redacted("123-45-bob@example.com6789", removing) == "6789"


def test_patterns_of_a_project_are_told_by_their_names():
    own = Redaction(detectors=("email",), patterns=(CustomPattern(name="Employee", pattern=r"E-\d{6}"),))
    texts = TextRedactor(own, KEY)

    assert texts.redact("E-123456 is bob@example.com") == "[Employee] is [EMAIL]"
    assert texts.counts == {"Employee": 1, "email": 1}


def test_patterns_of_a_project_work_without_a_detector_and_not_when_redaction_is_off():
    patterns = (CustomPattern(name="E", pattern="(?i)secret"),)

    assert redacted("SECRET", Redaction(detectors=(), patterns=patterns)) == "[E]"
    assert normal({"a": "SECRET"}, redaction=Redaction(mode="off", patterns=patterns)).attributes == {"a": "SECRET"}


def test_a_pattern_leaves_placeholders_whole():
    capitals = Redaction(patterns=(CustomPattern(name="CAPS", pattern="[A-Z]{3,}"),))

    assert redacted("ABC bob@example.com", capitals) == "[CAPS] [EMAIL]"


PIECES = st.sampled_from([*CANONICAL.values(), "415-555-2671", "bob", "@", "example.com", "-", " ", "+1", "4", "\\n", "\n", "[EMAIL]", "[", "é", "谢", "sk-", "Bearer ", "123-45-", "6789", "::", "."])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20)


@given(text=TEXTS, mode=st.sampled_from(["mask", "hash", "remove"]))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(text="123-4123-45-67895-6789", mode="remove")
@example(text="\ud800bob@example.com", mode="mask")
def test_what_is_redacted_is_not_redacted_again(text, mode):
    redaction = Redaction(mode=mode, detectors=DETECTOR_NAMES)
    once = redacted(text, redaction)

    assert redacted(once, redaction) == once


def stored(span):
    """Everything of a span that can hold somebody's text, without the members that are exempt."""
    return {one.name: getattr(span, one.name) for one in fields(span) if one.name not in EXEMPT and one.name != "usage"}


def spread(value):
    """Return `value` at many places and depths of a span."""
    return {
        "attributes": {
            "note": value,
            "deep": [{"a": [{"b": value}]}, {value: value}],
            "as.json": json.dumps({"x": value, value: 1}),
            "gen_ai.request.stop_sequences": [value],
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"\n{value}\t"}]}]),
            "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "tool_call", "name": value, "arguments": {"to": value}}]}],
            "gen_ai.tool.definitions": json.dumps([{"name": value}]),
            "gen_ai.retrieval.query.text": value,
            "gen_ai.agent.name": value,
            "llm.tags": value,
            f"ai.settings.{value}": value,
            value: value,
        },
        "name": f"chat {value}",
        "resource": {"host": value, "service.name": value},
        "scope": RawScope(name=value, version=value, attributes={"x": value}, schema_url=value),
        "events": [
            {"name": value, "time_ns": START_NS, "attributes": {"note": value}},
            {"name": "exception", "time_ns": START_NS, "attributes": {"exception.type": value, "exception.message": value}},
            {"name": "gen_ai.evaluation.result", "time_ns": START_NS, "attributes": {"gen_ai.evaluation.name": value, "gen_ai.evaluation.explanation": value}},
        ],
        "links": [{"trace_id": "ab" * 16, "span_id": "cd" * 8, "attributes": {"note": value}}],
        "status_message": value,
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["mask", "hash", "remove"])
@pytest.mark.parametrize("detector", CANONICAL)
def test_no_example_survives_anywhere_in_a_span(detector, mode):
    value = CANONICAL[detector]

    span = normal(**spread(value), redaction=Redaction(mode=mode, detectors=(detector,)))

    assert value not in orjson.dumps(stored(span), default=str).decode()
    assert set(span.redactions) == {detector}


NAMES = st.sampled_from(sorted(NAMED)) | st.sampled_from(["mine", "gen_ai.prompt.0.content", "llm.input_messages.1.message.content", "traceloop.association.properties.x"])  # fmt: skip


@given(
    names=st.lists(NAMES, max_size=4),
    detector=st.sampled_from(sorted(CANONICAL)),
    wrap=st.sampled_from(["{}", "\n{}", "a {}.", '["{}"]', '{{"content": "{}"}}']),
    nested=st.booleans(),
)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_name_lets_an_example_through(names, detector, wrap, nested):
    text = wrap.format(CANONICAL[detector])
    span = normal({name: [{"content": text}] if nested else text for name in names})

    assert CANONICAL[detector] not in orjson.dumps(stored(span), default=str).decode()


def test_members_that_name_somebody_or_something_are_never_touched():
    told = {
        "user.id": "bob@example.com",
        "session.id": "+14155552671",
        "gen_ai.request.model": "4111111111111111",
        "gen_ai.response.model": "ft:bob@example.com",
        "gen_ai.provider.name": "sk-proj-abcdefghijklmnopqrstuvwx",
        "gen_ai.response.id": "123-45-6789",
        "note": "bob@example.com",
    }

    span = normal(told)

    members = ("user_id", "session_id", "model", "response_model", "provider", "response_id")
    assert [getattr(span, member) for member in members] == list(told.values())[:-1]
    assert span.attributes == {"note": "[EMAIL]"}


def test_hits_are_counted_by_detector_and_the_text_of_messages_once():
    span = normal(
        {
            "gen_ai.input.messages": [{"role": "user", "content": "bob@example.com and eve@example.com"}],
            "gen_ai.tool.call.result": "123-45-6789",
        }
    )

    assert (span.input_text, span.output_text) == ("[EMAIL] and [EMAIL]", "[SSN]")
    assert span.redactions == {"email": 2, "ssn": 1}


def test_numbers_are_left_alone():
    assert normal({"at": 4111111111111111, "x": 0.4111111111111111}).attributes == {
        "at": 4111111111111111,
        "x": 0.4111111111111111,
    }


def test_a_number_in_arguments_is_redacted_where_it_becomes_text():
    assert normal({"gen_ai.tool.call.arguments": {"card": 4111111111111111}}).input_text == '{"card":[CARD]}'


CARD = 4111111111111111
# Every kind of text that is read as JSON, with a card's number that is a number in it.
JSON_TEXTS = [
    {"metadata": f'{{"card": {CARD}, "plan": "pro"}}'},
    {"llm.invocation_parameters": f'{{"card":{CARD}}}'},
    {"retrieval.documents.0.document.metadata": f'{{"card": {CARD}}}'},
    {"retrieval.documents.0.document.metadata": f'{{"cards": [1, [{CARD}]]}}'},
    {"gen_ai.retrieval.documents": f'[{{"card": {CARD}}}]'},
    {"gen_ai.retrieval.documents": [f'{{"card": {CARD}}}']},
    {"gen_ai.tool.definitions": f'[{{"default": {CARD}}}]'},
    {"gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "tool_call", "arguments": {"n": CARD}}]}])},
    {"gen_ai.input.messages": json.dumps([{"role": "user", "tool_calls": [{"function": {"name": "f", "arguments": f'{{"n": {CARD}}}'}}]}])},
    {"gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "image", "n": CARD}]}])},
    {"gen_ai.output.messages": [{"role": "assistant", "tool_calls": [{"name": "f", "arguments": f'{{"n": {CARD}}}'}]}]},
    {"gen_ai.completion.0.tool_calls.0.arguments": f'{{"n": {CARD}}}'},
    {"ai.response.toolCalls": f'[{{"toolName": "f", "args": "{{\\"n\\": {CARD}}}"}}]', "ai.operationId": "ai.generateText.doGenerate"},
    {"gcp.vertex.agent.llm_request": f'{{"model": "m", "config": {{"temperature": {CARD}}}}}'},
    {"genkit:input": f'{{"messages": [{{"role": "user", "content": "hi"}}], "config": {{"n": {CARD}}}}}'},
    {"langfuse.observation.model.parameters": f' {{"n": {CARD}.0}}'},
    {"traceloop.association.properties.x": f'{{"n": {CARD}}}'},
]  # fmt: skip


@pytest.mark.parametrize("mode", ["mask", "hash", "remove"])
@pytest.mark.parametrize("attributes", JSON_TEXTS, ids=str)
def test_a_number_of_a_text_that_is_json_is_redacted_wherever_it_is_read_from(attributes, mode):
    span = normal(attributes, redaction=Redaction(mode=mode))

    assert str(CARD) not in orjson.dumps(stored(span), default=str).decode()
    assert span.redactions == {"card": 1}


@pytest.mark.parametrize("body", [{"content": f'{{"n": {CARD}}}'}, {"gen_ai.event.content": f'{{"content": "x", "tool_calls": [{{"name": "f", "arguments": {{"n": {CARD}}}}}]}}'}], ids=str)  # fmt: skip
def test_a_number_of_an_event_is_redacted_like_one_of_an_attribute(body):
    span = normal(events=[{"name": "gen_ai.user.message", "time_ns": START_NS, "attributes": body}])

    assert str(CARD) not in orjson.dumps(stored(span), default=str).decode()
    assert span.redactions == {"card": 1}


def test_what_was_read_from_a_text_with_a_masked_number_is_read_still():
    calls = json.dumps([{"id": "c1", "function": {"name": "pay", "arguments": f'{{"card": {CARD}, "sum": 5}}'}}])
    span = normal({"metadata": f'{{"plan": "pro", "card": {CARD}}}', "gen_ai.completion.0.tool_calls": calls})

    assert span.output_messages[0]["tool_calls"] == [
        {"id": "c1", "name": "pay", "arguments": {"card": "[CARD]", "sum": 5}}
    ]
    assert span.attributes == {"metadata": {"plan": "pro", "card": "[CARD]"}}


def test_a_text_that_is_json_stays_json_when_a_number_of_it_is_masked():
    told = f'{{ "card": {CARD},\n"at": [1772359200000, 1.50, -7e3, true], "text": "no {CARD}" }}'

    assert normal({"shop.order": told}).attributes["shop.order"] == (
        '{ "card": "[CARD]",\n"at": [1772359200000, 1.50, -7e3, true], "text": "no [CARD]" }'
    )


def test_a_text_in_a_text_in_a_text_is_looked_at_too():
    told = json.dumps({"a": json.dumps([json.dumps({"card": CARD})])}).replace("4111", "\\u0034111")

    assert normal({"shop.order": told}).attributes["shop.order"] == json.dumps(
        {"a": json.dumps([json.dumps({"card": "[CARD]"})])}
    )


def test_a_number_that_a_pattern_of_the_project_finds_is_masked():
    own = Redaction(patterns=(CustomPattern(name="customer", pattern="^77[0-9]{4}$"),))

    span = normal({"metadata": '{"customer": 770001, "n": 5}'}, redaction=own)

    assert (span.attributes, span.redactions) == ({"metadata": {"customer": "[customer]", "n": 5}}, {"customer": 1})


def test_a_text_that_is_cut_in_the_middle_of_its_json_is_redacted_as_it_is():
    assert normal({"shop.order": f'{{"card": {CARD}, "x'}).attributes == {"shop.order": '{"card": [CARD], "x'}


def test_a_member_that_is_exempt_keeps_a_number_too():
    assert normal({"llm.invocation_parameters": f'{{"model": {CARD}}}'}).model == str(CARD)


def test_keys_that_become_the_same_are_numbered():
    span = normal({"by": {"a@example.com": 1, "b@example.com": 2, "[EMAIL]": 3}})

    assert span.attributes == {"by": {"[EMAIL]": 1, "[EMAIL] (2)": 2, "[EMAIL] (3)": 3}}


def test_the_spans_of_a_request_do_not_share_what_was_found():
    redactor = Redactor(ALL, key=KEY)
    resource = {"owner": "bob@example.com"}
    told = [raw(resource=resource, attributes={"note": note}) for note in ("123-45-6789", "fine")]

    spans = [normalise(one, limits=Limits(), now_ns=NOW_NS, redactor=redactor) for one in told]

    assert [span.redactions for span in spans] == [{"email": 1, "ssn": 1}, {"email": 1}]
    assert resource == {"owner": "bob@example.com"}


def test_what_is_told_about_a_rejected_span_is_redacted():
    rejection = normal(
        span_id=b"", name="to bob@example.com", resource={"service.name": "123-45-6789"}, scope=RawScope(name="+14155552671")
    )  # fmt: skip

    assert (rejection.span_name, rejection.service_name, rejection.scope_name) == ("to [EMAIL]", "[SSN]", "[PHONE]")


def test_texts_are_redacted_before_they_are_cut():
    span = normalise(
        raw(attributes={"note": "bob@example.com"}),
        limits=Limits(text_chars=8),
        now_ns=NOW_NS,
        redactor=Redactor(ALL),
    )

    assert span.attributes == {"note": "[EMAIL]"}


CONTENT = "the river"


def test_a_project_without_content_keeps_numbers_and_names():
    span = normal(
        {
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.system_instructions": CONTENT,
            "gen_ai.input.messages": [{"role": "user", "content": CONTENT}],
            "gen_ai.output.messages": [{"role": "assistant", "content": CONTENT, "finish_reason": "stop"}],
            "gen_ai.tool.call.arguments": {"q": CONTENT},
            "gen_ai.tool.name": "lookup",
            "gen_ai.retrieval.query.text": CONTENT,
            "retrieval.top_k": 3,
            "retrieval.documents.0.document.content": CONTENT,
            "llm.prompt_template.variables": CONTENT,
            "input.value": [CONTENT],
            "shop.id": 7,
        },
        status_message=CONTENT,
        events=[
            {"name": "gen_ai.user.message", "time_ns": START_NS, "attributes": {"strange": CONTENT}},
            {"name": "exception", "time_ns": START_NS, "attributes": {"exception.type": "E", "exception.message": CONTENT}},
        ],
        keeps_content=False,
    )  # fmt: skip

    assert CONTENT not in orjson.dumps(stored(span), default=str).decode()
    assert (span.model, span.tool_name, span.finish_reason, span.error_type) == ("gpt-4o", "lookup", "stop", "E")
    assert (span.usage.prompt, span.request_parameters, span.retrieval, span.attributes) == (
        7,
        {"temperature": 0.5},
        {"top_k": 3},
        {"shop.id": 7},
    )


@pytest.mark.parametrize("value", [[[[CONTENT]]], {"x": [CONTENT]}, f'[{{"role": "user", "content": "{CONTENT}', 5])
def test_content_that_could_not_be_read_goes_too(value):
    for name in filter(is_content, NAMED):
        span = normal({name: value}, keeps_content=False)

        assert (name, name in span.attributes, CONTENT in str(stored(span))) == (name, False, False)


def test_names_that_are_no_content_stay_without_it():
    for name in NAMED:
        if not is_content(name):
            assert not {"input_text", "output_text"} & normal({name: "text"}).mapping_sources.keys(), name


def test_an_address_whose_domain_is_written_with_escapes_is_found():
    messages = json.dumps([{"role": "user", "content": "bob@exämple.com and иван@почта.рф"}], ensure_ascii=True)

    assert normal({"gen_ai.input.messages": messages}).input_text == "[EMAIL] and [EMAIL]"


def test_of_many_spans_only_those_that_can_hold_something_are_suspect():
    texts = ["nothing", "bob@example.com", "42", {"deep": ["123-45-6789"]}, "at the end +14155552671"]
    spans = [raw(attributes={"shop.note": text}) for text in texts]

    assert Redactor(ALL, key=KEY).suspects(spans) == [False, True, False, True, True]
    assert Redactor(Redaction(mode="off")).suspects(spans) == [False] * 5
    own = Redaction(detectors=(), patterns=(CustomPattern(name="order", pattern="ORD-[0-9]+"),))
    assert Redactor(own, key=KEY).suspects(spans) == [True] * 5


def test_a_finding_in_the_resource_makes_all_spans_suspect():
    spans = [raw(attributes={}, resource={"owner": "bob@example.com"}) for _ in range(2)]

    assert Redactor(ALL, key=KEY).suspects(spans) == [True, True]
