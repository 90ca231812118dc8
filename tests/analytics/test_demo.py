"""The demo's spans: repeatable, well-formed, and with the story that they are meant to tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.management.demo import PROJECTS, demo_requests, incident_of, spans_by_day
from analytics.management.demo.rhythm import nanoseconds

MONDAY_EVENING = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "gcp.gemini": "google", "mistral_ai": "mistral"}
ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One span as it was sent."""

    project: str
    span: Any
    attributes: dict[str, Any]

    @property
    def start_ns(self) -> int:
        return self.span.start_time_unix_nano

    @property
    def seconds(self) -> float:
        return (self.span.end_time_unix_nano - self.start_ns) / 1e9

    @property
    def failed(self) -> bool:
        return self.span.status.code == ERROR

    @property
    def is_chat(self) -> bool:
        return (
            self.attributes.get("gen_ai.operation.name") == "chat"
            or self.attributes.get("openinference.span.kind") == "LLM"
        )

    @property
    def model(self) -> str:
        return self.attributes.get("gen_ai.request.model") or self.attributes["llm.model_name"]

    @property
    def provider(self) -> str:
        name = self.attributes.get("gen_ai.provider.name") or self.attributes["llm.provider"]
        return PROVIDERS.get(name, name)


def small(**changes: Any) -> list[bytes]:
    """Return the encoded requests of a small demo."""
    arguments = {"days": 2, "traces_per_day": 40, "seed": 1, "end": MONDAY_EVENING, "spans_per_request": 100}
    return [batch.request.SerializeToString() for batch in demo_requests(**arguments | changes)]


def sent(**arguments: Any) -> Iterator[Sent]:
    for batch in demo_requests(**arguments):
        for of_resource in batch.request.resource_spans:
            for span in of_resource.scope_spans[0].spans:
                attributes = {pair.key: _plain(pair.value) for pair in span.attributes}
                yield Sent(project=batch.project, span=span, attributes=attributes)


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_plain(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@cache
def fortnight() -> tuple[Sent, ...]:
    """The demo as a first start makes it."""
    return tuple(sent(days=14, traces_per_day=500, seed=1, end=MONDAY_EVENING))


def chats() -> list[Sent]:
    return [one for one in fortnight() if one.is_chat]


def in_window(one: Sent, day_shift: int = 0) -> bool:
    first, last = (nanoseconds(moment - day_shift * DAY) for moment in incident_of(MONDAY_EVENING))
    return first <= one.start_ns < last


def anthropic_in_window(*day_shifts: int) -> list[Sent]:
    return [one for one in chats() if one.provider == "anthropic" and any(in_window(one, day) for day in day_shifts)]


def test_the_same_arguments_give_the_same_bytes():
    assert small() == small()


def test_another_seed_gives_other_bytes():
    assert small(seed=2) != small()


def test_the_end_may_be_told_in_any_time_zone():
    abroad = MONDAY_EVENING.astimezone(tz=ZoneInfo("Asia/Tokyo"))

    assert small(end=abroad) == small()


@pytest.mark.parametrize("name", ["days", "traces_per_day", "spans_per_request"])
def test_nothing_less_than_one_is_accepted(name):
    with pytest.raises(ValueError, match="at least 1"):
        small(**{name: 0})


def test_a_fortnight_has_about_thirty_thousand_spans():
    assert len(fortnight()) == pytest.approx(30_000, rel=0.1)


def test_a_fortnight_has_seven_thousand_traces():
    assert len({one.span.trace_id for one in fortnight()}) == 7000


def test_batches_say_how_much_they_hold():
    batches = list(demo_requests(days=2, traces_per_day=40, seed=1, end=MONDAY_EVENING, spans_per_request=100))

    counted = sum(spans_by_day(batches).values())
    assert (sum(batch.span_count for batch in batches), sum(batch.trace_count for batch in batches)) == (counted, 80)


def test_every_trace_is_whole_in_one_batch():
    homes: dict[bytes, set[int]] = {}
    for index, batch in enumerate(demo_requests(days=2, traces_per_day=40, seed=1, end=MONDAY_EVENING)):
        for of_resource in batch.request.resource_spans:
            for span in of_resource.scope_spans[0].spans:
                homes.setdefault(span.trace_id, set()).add(index)

    assert {len(home) for home in homes.values()} == {1}


def test_both_projects_get_spans():
    assert {one.project for one in fortnight()} == set(PROJECTS)


def test_chat_calls_use_six_models():
    assert {one.model for one in chats()} == {
        "gpt-4o",
        "gpt-4o-mini",
        "claude-sonnet-4-5",
        "claude-haiku-4-5",
        "gemini-2.5-flash",
        "mistral-medium-latest",
    }


def test_chat_calls_go_to_four_providers():
    assert {one.provider for one in chats()} == {"openai", "anthropic", "google", "mistral"}


def test_every_kind_of_step_is_told_in_both_vocabularies():
    told = {
        one.attributes.get("gen_ai.operation.name") or one.attributes["openinference.span.kind"] for one in fortnight()
    }

    assert told == {
        *("chat", "embeddings", "execute_tool", "invoke_agent", "invoke_workflow", "retrieval"),
        *("AGENT", "LLM", "RETRIEVER", "TOOL"),
    }


def test_some_calls_have_cached_and_some_have_reasoning_tokens():
    names = {name for one in chats() for name in one.attributes}

    assert names >= {
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_write",
        "llm.token_count.completion_details.reasoning",
    }


def test_totals_contain_their_details():
    wrong = [
        usage
        for one in chats()
        if (usage := {name: one.attributes.get(name, 0) for name in one.attributes if ".usage." in name})
        and (
            usage["gen_ai.usage.input_tokens"]
            < usage.get("gen_ai.usage.cache_read.input_tokens", 0)
            + usage.get("gen_ai.usage.cache_creation.input_tokens", 0)
            or usage["gen_ai.usage.output_tokens"] < usage.get("gen_ai.usage.reasoning.output_tokens", 0)
        )
    ]

    assert wrong == []


def test_about_three_in_two_hundred_calls_fail_outside_the_incident():
    quiet = [one for one in chats() if not in_window(one)]

    assert mean(one.failed for one in quiet) == pytest.approx(0.015, abs=0.004)


def test_failures_have_believable_types():
    types = {one.attributes.get("error.type") for one in chats() if one.failed and "error.type" in one.attributes}

    assert types == {
        "rate_limit_error",
        "timeout",
        "context_length_exceeded",
        "content_filter",
        "overloaded_error",
    }


def test_failed_spans_and_only_those_have_a_message():
    assert {(one.failed, bool(one.span.status.message)) for one in fortnight()} == {(True, True), (False, False)}


def test_a_third_of_the_providers_calls_fail_during_the_incident():
    assert mean(one.failed for one in anthropic_in_window(0)) == pytest.approx(0.35, abs=0.13)


def test_the_providers_answers_take_eight_times_as_long_during_the_incident():
    during = mean(one.seconds for one in anthropic_in_window(0) if not one.failed)
    otherwise = mean(one.seconds for one in anthropic_in_window(3, 4, 7, 8) if not one.failed)

    assert during / otherwise == pytest.approx(8, rel=0.35)


def test_other_providers_do_not_feel_the_incident():
    others = [one for one in chats() if one.provider != "anthropic"]
    during = mean(one.seconds for one in others if in_window(one))
    otherwise = mean(one.seconds for one in others if not in_window(one))

    assert during / otherwise == pytest.approx(1, rel=0.4)


def test_errors_of_the_incident_name_the_provider():
    messages = {one.span.status.message for one in anthropic_in_window(0) if one.failed}

    assert messages == {
        "Overloaded: elevated errors and latency at anthropic, see its status page.",
        "Request to anthropic timed out after 60 s during an incident of the provider.",
    }


def test_nothing_ends_after_the_end():
    assert max(one.span.end_time_unix_nano for one in fortnight()) <= nanoseconds(MONDAY_EVENING)


def test_nothing_starts_before_the_first_day():
    assert min(one.start_ns for one in fortnight()) >= nanoseconds(MONDAY_EVENING - 14 * DAY)


def test_no_span_ends_before_it_starts():
    assert min(one.seconds for one in fortnight()) > 0


def test_weekend_days_have_two_fifths_of_a_working_days_traces():
    roots = [one for one in fortnight() if not one.span.parent_span_id]
    days = [datetime.fromtimestamp(one.start_ns / 1e9, tz=UTC).weekday() for one in roots]
    weekend = sum(day >= 5 for day in days) / 4

    assert weekend / (sum(day < 5 for day in days) / 10) == pytest.approx(0.4, abs=0.08)


def test_office_hours_are_busier_than_nights():
    hours = [datetime.fromtimestamp(one.start_ns / 1e9, tz=UTC).hour for one in fortnight()]

    assert sum(8 <= hour < 17 for hour in hours) > 10 * sum(hour < 5 for hour in hours)


def test_batches_of_a_project_come_oldest_first():
    starts: dict[str, list[int]] = {project: [] for project in PROJECTS}
    for batch in demo_requests(days=3, traces_per_day=60, seed=1, end=MONDAY_EVENING, spans_per_request=50):
        roots = [
            span.start_time_unix_nano
            for of_resource in batch.request.resource_spans
            for span in of_resource.scope_spans[0].spans
            if not span.parent_span_id
        ]
        starts[batch.project].append(min(roots))

    assert starts == {project: sorted(times) for project, times in starts.items()}


def test_span_ids_are_unique():
    assert len({one.span.span_id for one in fortnight()}) == len(fortnight())


def test_every_parent_is_in_the_same_trace():
    known = {(one.span.trace_id, one.span.span_id) for one in fortnight()}
    orphans = [
        one
        for one in fortnight()
        if one.span.parent_span_id and (one.span.trace_id, one.span.parent_span_id) not in known
    ]

    assert orphans == []


def test_children_run_within_their_parents():
    by_id = {one.span.span_id: one.span for one in fortnight()}
    outside = [
        one
        for one in fortnight()
        if (parent := by_id.get(one.span.parent_span_id))
        and not parent.start_time_unix_nano <= one.start_ns <= one.span.end_time_unix_nano <= parent.end_time_unix_nano
    ]

    assert outside == []


def test_sessions_have_several_traces_of_one_user():
    traces: dict[str, set[bytes]] = {}
    users: dict[str, set[str]] = {}
    for one in fortnight():
        session = one.attributes.get("gen_ai.conversation.id") or one.attributes["session.id"]
        traces.setdefault(session, set()).add(one.span.trace_id)
        users.setdefault(session, set()).add(one.attributes["user.id"])

    assert (mean(map(len, traces.values())) > 2, {len(one) for one in users.values()}) == (True, {1})


def test_a_few_of_three_hundred_users_ask_most():
    roots = [one.attributes["user.id"] for one in fortnight() if not one.span.parent_span_id]
    counts = sorted((roots.count(user) for user in set(roots)), reverse=True)

    assert (280 <= len(counts) <= 300, sum(counts[:30]) / sum(counts) > 0.3) == (True, True)
