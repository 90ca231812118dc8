from dataclasses import fields

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.span import NormalSpan, Rejection
from analytics.ingest.text import scrub
from analytics.ingest.vocabularies.rows import EventRow, IndexedRow, OpenRow, Row
from analytics.ingest.vocabularies.table import RESOURCE, ROWS
from analytics.ingest.wire import RawScope
from tests.analytics.ingest.spans import NOW_NS, SECOND, SPAN_ID, START_NS, TRACE_ID, normal, raw

DAY = 86_400 * SECOND


def rejected(limits=None, **said):
    rejection = normalise(raw(**said), limits=limits or Limits(), now_ns=NOW_NS)
    assert isinstance(rejection, Rejection)
    return rejection


def test_a_span_without_attributes_is_accepted():
    assert normal(kind=3, status_code=1, parent_span_id=SPAN_ID, scope=RawScope(name="s", version="1")) == NormalSpan(
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        parent_span_id=SPAN_ID,
        start_ns=START_NS,
        end_ns=START_NS + SECOND,
        span_name="chat gpt-4o",
        span_kind="client",
        status_code="OK",
        instrumentation_scope={"name": "s", "version": "1"},
    )


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("invalid_trace_id", {"trace_id": b"\x01" * 15}),
        ("invalid_trace_id", {"trace_id": b""}),
        ("invalid_trace_id", {"trace_id": bytes(16)}),
        ("invalid_span_id", {"span_id": b"\x01" * 16}),
        ("invalid_span_id", {"span_id": bytes(8)}),
        ("missing_start_time", {"start_ns": 0}),
        ("end_before_start", {"end_ns": START_NS - 1}),
        ("end_before_start", {"end_ns": 0}),
        ("too_old", {"start_ns": NOW_NS - 90 * DAY - 1}),
        ("in_future", {"start_ns": NOW_NS + 600 * SECOND + 1, "end_ns": NOW_NS + DAY}),
        ("too_large", {"encoded_size": 4_194_305}),
        ("too_many_attributes", {"attributes": {str(number): number for number in range(1001)}}),
    ],
)
def test_a_span_is_rejected_with_its_reason(reason, said):
    assert rejected(**said).reason == reason


@pytest.mark.parametrize(
    "said",
    [
        {"end_ns": START_NS},
        {"start_ns": NOW_NS - 90 * DAY},
        {"start_ns": NOW_NS + 600 * SECOND, "end_ns": NOW_NS + 600 * SECOND},
        {"start_ns": NOW_NS + 600 * SECOND, "end_ns": NOW_NS + DAY},
        {"end_ns": 2**64 - 1},
        {"encoded_size": 4_194_304},
        {"attributes": {str(number): number for number in range(1000)}},
    ],
    ids=",".join,
)
def test_a_span_on_the_limit_is_accepted(said):
    assert isinstance(normalise(raw(**said), limits=Limits(), now_ns=NOW_NS), NormalSpan)


def test_a_rejection_says_who_sent_what_and_what_to_do():
    assert rejected(
        end_ns=0, resource={"service.name": "shop"}, scope=RawScope(name="tracer"), name="n" * 600
    ) == Rejection(
        reason="end_before_start",
        message="The span has no end or ends before it starts: export spans after they ended, with end_time_unix_nano.",
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        span_name="n" * 512,
        service_name="shop",
        scope_name="tracer",
    )


def test_an_id_of_the_wrong_length_is_not_reported():
    rejection = rejected(trace_id=b"\x01", span_id=b"\x02")

    assert (rejection.trace_id, rejection.span_id) == (None, None)


def test_sentences_name_the_limit():
    assert "7 days" in rejected(Limits(past_days=7), start_ns=NOW_NS - 8 * DAY).message


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (0, "internal"),
        (1, "internal"),
        (2, "server"),
        (3, "client"),
        (4, "producer"),
        (5, "consumer"),
        (9, "internal"),
        (-1, "internal"),
    ],
)
def test_span_kinds_have_names(kind, name):
    assert normal(kind=kind).span_kind == name


@pytest.mark.parametrize(("code", "name"), [(0, "UNSET"), (1, "OK"), (2, "ERROR"), (7, "UNSET"), (-1, "UNSET")])
def test_status_codes_have_names(code, name):
    assert normal(status_code=code).status_code == name


@pytest.mark.parametrize("parent", [b"", bytes(8), b"\x01"])
def test_a_parent_that_is_no_id_is_no_parent(parent):
    assert normal(parent_span_id=parent).parent_span_id is None


def test_an_empty_name_is_unknown():
    assert normal(name="").span_name == "unknown"


def test_text_above_the_limit_is_cut_wherever_it_is():
    long, cut = "x" * 11, "x" * 10
    span = normal(
        {"mine": {"deep": [long]}, "input.value": long, "gen_ai.output.messages": [{"content": long}]},
        limits=Limits(text_chars=10),
        status_message=long,
        resource={"host": long},
        events=[{"name": "e", "time_ns": 0, "attributes": {"a": long}}],
    )

    assert (span.attributes, span.input_text, span.output_messages, span.error_message, span.resource_attributes) == (
        {"mine": {"deep": [cut]}},
        cut,
        [{"role": "assistant", "content": cut}],
        cut,
        {"host": cut},
    )
    assert (span.events[0]["attributes"], span.notes) == ({"a": cut}, ["truncated"])


def test_messages_are_read_before_their_text_is_cut():
    text = orjson.dumps([{"role": "user", "content": "a" * 90}]).decode()

    assert normal({"gen_ai.input.messages": text}, limits=Limits(text_chars=100)).input_text == "a" * 90


def test_labels_are_cut_short():
    span = normal({"gen_ai.request.model": "m" * 600, "tag.tags": ["t" * 600]}, encoded_size=1300)

    assert (span.model, span.tags, span.notes) == ("m" * 512, ["t" * 512], ["truncated"])


@pytest.mark.parametrize("value", [-1, "many", 1.5, "NaN", True, [5]])
def test_a_count_that_is_none_is_ignored_with_a_note(value):
    span = normal({"gen_ai.usage.input_tokens": value, "gen_ai.usage.output_tokens": 5})

    assert (span.usage.prompt, span.usage.completion, span.notes) == (0, 5, ["usage_clamped"])


@pytest.mark.parametrize("value", [-1, "many", 1.5, "NaN", True, [5]])
@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("langsmith.usage_metadata", lambda value: {"input_tokens": value}),
        ("langsmith.usage_metadata", lambda value: {"input_token_details": {"cache_read": value}}),
        ("langfuse.observation.usage_details", lambda value: {"input_cached_tokens": value}),
        ("gcp.vertex.agent.llm_response", lambda value: {"usage_metadata": {"thoughts_token_count": value}}),
        ("ai.response.providerMetadata", lambda value: {"anthropic": {"cacheCreationInputTokens": value}}),
        ("gen_ai.usage.raw", lambda value: {"cache_creation": {"ephemeral_1h_input_tokens": value}}),
    ],
)
def test_a_count_in_a_document_that_is_none_is_ignored_with_a_note_and_kept(name, document, value):
    told = {"gen_ai.usage.output_tokens": 5, name: orjson.dumps(document(value)).decode()}

    span = normal(told)

    assert (span.usage.prompt, span.usage.completion, span.notes) == (0, 5, ["usage_clamped"])
    assert span.attributes in ({name: told[name]}, {name: document(value)})


@pytest.mark.parametrize("told", [{}, {"input": None}, {"input": 3}, {"other": -1}, {"input": "3"}])
def test_a_document_without_an_unusable_count_has_no_note(told):
    assert normal({"langfuse.observation.usage_details": told}).notes == []


def test_a_count_that_a_better_name_told_is_not_looked_for_in_a_document():
    span = normal({"gen_ai.usage.input_tokens": 7, "langfuse.observation.usage_details": {"input": -1}})

    assert (span.usage.prompt, span.notes) == (7, [])


def test_a_grand_total_that_contradicts_its_parts_is_noted():
    told = {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 7}

    assert normal({**told, "gen_ai.usage.total_tokens": 12}).notes == []
    assert normal({**told, "gen_ai.usage.total_tokens": 13}).notes == ["usage_clamped"]


def test_an_unusable_count_leaves_the_word_to_the_next_name():
    span = normal({"gen_ai.usage.input_tokens": -1, "llm.token_count.prompt": 7})

    assert (span.usage.prompt, span.mapping_sources["prompt_tokens"]) == (7, "llm.token_count.prompt")


def test_unusable_counts_alone_are_no_usage():
    span = normal({"gen_ai.usage.input_tokens": -1})

    assert (span.usage, span.usage_rule) == (None, None)


@pytest.mark.parametrize("value", [7, 7.0, "7"])
def test_a_count_may_be_a_number_or_its_digits(value):
    assert normal({"gen_ai.usage.input_tokens": value}).usage.prompt == 7


def test_counts_that_no_call_can_have_are_ignored():
    span = normal({"gen_ai.usage.input_tokens": 2**62, "llm.latency.ttft_ms": 2**62})

    assert (span.usage, span.ttft_ms, span.notes) == (None, 2**31 - 1, ["usage_clamped"])


def test_scopes_known_to_leave_out_parts_are_exclusive():
    span = normal(
        {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 30},
        limits=Limits(exclusive_scopes=frozenset({"anthropic"})),
        scope=RawScope(name="anthropic"),
    )

    assert (span.usage.prompt, span.usage.uncached_input, span.usage_rule) == (130, 100, "exclusive")


def test_dropped_attributes_are_noted():
    assert normal(dropped_attributes=3).notes == ["attributes_dropped"]


def test_what_is_shared_between_spans_is_not_changed():
    resource = {"service.name": "shop", "host": "x" * 20}
    span = raw(attributes={"gen_ai.request.model": "m", "mine": "y" * 20}, resource=resource)

    normalise(span, limits=Limits(text_chars=10), now_ns=NOW_NS)

    assert (span.resource, span.attributes) == (
        {"service.name": "shop", "host": "x" * 20},
        {"gen_ai.request.model": "m", "mine": "y" * 20},
    )


def _names(row):
    match row:
        case Row():
            return row.names
        case IndexedRow():
            fields_of_lists = (
                "message.content",
                "message.tool_calls.0.tool_call.id",
                "message.contents.1.x",
                "role",
                "embedding.text",
                "tool.json_schema",
                "content",
            )
            return tuple(f"{row.prefix}.{index}.{part}" for index in (0, 999999999) for part in fields_of_lists)
        case OpenRow():
            return (f"{row.prefix}.key", f"{row.prefix}.a.b")
    return ()


NAMES = sorted({name for row in ROWS for name in _names(row)} | {"mine", "", "llm.", "metadata"})
EVENTS = sorted({name for row in ROWS if isinstance(row, EventRow) for name in row.names} | {"mine", ""})
WORDS = st.sampled_from(["role", "content", "parts", "type", "text", "tool_calls", "id", "name", "arguments", "function", "response", "messages", "model", "stream"])  # fmt: skip
TYPES = st.sampled_from(["text", "reasoning", "tool_call", "tool_call_response", "image", "refusal", ""])
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6) | TYPES  # fmt: skip
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
VALUES = TREES.map(scrub) | TREES.map(lambda value: orjson.dumps(value).decode()) | st.sampled_from(["NaN", "1e400", "[" * 300, "\\ud83d"])  # fmt: skip
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=12)


@given(
    attributes=ATTRIBUTES,
    resource=st.dictionaries(st.sampled_from(["service.name", "deployment.environment", "x"]), VALUES, max_size=2),
    events=st.lists(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(EVENTS),
                "time_ns": st.integers(0, 2**64 - 1),
                "attributes": st.dictionaries(WORDS | st.sampled_from(["message", "gen_ai.event.content", "exception.type", "finish_reason", "gen_ai.prompt"]), VALUES, max_size=3),
            }
        ),
        max_size=3,
    ),
    size=st.sampled_from([0, 10]),
)  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_whatever_is_sent_becomes_a_span_that_can_be_stored(attributes, resource, events, size):
    span = normal(attributes, resource=resource, events=events, encoded_size=size)

    # The writer needs text where columns are text, and JSON that can be written, without NUL. The wire lets none in.
    for member in fields(span):
        value = getattr(span, member.name)
        declared = str(member.type)
        if "str | None" in declared:
            assert value is None or type(value) is str
        elif "int | None" in declared:
            assert value is None or type(value) is int
        elif "bool | None" in declared:
            assert value is None or type(value) is bool
        elif "dict" in declared or "list" in declared:
            assert scrub(orjson.loads(orjson.dumps(value))) == value
    assert all(type(tag) is str for tag in span.tags)


# What is worked out of what was read, and never just taken.
WORKED_OUT = {"input_messages", "output_messages", "ttft_ms"}


def test_what_vocabularies_tell_under_the_name_of_a_member_is_that_member():
    told = {row.member.partition(".")[0] for row in ROWS} | {member for member, _ in RESOURCE}
    members = {field.name for field in fields(NormalSpan)}

    assert members & told == WORKED_OUT | {
        "operation_name", "provider", "model", "response_model", "response_id", "service_tier", "service_name",
        "environment", "user_id", "session_id", "team_id", "prompt_name", "tool_name", "agent_name", "workflow_name",
        "finish_reason", "error_type", "error_message", "streamed", "reported_cost_nanousd", "request_parameters",
        "tools", "retrieval", "tags", "evaluations",
    }  # fmt: skip
