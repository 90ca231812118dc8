import json

import pytest

from analytics.ingest.vocabularies.table import NAMED, ROWS
from analytics.pricing.usage import Usage
from tests.analytics.ingest.payloads import CALLS, FACTS
from tests.analytics.ingest.spans import SECOND, START_NS, normal


def facts(span, *members):
    return {member: getattr(span, member) for member in members}


@pytest.mark.parametrize("vocabulary", CALLS)
def test_the_same_call_is_the_same_span_in_every_vocabulary(vocabulary):
    told = CALLS[vocabulary]

    assert facts(normal(told.attributes, events=told.events), *FACTS) == FACTS


# A row: what is sent, and the members it must end in.
MEMBERS = [
    ({"openinference.span.kind": "EMBEDDING"}, {"operation_name": "embeddings"}),
    ({"openinference.span.kind": "RERANKER"}, {"operation_name": "rerank"}),
    ({"openinference.span.kind": "RETRIEVER"}, {"operation_name": "retrieval"}),
    ({"openinference.span.kind": "TOOL"}, {"operation_name": "execute_tool"}),
    ({"openinference.span.kind": "AGENT"}, {"operation_name": "invoke_agent"}),
    ({"openinference.span.kind": "CHAIN"}, {"operation_name": "invoke_workflow"}),
    ({"openinference.span.kind": "GUARDRAIL"}, {"operation_name": "guardrail"}),
    ({"traceloop.span.kind": "workflow"}, {"operation_name": "invoke_workflow"}),
    ({"traceloop.span.kind": "agent"}, {"operation_name": "invoke_agent"}),
    ({"traceloop.span.kind": "task"}, {"operation_name": "task"}),
    ({"llm.request.type": "completion"}, {"operation_name": "text_completion"}),
    ({"gen_ai.operation.name": "create_agent"}, {"operation_name": "create_agent"}),
    ({"gen_ai.operation.name": "Custom"}, {"operation_name": "Custom"}),
    *(
        ({"gen_ai.provider.name": sent}, {"provider": kept})
        for sent, kept in {
            "OpenAI": "openai",
            "az.ai.openai": "azure.ai.openai",
            "azure": "azure.ai.openai",
            "azure_openai": "azure.ai.openai",
            "bedrock": "aws.bedrock",
            "aws_bedrock": "aws.bedrock",
            "gcp.gemini": "google",
            "gcp.gen_ai": "google",
            "gemini": "google",
            "google_genai": "google",
            "vertex_ai": "gcp.vertex_ai",
            "vertexai": "gcp.vertex_ai",
            "mistral_ai": "mistral",
            "mistralai": "mistral",
            "deepseek": "deepseek",
            "Google AI Studio": "google",
            "Google Vertex": "gcp.vertex_ai",
            "Amazon Bedrock": "aws.bedrock",
            "togetherai": "together",
            "TogetherAI": "together",
            "togetherai.chat": "together",
            "together_ai": "together_ai",
            "fireworks_ai": "fireworks",
            "fireworks.chat": "fireworks",
            "moonshot_ai": "moonshotai",
            "moonshot": "moonshot",
            "voyage": "voyageai",
            "cohere_chat": "cohere",
            "x_ai": "x_ai",
            "xai.chat": "x_ai",
            "google_ai": "google",
            "google-ai-studio": "google",
            "vertex": "gcp.vertex_ai",
            "vertex_ai_beta": "gcp.vertex_ai",
            "azure_ai_inference": "azure.ai.inference",
        }.items()
    ),
    *(
        ({"gen_ai.request.model": model}, {"model": model, "provider": maker})
        for model, maker in {
            "gpt-4o": "openai",
            "o1-mini": "openai",
            "o3": "openai",
            "o4-mini": "openai",
            "claude-sonnet-4": "anthropic",
            "gemini-2.5-pro": "google",
            "mistral-large": "mistral",
            "mixtral-8x7b": "mistral",
            "llama-3": None,
            "models/gemini-2.5-flash": "google",
            "openai/gpt-4o": "openai",
            "anthropic/claude-sonnet-4": "anthropic",
            "gemini/gemini-2.5-pro": "google",
            "ft:gpt-4o-2024-08-06:acme::1": "openai",
            "models/gpt-4o": None,
            "meta-llama/gpt-like": None,
            "deepinfra/gpt-oss-120b": None,
        }.items()
    ),
    ({"gen_ai.response.model": "gpt-4o"}, {"model": None, "response_model": "gpt-4o", "provider": "openai"}),
    ({"llm.request.model_name": "a", "llm.model_name": "b"}, {"model": "a"}),
    ({"llm.invocation_parameters": '{"model": "gpt-4o"}'}, {"model": "gpt-4o", "streamed": False}),
    ({"llm.invocation_parameters": '{"stream": true}'}, {"streamed": True}),
    ({"llm.invocation_parameters": '{"service_tier": "flex"}'}, {"service_tier": "flex"}),
    ({"llm.invocation_parameters": "cut in the mid"}, {"attributes": {"llm.invocation_parameters": "cut in the mid"}}),
    ({"embedding.model_name": "text-embedding-3-small"}, {"model": "text-embedding-3-small", "provider": None}),
    ({"gen_ai.response.id": "r1"}, {"response_id": "r1"}),
    *(
        (
            {"langfuse.observation.completion_start_time": told, **more},
            {"ttft_ms": waited, "attributes": {} if waited == 500 else {"langfuse.observation.completion_start_time": told}},
        )
        for told, more, waited in (
            ("2026-03-01T10:00:00.5", {}, 500),
            ('"2026-03-01T11:00:00.5+01:00"', {}, 500),
            ("2026-03-01T09:59:59Z", {}, None),
            ("soon", {}, None),
            ("0001-01-01T00:00:00+23:59", {}, None),
            ("2026-03-01T10:00:00.5Z", {"gen_ai.response.time_to_first_chunk": 0.2}, 200),
        )
    ),
    (
        {"openai.response.service_tier": "default", "openai.request.service_tier": "auto"},
        {"service_tier": "default", "request_parameters": {"service_tier": "auto"}},
    ),
    (
        {"llm.invocation_parameters": '{"top_p": 0.1, "seed": 1}', "gen_ai.request.top_p": 0.9},
        {"request_parameters": {"top_p": 0.9, "seed": 1}},
    ),
    ({"gen_ai.usage.cost": 0.1}, {"reported_cost_nanousd": 100_000_000}),
    ({"llm.cost.total": "0.0000000125"}, {"reported_cost_nanousd": 12}),
    ({"llm.cost.total_usd": -1}, {"reported_cost_nanousd": None}),
    ({"llm.cost.total_usd": "1e9999999"}, {"reported_cost_nanousd": None}),
    ({"gen_ai.response.finish_reasons": ["length", "stop"]}, {"finish_reason": "length"}),
    ({"gen_ai.response.finish_reasons": '["length"]'}, {"finish_reason": "length"}),
    ({"llm.latency.ttft_ms": 12.6}, {"ttft_ms": 13}),
    ({"gen_ai.response.time_to_first_chunk": -1}, {"ttft_ms": None}),
    ({"gen_ai.conversation.id": "a", "session.id": "b"}, {"session_id": "a"}),
    ({"traceloop.association.properties.session_id": "s"}, {"session_id": "s", "attributes": {}}),
    ({"user.id": 42}, {"user_id": "42"}),
    ({"llm.team.id": "t"}, {"team_id": "t"}),
    ({"tag.tags": ["a", "b"]}, {"tags": ["a", "b"]}),
    ({"llm.tags": "a, b,"}, {"tags": ["a", "b"]}),
    ({"prompt.id": "p"}, {"prompt_name": "p"}),
    ({"gen_ai.prompt.name": "p"}, {"prompt_name": "p", "input_messages": None}),
    ({"llm.environment": "test"}, {"environment": "test"}),
    ({"error.type": "timeout"}, {"error_type": "timeout"}),
    ({"error": True}, {"error_type": None, "attributes": {"error": True}}),
    (
        {"gen_ai.agent.name": "planner", "gen_ai.agent.id": "a1"},
        {"agent_name": "planner", "attributes": {"gen_ai.agent.id": "a1"}},
    ),
    ({"gen_ai.agent.id": "a1"}, {"agent_name": "a1"}),
    ({"traceloop.workflow.name": "w", "traceloop.entity.path": "w.x"}, {"workflow_name": "w"}),
    (
        {"traceloop.span.kind": "tool", "traceloop.entity.name": "search"},
        {"tool_name": "search", "attributes": {}},
    ),
    (
        {"traceloop.span.kind": "task", "traceloop.entity.name": "step"},
        {"tool_name": None, "attributes": {"traceloop.entity.name": "step"}},
    ),
    (
        {
            "gen_ai.tool.name": "search",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": {"q": "elbe"},
            "gen_ai.tool.call.result": "found",
        },
        {
            "tool_name": "search",
            "input_text": '{"q":"elbe"}',
            "input_type": "text",
            "output_text": "found",
            "attributes": {"gen_ai.tool.call.id": "call_1"},
        },
    ),
    (
        {"gen_ai.retrieval.query.text": "elbe", "gen_ai.retrieval.documents": '[{"id": "d1"}]', "retrieval.top_k": 3},
        {"retrieval": {"query": "elbe", "documents": [{"id": "d1"}], "top_k": 3}},
    ),
    (
        {
            "retrieval.documents.1.document.id": "d2",
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.metadata": '{"page": 3}',
        },
        {"retrieval": {"documents": [{"id": "d1", "metadata": {"page": 3}}, {"id": "d2"}]}},
    ),
    (
        {
            "metadata": '{"a": 1}',
            "traceloop.association.properties.b": 2,
            "ai.telemetry.metadata.c": 3,
        },
        {"attributes": {"metadata": {"a": 1, "b": 2, "c": 3}}},
    ),
    ({"llm.tools.0.tool.name": "f"}, {"tools": [{"name": "f"}]}),
    ({"llm.prompts.0.prompt.text": "once", "llm.choices.0.completion.text": "upon"}, {"input_text": "once", "output_text": "upon"}),
    (
        {"embedding.embeddings.0.embedding.text": "a", "embedding.embeddings.0.embedding.vector": [0.5]},
        {"input_text": "a", "input_type": "text", "attributes": {"embedding.embeddings.0.embedding.vector": [0.5]}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "members"), MEMBERS, ids=lambda case: json.dumps(case)[:60])
def test_a_name_is_read_as_its_member(sent, members):
    assert facts(normal(sent), *members) == members


def test_sources_tell_which_name_each_fact_came_from():
    span = normal(
        {
            "gen_ai.provider.name": "",
            "llm.system": "openai",
            "llm.model_name": "gpt-4o",
            "gen_ai.request.top_p": 1,
            "llm.token_count.prompt": 5,
            "llm.input_messages.0.message.content": "hi",
            "output.value": "ho",
        },
        resource={"service.name": "shop"},
        status_message="late",
    )

    assert span.mapping_sources == {
        "service_name": "resource service.name",
        "provider": "llm.system",
        "model": "llm.model_name",
        "request_parameters.top_p": "gen_ai.request.top_p",
        "prompt_tokens": "llm.token_count.prompt",
        "input_messages": "llm.input_messages.N",
        "input_text": "llm.input_messages.N",
        "output_text": "output.value",
        "error_message": "status message",
    }


def test_mapped_names_leave_attributes_also_those_that_another_name_outdid():
    span = normal({"gen_ai.request.model": "a", "llm.model_name": "b", "mine": 1})

    assert (span.model, span.attributes) == ("a", {"mine": 1})


def test_a_value_that_tells_nothing_stays_an_attribute():
    span = normal({"gen_ai.usage.input_tokens": "many", "gen_ai.provider.name": ["x"]})

    assert span.attributes == {"gen_ai.usage.input_tokens": "many", "gen_ai.provider.name": ["x"]}


def test_the_resource_keeps_what_is_not_mapped():
    span = normal(resource={"service.name": "shop", "deployment.environment": "prod", "host.name": "h"})

    assert facts(span, "service_name", "environment", "resource_attributes") == {
        "service_name": "shop",
        "environment": "prod",
        "resource_attributes": {"host.name": "h"},
    }


def test_the_environment_of_the_resource_comes_before_that_of_the_span():
    span = normal({"llm.environment": "test"}, resource={"deployment.environment.name": "prod"})

    assert span.environment == "prod"


def event(name, at_ms=0, **attributes):
    return {"name": name, "time_ns": START_NS + at_ms * SECOND // 1000, "attributes": attributes}


def test_the_last_exception_is_the_error_and_stays_an_event():
    first = event("exception", 100, **{"exception.type": "Retry", "exception.message": "again"})
    last = event("exception", 200, **{"exception.type": "Timeout", "exception.message": "too late"})

    span = normal(events=[first, last])

    assert (span.error_type, span.error_message, span.events) == (
        "Timeout",
        "too late",
        [
            {"name": "exception", "ts": "2026-03-01T10:00:00.100000Z", "attributes": first["attributes"]},
            {"name": "exception", "ts": "2026-03-01T10:00:00.200000Z", "attributes": last["attributes"]},
        ],
    )


def test_the_status_message_comes_before_an_exception():
    span = normal(events=[event("exception", **{"exception.message": "inner"})], status_message="outer", status_code=2)

    assert (span.status_code, span.error_message) == ("ERROR", "outer")


def test_messages_told_by_events_leave_the_events():
    span = normal(events=[event("gen_ai.user.message", content="hi"), event("cache.miss")])

    assert (span.input_text, [kept["name"] for kept in span.events]) == ("hi", ["cache.miss"])


def test_a_first_token_before_the_start_is_no_time():
    assert normal(events=[event("llm.first_token", -5)]).ttft_ms is None


def test_every_row_has_a_name_and_no_name_is_cased_twice():
    assert all(getattr(row, "names", None) or row.prefix for row in ROWS)
    assert len({name.lower() for name in NAMED}) == len(NAMED)


def test_parts_that_only_the_providers_own_object_tells_are_parts():
    raw = {
        "input_tokens": 500,
        "cache_read_input_tokens": 300,
        "cache_creation_input_tokens": 200,
        "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 150},
    }

    span = normal({"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.raw": json.dumps(raw)})

    assert span.usage == Usage(uncached_input=500, cache_read=300, cache_write_5m=50, cache_write_1h=150)
