"""What is not mapped is kept: whatever stands beside what was read is found in the span, and nothing large twice."""

import json
from dataclasses import asdict

import orjson
import pytest

from analytics.ingest.plans import HELD
from tests.analytics.ingest.spans import START_NS, normal

STRANGE = "app.strange", "kept all the same"


def event(name, **attributes):
    return {"name": name, "time_ns": START_NS, "attributes": attributes}


def stored(span):
    return orjson.dumps(asdict(span), default=str).decode()


def kept(span):
    return [(one["name"], one["attributes"]) for one in span.events]


def test_an_event_of_which_nothing_is_read_stays_as_it_was():
    told = [event("gen_ai.user.message", strange=1), event("gen_ai.choice", index=0), event("gen_ai.user.message")]

    assert kept(normal(events=told)) == [(one["name"], one["attributes"]) for one in told]


def test_an_event_among_others_of_which_a_message_is_read_stays_too():
    told = [event("gen_ai.user.message", content="hi"), event("gen_ai.user.message", role="user", strange=1)]

    span = normal(events=told)

    assert (span.input_text, kept(span)) == ("hi", [("gen_ai.user.message", {"role": "user", "strange": 1})])


def test_attributes_of_an_event_that_make_no_message_stay_with_it():
    span = normal(
        {"gen_ai.system": "openai", "tenant": "acme"},
        events=[event("gen_ai.user.message", **{
            "content": "hi", "role": "user", "event.name": "gen_ai.user.message", "gen_ai.system": "openai",
            "tenant": "acme", "shop": 7,
        })],
    )  # fmt: skip

    assert (span.input_messages, kept(span)) == (
        [{"role": "user", "content": "hi"}],
        [("gen_ai.user.message", {"shop": 7})],
    )


def test_what_an_event_says_otherwise_than_its_span_stays():
    span = normal({"gen_ai.system": "openai"}, events=[event("gen_ai.user.message", content="hi", **{"gen_ai.system": "anthropic"})])  # fmt: skip

    assert kept(span) == [("gen_ai.user.message", {"gen_ai.system": "anthropic"})]


def test_a_provider_under_another_name_is_no_news():
    told = event("gen_ai.user.message", content="hi", **{"gen_ai.system": "az.ai.openai"})

    assert kept(normal({"gen_ai.provider.name": "azure.ai.openai"}, events=[told])) == []


def test_messages_of_events_that_attributes_told_leave_what_is_theirs_alone():
    span = normal(
        {"gen_ai.input.messages": json.dumps([{"role": "user", "content": "hi"}])},
        events=[event("gen_ai.user.message", content="hi", shop=7)],
    )

    assert (span.input_text, kept(span)) == ("hi", [("gen_ai.user.message", {"shop": 7})])


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"gen_ai.event.content": '{"content": "hi", "audio": {"id": 1}}'}, {"content": "hi", "audio": {"id": 1}}),
        ({"gen_ai.event.content": "hi"}, {"content": "hi"}),
        ({"message": '{"content": "hi", "audio": {"id": 1}}', "finish_reason": "stop"}, {"content": "hi", "audio": {"id": 1}}),
        ({"message": '{"content": "hi"}', "index": 1}, {"content": "hi", "index": 1}),
    ],
)  # fmt: skip
def test_fields_of_a_message_that_an_event_holds_stay_in_the_message(told, message):
    span = normal(events=[event("gen_ai.choice", **told)])

    assert (span.output_messages, kept(span)) == ([{"role": "assistant", **message}], [])


def test_items_of_a_list_of_events_keep_their_fields():
    listed = [{"event.name": "gen_ai.user.message", "gen_ai.message.index": 0, "content": "hi", "shop": 7}]

    assert normal({"events": json.dumps(listed)}).input_messages == [{"role": "user", "content": "hi", "shop": 7}]


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.input_messages.0.message.role": "user"},
        {"llm.output_messages.3.message.custom": {"a": 1}},
        {"llm.prompts.0.prompt.template": "t"},
        {"llm.choices.0.completion.score": 0.5, "llm.choices.1.completion.text": {"a": 1}},
        {"evaluations.0.evaluation.metadata": "m"},
        {"annotations.0.annotation.name": "a", "annotations.0.annotation.score": "none"},
        {"gen_ai.prompt.0.role": "user"},
    ],
)
def test_a_spread_list_of_which_nothing_is_read_stays(attributes):
    assert normal(attributes).attributes == attributes


def test_fields_of_a_spread_list_that_have_no_member_stay_attributes():
    beside = {
        "llm.prompts.0.prompt.template": "t",
        "llm.choices.0.completion.score": 0.5,
        "evaluations.0.evaluation.metadata": "m",
        "evaluations.0.evaluation.score": "high",
        "evaluations.1.evaluation.score": 1,
    }

    span = normal({
        "llm.prompts.0.prompt.text": "hi",
        "llm.choices.0.completion.text": "ho",
        "evaluations.0.evaluation.name": "tone",
        "evaluations.0.evaluation.label": "kind",
        **beside,
    })  # fmt: skip

    assert (span.input_text, span.output_text, span.evaluations) == (
        "hi", "ho", [{"evaluator_name": "tone", "label": "kind"}],
    )  # fmt: skip
    assert span.attributes == beside


def test_fields_of_a_spread_message_stay_in_it():
    prefix = "llm.input_messages.0.message"
    span = normal({
        f"{prefix}.content": "hi",
        f"{prefix}.custom": 7,
        f"{prefix}.tool_calls.0.tool_call.function.name": "f",
        f"{prefix}.tool_calls.0.tool_call.custom": 8,
    })  # fmt: skip

    assert span.input_messages == [
        {"role": "user", "content": "hi", "tool_calls": [{"name": "f", "custom": 8}], "custom": 7}
    ]


def test_what_is_said_beside_the_schema_of_a_tool_stays_with_it():
    schema = {"type": "function", "function": {"name": "f", "description": "d"}}
    span = normal({
        "llm.tools.0.tool.json_schema": json.dumps(schema),
        "llm.tools.0.tool.name": "f",
        "llm.tools.0.tool.description": "another",
        "llm.tools.0.tool.id": "t1",
        "llm.tools.1.tool.json_schema": "cut in the mid",
        "llm.tools.1.tool.name": "g",
    })  # fmt: skip

    assert span.tools == [
        {**schema, "tool.description": "another", "id": "t1"},
        {"json_schema": "cut in the mid", "tool.name": "g"},
    ]


@pytest.mark.parametrize(
    ("name", "document", "left"),
    [
        ("langsmith.usage_metadata", {"input_tokens": 5, "input_token_details": {"cache_read": 2, "image": 3}, "tier": "x"}, {"input_token_details": {"image": 3}, "tier": "x"}),
        ("langfuse.observation.usage_details", {"input": 5, "output": 2, "input_image": 3}, {"input_image": 3}),
        ("langfuse.observation.cost_details", {"total": 0.5, "input": 0.25, "output": 0.25}, {"input": 0.25, "output": 0.25}),
        ("mlflow.spanOutputs", {"id": "r1", "choices": [{"message": {"content": "hi"}}]}, {"id": "r1"}),
        ("gcp.vertex.agent.llm_request", {"model": "m", "contents": [{"role": "user", "parts": [{"text": "hi"}]}], "config": {"temperature": 1, "labels": {"a": "b"}}}, {"config": {"labels": {"a": "b"}}}),
        ("gcp.vertex.agent.llm_request", {"model": "m", "config": {"system_instruction": "s"}, "contents": [{"parts": [{"text": "hi"}]}]}, None),
        ("gcp.vertex.agent.llm_response", {"message": {"strange": 1}, "finish_reason": "STOP"}, {"message": {"strange": 1}}),
        ("ai.prompt", {"system": "s", "prompt": "hi", "tools": [1]}, {"tools": [1]}),
        ("genkit:output", {"message": {"role": "model", "content": [{"text": "hi"}]}, "usage": {"inputTokens": 5, "inputImages": 1}}, {"usage": {"inputImages": 1}}),
        ("request_data", {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}, {"stream": True}),
        ("gen_ai.completion", {"content": {"role": "model", "parts": [{"text": "hi"}]}, "finish_reason": "STOP", "avg_logprobs": -0.1}, {"avg_logprobs": -0.1}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("written", [json.dumps, dict], ids=["text", "object"])
def test_keys_of_a_document_that_have_no_member_stay_under_its_name(name, document, left, written):
    assert normal({name: written(document)}).attributes == ({name: left} if left else {})


@pytest.mark.parametrize("name", sorted(HELD))
def test_no_document_loses_a_key_nobody_knows(name):
    key, value = STRANGE
    document = {
        "input_tokens": 5, "input": 6, "total": 7, "total_cost": 1, "model": "m", "anthropic": {"cacheReadInputTokens": 1},
        "messages": [{"role": "user", "content": "the only text"}], "usage_metadata": {"prompt_token_count": 4},
        key: value,
    }  # fmt: skip

    span = normal({name: json.dumps(document)})

    assert value in stored(span)


def test_what_is_read_of_a_document_is_not_kept_with_the_rest():
    text = "the only text"
    span = normal({"mlflow.spanOutputs": json.dumps({"id": "r1", "choices": [{"message": {"content": text}}]})})

    assert text not in str(span.attributes)
    assert (span.output_text, span.output_messages) == (text, [{"role": "assistant", "content": text}])


def test_a_document_that_is_outdone_leaves_what_nobody_else_told():
    span = normal({
        "gen_ai.output.messages": [{"role": "assistant", "content": "hi"}],
        "mlflow.spanOutputs": json.dumps({"id": "r1", "choices": [{"message": {"content": "hi"}}]}),
    })  # fmt: skip

    assert (span.output_text, span.attributes) == ("hi", {"mlflow.spanOutputs": {"id": "r1"}})


def test_reasons_of_several_answers_stay_where_they_differ():
    name = "gen_ai.response.finish_reasons"

    assert normal({name: ["stop", "length"]}).attributes == {name: ["stop", "length"]}
    assert normal({name: '["stop", "length"]'}).attributes == {name: '["stop", "length"]'}
    assert normal({name: ["stop", "stop"]}).attributes == {}


def test_a_resource_that_names_its_service_unusably_keeps_it():
    assert normal(resource={"service.name": 7}).resource_attributes == {"service.name": 7}


def test_an_event_that_carries_attributes_keeps_what_is_left_of_a_document():
    carried = event("gen_ai.client.inference.operation.details", **{
        "gen_ai.output.messages": {"id": "r1", "choices": [{"message": {"content": "hi"}}]},
    })  # fmt: skip

    span = normal(events=[carried])

    assert (span.output_text, kept(span)) == (
        "hi",
        [("gen_ai.client.inference.operation.details", {"gen_ai.output.messages": {"id": "r1"}})],
    )
