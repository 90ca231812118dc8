"""How a span is read depends on its names alone, and on them in whatever order they come."""

from analytics.ingest.facts import Shared, read_facts
from analytics.ingest.plans import plan_of
from tests.analytics.ingest.spans import raw

CALL = {
    "gen_ai.request.model": "gpt-4o",
    "llm.model_name": "gpt-4",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.prompt_tokens": 11,
    "gen_ai.request.temperature": 0.5,
    "llm.input_messages.1.message.content": "second",
    "llm.input_messages.0.message.content": "first",
    "shop.id": 7,
}


def read(attributes, **said):
    return read_facts(raw(attributes=attributes, **said), Shared())


def test_spans_of_one_shape_are_read_by_one_plan():
    assert plan_of(CALL, size=100) is plan_of(dict.fromkeys(CALL), size=200)


def test_names_of_a_huge_span_are_not_kept():
    assert plan_of(CALL, size=1_000_000) is not plan_of(CALL, size=1_000_000)


def test_the_order_of_names_changes_nothing():
    there, back = read(CALL), read(dict(reversed(CALL.items())))

    assert (there.values, there.sources, there.attributes) == (back.values, back.sources, back.attributes)


def test_the_next_name_tells_what_the_best_one_does_not():
    facts = read(CALL | {"gen_ai.request.model": "", "gen_ai.usage.input_tokens": "many"})

    assert (facts.values["model"], facts.values["prompt_tokens"], facts.attributes, facts.unreadable) == (
        "gpt-4",
        11,
        {"shop.id": 7, "gen_ai.request.model": "", "gen_ai.usage.input_tokens": "many"},
        {"prompt_tokens"},
    )


def test_items_of_a_list_come_in_the_order_of_their_index():
    assert read(CALL).values["input_messages"].text == "first\nsecond"


def test_what_the_resource_tells_is_preferred_and_read_once_for_all_spans():
    shared, resource = Shared(), {"deployment.environment": "live", "host.name": "a"}
    spans = [raw(attributes={"langfuse.environment": "test"}, resource=resource) for _ in range(2)]

    first, second = (read_facts(span, shared) for span in spans)
    assert first.values == second.values == {"environment": "live"}
    assert first.resource_attributes is second.resource_attributes
