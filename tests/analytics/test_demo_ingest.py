"""What the ingest path makes of the demo's spans."""

import re
from datetime import UTC, datetime
from functools import cache

from analytics.ingest.normalise import Limits, normalise
from analytics.ingest.span import NormalSpan
from analytics.ingest.wire import decode
from analytics.management.demo import demo_requests
from analytics.management.demo.rhythm import nanoseconds
from observatory.env import BASE_DIR

MONDAY_EVENING = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


@cache
def normal_spans() -> tuple[NormalSpan, ...]:
    """A demo of two days after normalisation; a rejection fails the first test and whatever reads it."""
    limits, now_ns = Limits(), nanoseconds(MONDAY_EVENING)
    batches = demo_requests(days=2, traces_per_day=400, seed=1, end=MONDAY_EVENING)
    return tuple(
        normalise(raw, limits=limits, now_ns=now_ns)
        for batch in batches
        for raw in decode(batch.request.SerializeToString(), json=False).spans
    )


def test_every_span_survives_the_ingest_path_without_a_note():
    assert [one for one in normal_spans() if not isinstance(one, NormalSpan) or one.notes] == []


def test_both_vocabularies_arrive_as_the_same_operations():
    assert {one.operation_name for one in normal_spans()} == {
        *("chat", "embeddings", "execute_tool", "invoke_agent", "invoke_workflow", "retrieval")
    }


def test_every_model_arrives_under_one_provider():
    assert {(one.provider, one.model) for one in normal_spans() if one.is_call} == {
        ("openai", "gpt-4o"),
        ("openai", "gpt-4o-mini"),
        ("openai", "text-embedding-3-small"),
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-haiku-4-5"),
        ("google", "gemini-2.5-flash"),
        ("mistral", "mistral-medium-latest"),
    }


def test_answered_calls_arrive_with_usage_and_both_texts():
    answered = [one for one in normal_spans() if one.operation_name == "chat" and one.status_code != "ERROR"]

    assert [one for one in answered if not (one.usage and one.input_text and one.output_messages)] == []


def test_who_asked_where_and_in_which_conversation_arrives_with_every_span():
    members = ("service_name", "environment", "user_id", "session_id", "team_id", "tags")

    assert [one for one in normal_spans() if not all(getattr(one, member) for member in members)] == []


def test_errors_arrive_with_type_and_message():
    failed = [one for one in normal_spans() if one.status_code == "ERROR"]

    assert failed
    assert [one for one in failed if one.error_message is None] == []


def test_streamed_answers_arrive_with_their_time_to_first_token():
    vocabularies = {one.service_name for one in normal_spans() if one.ttft_ms}

    assert vocabularies == {"support-chat", "support-search", "research-worker"}


def test_retrievals_arrive_with_query_and_documents():
    found = [one.retrieval for one in normal_spans() if one.operation_name == "retrieval"]

    assert [one for one in found if not (one and one.get("documents"))] == []


def test_the_search_in_the_readme_has_failing_calls_to_find():
    word = re.search(r"'q=status:error (\w+)'", (BASE_DIR / "README.md").read_text())[1]
    failed = [one for one in normal_spans() if one.status_code == "ERROR" and one.is_call]

    assert [one for one in failed if word in f"{one.input_text} {one.output_text}".lower().split()] != []
